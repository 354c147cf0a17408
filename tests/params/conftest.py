"""Writes params.yaml for tests of it."""

import json
from pathlib import Path

import pytest

from tests.params.samples import Save, Tree


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def write(content: str | Tree) -> Path:
        path = tmp_path / "params.yaml"
        if not isinstance(content, str):  # JSON is YAML, but for two words, and quick to write
            content = json.dumps(content, ensure_ascii=False).replace("NaN", ".nan").replace("Infinity", ".inf")
        path.write_text(content, encoding="utf-8")
        return path

    return write
