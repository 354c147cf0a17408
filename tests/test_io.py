import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from movierec import io
from movierec.errors import MovierecError

RATINGS = pd.DataFrame(
    {
        "user_id": np.array([1, 1, 2], dtype=np.int32),
        "movie_id": np.array([10, 20, 10], dtype=np.int32),
        "rating": np.array([4, 0.5, 5], dtype=np.float32),
        "timestamp": np.array([964982703, 0, 2**40], dtype=np.int64),
    },
)
MOVIES = pd.DataFrame(
    {
        "movie_id": np.array([10, 20], dtype=np.int32),
        "title": pd.Series(["Misérables, Les", "Babylon 5"], dtype="str"),
        "year": pd.Series([1995, None], dtype="Int16"),
        "genres": pd.Series([["Drama", "War"], []], dtype="object"),
    },
)
WRITERS: dict[str, Callable[[Path], None]] = {
    "parquet": lambda path: io.write_parquet(RATINGS, path),
    "csv": lambda path: io.write_csv(RATINGS, path),
    "json": lambda path: io.write_json({"svd": {"rmse": 0.75, "movies": 3}}, path),
}
READERS: dict[str, Callable[[Path], Any]] = {"parquet": io.read_parquet, "json": io.read_json}


class UnluckyError(Exception):
    pass


def fail_after(write: Callable[[str], int], text: str) -> NoReturn:
    write(text)
    raise UnluckyError("half-way")


@contextmanager
def refused(match: str) -> Iterator[None]:
    with pytest.raises(MovierecError, match=match):
        yield


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# --- whole files or none ---


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


# --- the same bytes ---


@pytest.mark.parametrize("kind", WRITERS)
def test_same_content_same_bytes(kind: str, tmp_path: Path) -> None:
    paths = [tmp_path / "one" / f"table.{kind}", tmp_path / "other" / f"other.{kind}"]
    for path in paths:
        WRITERS[kind](path)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_parquet_does_not_know_the_index_nor_pandas(tmp_path: Path) -> None:
    io.write_parquet(RATINGS, tmp_path / "plain.parquet")
    moved = RATINGS.set_index(pd.Index([7, 5, 3], name="row"))
    moved.attrs["made"] = "today"
    io.write_parquet(moved, tmp_path / "moved.parquet")
    assert (tmp_path / "plain.parquet").read_bytes() == (tmp_path / "moved.parquet").read_bytes()
    assert pq.read_schema(tmp_path / "plain.parquet").metadata is None
    assert b"pandas" not in (tmp_path / "plain.parquet").read_bytes()


@pytest.mark.parametrize("table", [RATINGS, MOVIES, RATINGS.iloc[:0]], ids=["ratings", "movies", "empty"])
def test_parquet_keeps_values_and_types(table: pd.DataFrame, tmp_path: Path) -> None:
    io.write_parquet(table, tmp_path / "table.parquet")
    read = io.read_parquet(tmp_path / "table.parquet")
    if "genres" in read:
        read["genres"] = read["genres"].map(list)
    pd.testing.assert_frame_equal(read, table)


def test_parquet_reads_the_columns_asked_for_in_their_order(tmp_path: Path) -> None:
    io.write_parquet(RATINGS, tmp_path / "table.parquet")
    read = io.read_parquet(tmp_path / "table.parquet", ["rating", "user_id"])
    pd.testing.assert_frame_equal(read, RATINGS[["rating", "user_id"]])


def test_csv_by_hand(tmp_path: Path) -> None:
    table = pd.DataFrame({"k": [5, 10], "ndcg@10": [1 / 3, np.nan], "movie": ['The "Heat"', "Les, é"]}, index=[4, 2])
    io.write_csv(table, tmp_path / "table.csv")
    expected = 'k,ndcg@10,movie\n5,0.333333,"The ""Heat"""\n10,,"Les, é"\n'
    assert (tmp_path / "table.csv").read_bytes() == expected.encode()


def test_json_by_hand(tmp_path: Path) -> None:
    content = {
        "svd": {"rmse": np.float32(0.1), "movies": np.int64(3), "beats": np.bool_(True), 10: 2 / 3},
        "als": {"note": "é", "none": None, "yes": True, "tiny": -1e-9, "zero-d": np.array(2.5)},
    }
    io.write_json(content, tmp_path / "metrics.json")
    expected = """{
  "als": {
    "none": null,
    "note": "é",
    "tiny": 0.0,
    "yes": true,
    "zero-d": 2.5
  },
  "svd": {
    "10": 0.666667,
    "beats": true,
    "movies": 3,
    "rmse": 0.1
  }
}
"""
    assert (tmp_path / "metrics.json").read_bytes() == expected.encode()


