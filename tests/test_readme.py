"""The README shows what the commands print."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from movierec.cli import app

ROOT = Path(__file__).parents[1]


def indented_text(section: str) -> str:
    """Return the lines of a section of the README that are set as code, and the empty ones between them."""
    text = (ROOT / "README.md").read_text(encoding="utf-8").split(f"## {section}\n")[1].split("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("    ") or not line]
    return "\n".join(line[4:] for line in lines)


def test_the_experiments_commands_print_what_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    _, *examples = re.split(r"^\$ movierec ", indented_text("A/B testing"), flags=re.MULTILINE)
    assert [example.split()[1] for example in examples] == ["assign", "power", "analyze"]
    for example in examples:
        command, shown = example.split("\n", 1)
        assert CliRunner().invoke(app, command.split()).output.strip() == shown.strip()
