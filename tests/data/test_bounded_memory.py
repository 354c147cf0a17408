"""Clean and split give the same bytes, however much of the data is in memory at a time."""

import hashlib
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from movierec import io
from movierec.data import parts, scans
from movierec.data.buckets import Workspace
from movierec.data.clean import clean_ratings
from movierec.data.download import open_dataset
from movierec.data.layouts import find_source
from movierec.data.parts import cut_parts
from movierec.data.readers import BROKEN_REASONS, RawRatings, read_ratings
from movierec.data.split import PARTS, Method, split_folder, split_ratings
from movierec.data.tally import tally_ratings

SETTINGS: dict[str, Any] = {"sample_fraction": 0.9, "min_user_ratings": 12, "min_movie_ratings": 4, "iterate": True}
SPLIT: dict[str, Any] = {"validation": 0.1, "test": 0.2, "seed": 3}
FolderOf = Callable[[dict[str, bytes]], Path]


@pytest.fixture(scope="module", params=["ml-100k", "ml-latest-small"])
def real(request: pytest.FixtureRequest, mirror: Path) -> pd.DataFrame:
    """Return real ratings in no order, a tenth of them again with other stars, most at the same time."""
    with open_dataset(str(mirror / f"{request.param}.zip")) as (folder, _):
        table = read_ratings(folder).table
    again = table.sample(frac=0.1, random_state=1)
    again = again.assign(
        rating=again["rating"].to_numpy()[::-1], timestamp=again["timestamp"] - np.arange(len(again)) % 3 // 2
    )
    return pd.concat([table, again]).sample(frac=1, random_state=2, ignore_index=True)


def clean(
    table: pd.DataFrame, workspace: Workspace, pieces: int = 10, **changes: Any
) -> tuple[list[pd.DataFrame], Any]:
    cuts = np.linspace(0, len(table), pieces + 1).astype(int)
    raw = RawRatings([table.iloc[start:end] for start, end in pairwise(cuts)], dict.fromkeys(BROKEN_REASONS, 0), None)
    options = {**SETTINGS, "max_bad_fraction": 0.0, "seed": 5, **changes}
    ratings, report = clean_ratings(raw, **options, workspace=workspace)
    return list(ratings), report


