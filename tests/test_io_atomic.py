"""Whole files and folders or none: what replaces, fails half-way, races or is killed."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd
import pyarrow as pa
import pytest

from movierec import io
from tests.sample_files import WRITERS, names_in


class UnluckyError(Exception):
    pass


def fail_after(write: Callable[[str], int], text: str) -> NoReturn:
    write(text)
    raise UnluckyError("half-way")


def test_replaces_a_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "new" / "deep" / "svd.npz"
    for content in ("old", "new"):
        with io.replace_atomically(path) as temporary:
            assert temporary.suffix == path.suffix
            assert temporary.parent == path.parent  # the same file system, or the move copies
            temporary.write_text(content)
        assert path.read_text() == content
        assert names_in(path.parent) == {"svd.npz"}


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "svd.npz"
    path.write_text("old")
    with pytest.raises(UnluckyError, match="half-way"), io.replace_atomically(path) as temporary:
        fail_after(temporary.write_text, "half")
    assert path.read_text() == "old"
    assert names_in(tmp_path) == {"svd.npz"}


def test_a_write_that_wrote_nothing_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "svd.npz"
    path.write_text("old")
    with pytest.raises(FileNotFoundError, match=r"svd\.npz"), io.replace_atomically(path):
        pass
    assert path.read_text() == "old"


def test_a_new_file_does_not_write_through_a_link(tmp_path: Path) -> None:
    # DVC may link a workspace file to its cache: writing in place would corrupt the cache
    cached, path = tmp_path / "cached", tmp_path / "metrics.json"
    cached.write_text("old")
    path.hardlink_to(cached)
    io.write_json({"a": 1}, path)
    assert cached.read_text() == "old"
    path.unlink()
    path.symlink_to(cached)
    io.write_json({"a": 1}, path)
    assert cached.read_text() == "old"
    assert not path.is_symlink()


@pytest.mark.parametrize("kind", WRITERS)
def test_a_table_that_cannot_be_written_leaves_the_old_one(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"table.{kind}"
    path.write_text("old")
    bad: Any = object()
    write: dict[str, Callable[[], None]] = {
        "parquet": lambda: io.write_parquet(pd.DataFrame({"a": [bad]}), path),
        "csv": lambda: io.write_csv(bad, path),
        "json": lambda: io.write_json({"a": bad}, path),
    }
    with pytest.raises((pa.ArrowInvalid, AttributeError, TypeError), match="object"):
        write[kind]()
    assert path.read_text() == "old"
    assert names_in(tmp_path) == {path.name}


def test_replaces_a_folder_whole(tmp_path: Path) -> None:
    path = tmp_path / "data" / "raw"
    for names in ({"a.csv", "b.csv"}, {"b.csv"}):
        with io.replace_folder(path) as folder:
            assert names_in(folder) == set()
            for name in names:
                (folder / name).write_text(name)
        assert names_in(path) == names
        assert names_in(path.parent) == {"raw"}


@pytest.mark.parametrize("held", [{"old.csv"}, set(), None], ids=["full", "empty", "absent"])
def test_a_failed_fill_leaves_the_old_folder(held: set[str] | None, tmp_path: Path) -> None:
    path = tmp_path / "raw"
    if held is not None:
        path.mkdir()
        for name in held:
            (path / name).write_text("old")
    with pytest.raises(UnluckyError, match="half-way"), io.replace_folder(path) as folder:
        fail_after((folder / "new.csv").write_text, "half")
    assert names_in(tmp_path) == (set() if held is None else {"raw"})
    if held is not None:
        assert names_in(path) == held


def test_the_folder_that_ends_last_wins(tmp_path: Path) -> None:
    path = tmp_path / "raw"
    with io.replace_folder(path) as first:
        (first / "first").write_text("1")
        with io.replace_folder(path) as second:
            (second / "second").write_text("2")
        assert names_in(path) == {"second"}
    assert names_in(path) == {"first"}
    assert names_in(tmp_path) == {"raw"}


def test_racing_writers_leave_one_whole_folder(tmp_path: Path) -> None:
    path = tmp_path / "raw"

    def fill(writer: int) -> None:
        for _ in range(10):
            with io.replace_folder(path) as folder:
                for name in "ab":
                    (folder / name).write_text(str(writer))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(fill, range(8)))
    assert names_in(tmp_path) == {"raw"}
    assert names_in(path) == {"a", "b"}
    assert (path / "a").read_text() == (path / "b").read_text()


def test_never_replaces_a_file_by_a_folder(tmp_path: Path) -> None:
    path = tmp_path / "raw"
    path.write_text("mine")
    with pytest.raises(NotADirectoryError, match="raw"), io.replace_folder(path) as folder:
        (folder / "a").write_text("1")
    assert path.read_text() == "mine"
    assert names_in(tmp_path) == {"raw"}


def test_folder_is_readable_by_those_whom_the_umask_lets(tmp_path: Path) -> None:
    ordinary = tmp_path / "ordinary"
    ordinary.mkdir()
    with io.replace_folder(tmp_path / "raw"):
        pass
    assert (tmp_path / "raw").stat().st_mode == ordinary.stat().st_mode


KILLED = """
import sys
from pathlib import Path
from movierec.io import replace_atomically, replace_folder

with replace_folder(Path("raw")) as folder, replace_atomically(Path("svd.npz")) as temporary:
    (folder / "new.csv").write_text("half")
    temporary.write_text("half")
    print("writing", flush=True)
    sys.stdin.read()
"""


def test_kill_9_amid_writing_leaves_the_old_content(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "old.csv").write_text("old")
    (tmp_path / "svd.npz").write_text("old")
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(Path.cwd())!r}){KILLED}"]
    with subprocess.Popen(command, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout
        assert writer.stdout.readline() == "writing\n"
        writer.kill()
    assert names_in(tmp_path / "raw") == {"old.csv"}
    assert (tmp_path / "raw" / "old.csv").read_text() == "old"
    assert (tmp_path / "svd.npz").read_text() == "old"
    with io.replace_folder(tmp_path / "raw") as folder:  # what was left behind is in nobody's way
        (folder / "new.csv").write_text("new")
    assert names_in(tmp_path / "raw") == {"new.csv"}
