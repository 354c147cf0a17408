"""The same content is the same bytes, and is read back as it was."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from movierec import io
from tests.sample_files import RATINGS, WRITERS, names_in

MOVIES = pd.DataFrame(
    {
        "movie_id": np.array([10, 20], dtype=np.int32),
        "title": pd.Series(["Misérables, Les", "Babylon 5"], dtype="str"),
        "year": pd.Series([1995, None], dtype="Int16"),
        "genres": pd.Series([["Drama", "War"], []], dtype="object"),
    },
)


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


def test_arrays_are_the_same_bytes_on_every_version_of_python(tmp_path: Path) -> None:
    arrays = {"ids": np.arange(3, dtype=np.int32), "mean": np.array(3.5), "name": np.array("als")}
    path = tmp_path / "model.npz"
    io.write_arrays(arrays, path)
    assert sha256(path.read_bytes()).hexdigest() == "0030eb0ba8dc1417c66e35bd8be6594e095e2475d9628a104c99acd17c7ec4d3"
    with np.load(path, allow_pickle=False) as stored:
        assert {name: array.tolist() for name, array in stored.items()} == {
            "ids": [0, 1, 2],
            "mean": 3.5,
            "name": "als",
        }
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        io.write_arrays({"ids": np.array([{}], dtype=object)}, path)
    assert np.load(path)["mean"] == 3.5


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