metrics = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5) | st.floats(-1e9, 1e9),
    lambda inner: st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=60)
@given(st.dictionaries(st.text(max_size=5), metrics, max_size=4))
def test_json_round_trip(tmp_path_factory: pytest.TempPathFactory, content: dict[str, Any]) -> None:
    path = tmp_path_factory.getbasetemp() / "round_trip.json"
    io.write_json(content, path)
    first = path.read_bytes()
    assert b"-0.0" not in first.split()
    assert io.read_json(path) == json.loads(json.dumps(content), parse_float=lambda text: round(float(text), 6))
    io.write_json(dict(reversed(io.read_json(path).items())), path)  # neither the order nor rounding again matters
    assert path.read_bytes() == first


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf"), np.float32("nan")])
def test_json_refuses_what_is_no_number(number: float, tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    path.write_text("{}")
    with pytest.raises(ValueError, match=r"metrics\.json:svd:rmse: -?(nan|inf) does not belong in metrics"):
        io.write_json({"svd": {"rmse": number}}, path)
    assert path.read_text() == "{}"


@pytest.mark.parametrize("several", [[], [1.0], (1, 2)])
def test_json_refuses_what_dvc_would_drop(several: object, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"metrics\.json:svd:curve: lists do not belong in metrics"):
        io.write_json({"svd": {"curve": several}}, tmp_path / "metrics.json")
    with pytest.raises(ValueError, match="array of size 1"):
        io.write_json({"curve": np.array([1, 2])}, tmp_path / "metrics.json")
    assert names_in(tmp_path) == set()


def test_json_is_json(tmp_path: Path) -> None:
    WRITERS["json"](tmp_path / "metrics.json")
    assert json.loads((tmp_path / "metrics.json").read_bytes()) == {"svd": {"rmse": 0.75, "movies": 3}}


# --- missing and damaged files ---


@pytest.mark.parametrize("kind", READERS)
def test_a_missing_file_says_what_to_do(kind: str, tmp_path: Path) -> None:
    with refused(rf"lost\.{kind} is missing: run `dvc repro` to make it"):
        READERS[kind](tmp_path / "folder" / f"lost.{kind}")


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("parquet", b""),
        ("parquet", b"user_id,movie_id\n1,2\n"),
        ("parquet", b"PAR1" + bytes(64) + b"PAR1"),
        ("json", b""),
        ("json", b'{"a": 1'),
        ("json", b'{"a": 1} {'),
        ("json", b"[1]"),
        ("json", b"null"),
        ("json", b"\xff"),
    ],
)
def test_a_damaged_file_says_what_to_do(kind: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"table.{kind}"
    path.write_bytes(content)
    problem = "(is damaged|is not valid JSON|holds no JSON object)"
    with refused(rf"table\.{kind} {problem}(.|\n)*: delete it and run `dvc repro`$"):
        READERS[kind](path)


def test_a_flipped_byte_in_parquet_never_passes_for_data(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    table = pd.DataFrame({"user_id": np.arange(500, dtype=np.int32), "rating": np.linspace(0.5, 5, 500)})
    io.write_parquet(table, path)
    whole, rng, refusals = path.read_bytes(), np.random.default_rng(0), 0
    for position in rng.integers(len(whole), size=300):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0x55]) + whole[position + 1 :])
        try:
            pd.testing.assert_frame_equal(io.read_parquet(path), table)  # a byte that nobody reads may differ
        except MovierecError:
            refusals += 1
    assert refusals > 250


def test_a_truncated_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    io.write_parquet(RATINGS, path)
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        with refused(r"table\.parquet is damaged"):
            io.read_parquet(path)


def test_a_missing_column_is_refused(tmp_path: Path) -> None:
    io.write_parquet(RATINGS, tmp_path / "table.parquet")
    with refused(r"table\.parquet is damaged \(No match for FieldRef.Name\(stars\)"):
        io.read_parquet(tmp_path / "table.parquet", ["stars"])


@pytest.mark.parametrize("kind", ["json"])
def test_a_folder_is_no_file(kind: str, tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match="Is a directory"):
        READERS[kind](tmp_path)