def digest(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("kind", ["last", "first", "mean", "sum"])
def test_the_number_of_buckets_decides_nothing(real: pd.DataFrame, kind: str, tmp_path: Path) -> None:
    found = []
    for number in (1, 2, 7):
        (scratch := tmp_path / f"scratch-{number}").mkdir()
        tables, report = clean(real, Workspace(scratch, -(-len(real) // number)), duplicates=kind)
        assert len(tables) == number
        io.write_parts(cut_parts(tables, 20_000), tmp_path / str(number))
        found.append((digest(tmp_path / str(number)), report))
    assert found[0] == found[1] == found[2]
    assert len(found[0][0]) > 2
    in_memory, report = clean(real, Workspace(), pieces=1, duplicates=kind)
    io.write_parts(cut_parts(in_memory, 20_000), tmp_path / "memory")
    assert (digest(tmp_path / "memory"), report) == found[0]
    assert all(report.dropped[reason] > 0 for reason in ("duplicate", "not_sampled", "too_few_ratings"))


@pytest.mark.parametrize("method", ["random", "temporal", "per_user_temporal", "cold_movies"])
def test_a_split_in_parts_is_the_split_in_memory(
    real: pd.DataFrame, method: Method, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("movierec.data.ranks.MOST_HELD", 50)  # narrow down as far as there are bits
    tables, _ = clean(real, Workspace())
    io.write_parts(cut_parts(tables, 15_000), tmp_path / "clean")
    folders = {name: tmp_path / name for name in PARTS}
    split_folder(tmp_path / "clean", folders, method, **SPLIT)
    expected = split_ratings(io.read_parquet(tmp_path / "clean"), method, **SPLIT)
    for name, folder in folders.items():
        pd.testing.assert_frame_equal(io.read_parquet(folder), expected[name])
        for one, whole in zip(io.read_parts(folder), io.read_parts(tmp_path / "clean"), strict=True):
            assert set(one["user_id"]) <= set(whole["user_id"])
    if method in {"random", "temporal"}:
        size = len(io.read_parquet(tmp_path / "clean", ["rating"]))
        assert [len(expected[name]) for name in PARTS[1:]] == pytest.approx([0.1 * size, 0.2 * size], abs=1)


@pytest.mark.parametrize("method", ["random", "cold_movies"])
def test_a_draw_depends_on_no_other_rating_but_by_rank(real: pd.DataFrame, method: Method) -> None:
    (table,), _ = clean(real, Workspace(), sample_fraction=1.0)
    fewer = table[table["user_id"] % 10 > 0].reset_index(drop=True)
    whole, part = (split_ratings(each, method, **SPLIT)["test"] for each in (table, fewer))
    stayed = part.merge(whole, on=["user_id", "movie_id"])
    assert len(stayed) > 0.9 * len(part)


def test_parts_hold_whole_users(real: pd.DataFrame) -> None:
    tables, _ = clean(real, Workspace(None, 9_000), sample_fraction=1.0)
    whole = pd.concat(tables, ignore_index=True)
    users = whole["user_id"].to_numpy()
    first = np.searchsorted(users, users)  # where each user begins
    expected = [part.reset_index(drop=True) for _, part in whole.groupby(first // 5_000)]
    for given in (tables, [whole], cut_parts([whole], 123)):
        found = list(cut_parts(given, 5_000))
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            pd.testing.assert_frame_equal(one, other)


def test_parts_of_a_user_with_many_ratings(monkeypatch: pytest.MonkeyPatch) -> None:
    table = pd.DataFrame({"user_id": [1, 2, 2, 2, 2, 2, 3, 4]})
    monkeypatch.setattr(parts, "PART_ROWS", 2)
    assert [part["user_id"].tolist() for part in cut_parts([table])] == [[1, 2, 2, 2, 2, 2], [3, 4]]
    split = [table[:0], table[:6], table[:0], table[6:]]
    assert [len(part) for part in cut_parts(split)] == [6, 2]
    assert list(cut_parts([table.iloc[:0]])) == []


def test_a_file_in_ten_pieces_is_the_file(
    mirror: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder_of: FolderOf
) -> None:
    with open_dataset(str(mirror / "ml-latest-small.zip")) as (folder, _):
        content = find_source(folder).ratings.path.read_text()
    lines = content.splitlines()
    lines[5] = lines[90_000] = "x,1,2"
    lines[1] = "7000000000000000000,1,4.0,5"
    folder = folder_of({"own.csv": ("\n".join(lines) + "\n\n\n").encode()})
    whole = read_ratings(folder)
    monkeypatch.setattr(scans, "PIECE_ROWS", 10_000)
    pieces = read_ratings(folder, scratch=tmp_path)
    assert len(list(pieces.pieces)) > 9
    assert len(list(tmp_path.iterdir())) > 9
    pd.testing.assert_frame_equal(pieces.table, whole.table)
    assert pieces.broken == whole.broken == {"unreadable": 2, "rating_not_finite": 0}
    assert pieces.broken_lines == whole.broken_lines == [6, 90_001]
    assert pieces.own_users is not None
    assert whole.own_users is not None
    assert pieces.own_users.equals(whole.own_users)


def test_a_tally_of_tables_is_that_of_all(real: pd.DataFrame) -> None:
    tables, _ = clean(real, Workspace(None, 9_000))
    tally = tally_ratings(tables)
    whole = pd.concat(tables)
    assert (tally.ratings, tally.users.tolist()) == (len(whole), sorted(set(whole["user_id"])))
    for column, counts in (("rating", tally.stars), ("movie_id", tally.movies)):
        expected = whole[column].value_counts().sort_index()
        assert (counts.distinct.tolist(), counts.numbers.tolist()) == (expected.index.tolist(), expected.tolist())
