"""An empty project with a cache of its own, and a data set that the loopback site publishes."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from movierec.data import transfer
from movierec.data.registry import DATASETS, Dataset
from tests.data.download.folders import LayoutFiles, Zipped
from tests.waiting import PATIENCE_S

if TYPE_CHECKING:
    from tests.data.conftest import Site


@pytest.fixture(autouse=True)
def _isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No mirror, a cache of its own, an empty project, and no waiting."""
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setenv("DVC_ROOT", str(tmp_path / "project"))
    monkeypatch.setenv("MOVIEREC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MOVIELENS_MIRROR", "")
    monkeypatch.setattr(transfer, "RETRY_WAITS_S", (0,))
    monkeypatch.setattr(transfer, "READ_TIMEOUT_S", PATIENCE_S)


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return tmp_path / "project" / "data" / "raw"


@pytest.fixture
def genuine(zipped: Zipped, layout_files: LayoutFiles) -> bytes:
    return zipped({f"ml-tiny/{name}": content for name, content in layout_files["csv"].items()})


@pytest.fixture
def tiny(site: "Site", genuine: bytes, monkeypatch: pytest.MonkeyPatch) -> str:
    """Register a data set whose published archive the loopback site holds."""
    md5 = hashlib.md5(genuine, usedforsecurity=False).hexdigest()
    monkeypatch.setitem(DATASETS, "ml-tiny", Dataset("ml-tiny", f"{site.address}/ml-tiny.zip", md5))
    site.pages["/ml-tiny.zip"] = genuine
    return "ml-tiny"
