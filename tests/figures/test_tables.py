import math
from pathlib import Path

import pytest

from movierec.errors import MovierecError
from movierec.figures.tables import read_table
from movierec.plot_tables import COLUMNS


def write(folder: Path, text: str, name: str = "evaluate_calibration") -> None:
    (folder / f"{name}.csv").write_text(text)


def test_columns_are_read_in_order_and_others_left_out(tmp_path: Path) -> None:
    write(tmp_path, "ratings,novelty,actual,model,predicted\n7,,3.500000,als,3.250000\n")
    table = read_table(tmp_path, "evaluate_calibration")
    assert list(table.columns) == ["model", "predicted", "actual", "ratings"]
    assert table.to_numpy().tolist() == [["als", 3.25, 3.5, 7]]


@pytest.mark.parametrize("name", ["NA", "null", "1e3", "007", ""])
def test_names_stay_as_they_are_written(tmp_path: Path, name: str) -> None:
    write(tmp_path, f"model,predicted,actual,ratings\n{name},1,1,1\n")
    assert read_table(tmp_path, "evaluate_calibration")["model"].tolist() == [name]


@pytest.mark.parametrize("name", COLUMNS)
def test_missing_file_says_what_to_do(tmp_path: Path, name: str) -> None:
    with pytest.raises(MovierecError, match=rf"{name}\.csv is missing: run `dvc repro`"):
        read_table(tmp_path, name)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is damaged .*No columns"),
        ("model,predicted,actual\nals,1,1\n", "is damaged .*ratings"),
        ("model,predicted,actual,ratings\n", "has no rows"),
        ("model,predicted,actual,ratings\nals,1,1,1\nals,,1,1\n", "column 'predicted' holds '' .* in row 2"),
        ("model,predicted,actual,ratings\nals,1,high,1\n", "column 'actual' holds 'high' instead of a number in row 1"),
        ("model,predicted,actual,ratings\nals,1,inf,1\n", "column 'actual' holds 'inf'"),
        ("model,predicted,actual,ratings\nals,1,nan,1\n", "column 'actual' holds 'nan'"),
        ('model,predicted,actual,ratings\n"als,1,1,1\n', "is damaged"),
    ],
)
def test_damaged_file_is_named_with_its_problem(tmp_path: Path, text: str, problem: str) -> None:
    write(tmp_path, text)
    with pytest.raises(MovierecError, match=problem):
        read_table(tmp_path, "evaluate_calibration")


def test_binary_file_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "train_als.csv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(MovierecError, match=r"train_als\.csv is damaged"):
        read_table(tmp_path, "train_als")


SETTINGS = "factors,iterations,regularization,alpha,relevance_threshold,content_weight"
ALS_TRIALS = f"configuration,{SETTINGS},validation_ndcg@10\n"


@pytest.mark.parametrize("others", ["", "b,1,1,1,1,4.0,0,1\n"])
def test_a_threshold_may_be_absent(tmp_path: Path, others: str) -> None:
    write(tmp_path, f"{ALS_TRIALS}a,1,1,1,1,,0,1\n{others}", "tune_als")
    table = read_table(tmp_path, "tune_als")
    assert table["relevance_threshold"].dtype == float
    assert math.isnan(table["relevance_threshold"][0])
    assert table["relevance_threshold"][1:].tolist() == [4.0] * bool(others)


@pytest.mark.parametrize("value", ["nan", "inf", "high"])
def test_a_threshold_is_a_number_or_absent(tmp_path: Path, value: str) -> None:
    write(tmp_path, f"{ALS_TRIALS}a,1,1,1,1,{value},0,1\n", "tune_als")
    with pytest.raises(MovierecError, match=f"column 'relevance_threshold' holds '{value}' instead of a number"):
        read_table(tmp_path, "tune_als")
