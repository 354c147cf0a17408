"""Reading outcomes: what is accepted, and one clear line for all that is not."""

from pathlib import Path

import pytest

from movierec.abtest.outcomes import Outcomes, read_outcomes
from movierec.errors import MovierecError

HEADER = "user_id,arm,outcome\n"


def _read(folder: Path, text: str | bytes, *metrics: str) -> Outcomes:
    path = folder / "outcomes.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_outcomes(path, metrics)


@pytest.mark.parametrize(
    "text",
    [
        HEADER + "1,control,0.5\n2,treatment,1e-3\n",
        HEADER + "1,control,0.5\n2,treatment,1e-3",
        (HEADER + "1,control,0.5\n2,treatment,1e-3\n").replace("\n", "\r\n"),
        "\ufeff" + HEADER + "1,control,0.5\n2,treatment,1e-3\n",
        "user_id, arm ,outcome\n 1, control, 0.5\n2,treatment , 1e-3\n",
        HEADER + '"1","control","0.5"\n\n"2","treatment","1e-3"\n\n',
        "outcome,arm,user_id\n0.5,control,1\n1e-3,treatment,2\n",
    ],
    ids=["plain", "no last line end", "windows", "byte-order mark", "spaces", "quotes and blank lines", "other order"],
)
def test_a_file_is_read_however_it_is_written(tmp_path: Path, text: str) -> None:
    found = _read(tmp_path, text)
    assert found.metrics == ("outcome",)
    assert found.table.columns == ["user_id", "arm", "outcome"]
    assert found.table.rows() == [("1", "control", 0.5), ("2", "treatment", 0.001)]


def test_ids_are_text(tmp_path: Path) -> None:
    assert _read(tmp_path, HEADER + "007,a,1\n7,b,2\nZoë,b,3\n").table["user_id"].to_list() == ["007", "7", "Zoë"]


def test_arms_are_observed_with_covariate_and_secondary_metrics(tmp_path: Path) -> None:
    found = _read(tmp_path, "clicks,user_id,covariate,arm,sales\n1,a,0.1,new,5\n2,b,0.2,old,6\n3,c,0.3,new,7\n")
    assert found.metrics == ("clicks", "sales")
    new = found.observe("new")
    assert new.outcomes.tolist() == [1, 3]
    assert new.covariate is not None
    assert new.covariate.tolist() == [0.1, 0.3]
    assert {name: values.tolist() for name, values in new.secondary.items()} == {"sales": [5, 7]}


def test_named_metrics_alone_are_read_in_their_order(tmp_path: Path) -> None:
    text = "user_id,arm,clicks,country,sales\n1,a,1,NL,\n2,b,2,BE,x\n"
    assert _read(tmp_path, text, "clicks", "clicks").table.columns == ["user_id", "arm", "clicks"]
    assert _read(tmp_path, text, "clicks").observe("a").covariate is None
    assert _read(tmp_path, "user_id,arm,b,a\n1,a,1,2\n2,b,3,4\n", "a", "b").metrics == ("a", "b")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        (HEADER, "has a header and no rows"),
        ("user_id,outcome\n1,2\n", "has no column 'arm': it has 'user_id', 'outcome'"),
        (HEADER.replace(",", ";") + "1;a;2\n", "has no column 'user_id': it has 'user_id;arm;outcome'"),
        ("user_id,arm,covariate\n1,a,2\n", "has no column of outcomes beside 'user_id', 'arm', 'covariate'"),
        ("user_id,arm,x,x\n1,a,1,2\n", "has column 'x' twice: leave one out"),
        ("user_id,arm,x, x\n1,a,1,2\n", "has column 'x' twice: leave one out"),
        ("user_id,arm,x,\n1,a,1,\n", "has a column without a name"),
        (HEADER + "1,a,1\n,a,1\n", "line 3: 'user_id' is empty"),
        (HEADER + "1,a,1\n\n2, ,1\n", "line 4: 'arm' is empty"),
        (HEADER + "1,a\n", "line 2: 'outcome' is empty: drop such users, or the column"),
        (HEADER + "1,a,1,2\n", r"cannot be parsed \(found more fields than defined"),
        (HEADER + '1,"a,1\n', "cannot be parsed"),
        (HEADER + "1,a,1\n2,b,yes\n", "line 3: 'outcome' is 'yes', which is no usable number"),
        (HEADER + '1,a,"1,5"\n', "line 2: 'outcome' is '1,5', which is no usable number"),
        (HEADER + "1,a,nan\n", "line 2: 'outcome' is 'nan', which is no usable number"),
        (HEADER + "1,a,1\n2,a,-inf\n", "line 3: 'outcome' is '-inf', which is no usable number"),
        (HEADER + "1,a,1e101\n", "line 2: 'outcome' is '1e101', which is no usable number"),
        ("user_id,arm,x,covariate\n1,a,1,?\n", r"line 2: 'covariate' is '\?', which is no usable number"),
        (HEADER + "1,a,1\n2,a,1\n2,b,1\n", "line 3: user '2' has several rows: give each user one row, and one arm"),
        (b"user_id,arm,outcome\n1,\xff,1\n", r"cannot be parsed \(invalid utf-8"),
        (bytes(range(256)), "cannot be parsed"),
    ],
)
def test_what_cannot_be_analysed_is_refused_in_one_line(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(MovierecError, match=message) as caught:
        _read(tmp_path, text)
    assert "outcomes.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_named_metric_must_be_a_column_of_numbers(tmp_path: Path) -> None:
    with pytest.raises(MovierecError, match="has no column 'sales': it has 'user_id', 'arm', 'outcome'"):
        _read(tmp_path, HEADER + "1,a,1\n", "sales")
    with pytest.raises(MovierecError, match="has no column of outcomes beside"):
        _read(tmp_path, HEADER + "1,a,1\n", "arm")


def test_no_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MovierecError, match=r"none\.csv is not there: name a CSV file"):
        read_outcomes(tmp_path / "none.csv")
    with pytest.raises(MovierecError, match="is a folder: name a CSV file"):
        read_outcomes(tmp_path)


def _arms(folder: Path, *arms: str) -> Outcomes:
    return _read(folder, HEADER + "".join(f"{user},{arm},1\n" for user, arm in enumerate(arms)))


@pytest.mark.parametrize(
    ("arms", "control", "treatment", "expected"),
    [
        (("treatment", "control"), None, None, ("control", "treatment")),
        (("new", "control"), None, None, ("control", "new")),
        (("other", "treatment", "control"), None, None, ("control", "treatment")),
        (("a", "b"), "b", None, ("b", "a")),
        (("a", "b"), None, "b", ("a", "b")),
        (("a", "b", "c"), "c", "a", ("c", "a")),
        (("control", "treatment"), "treatment", None, ("treatment", "control")),
    ],
)
def test_arms_are_chosen_where_it_is_clear(
    tmp_path: Path, arms: tuple[str, ...], control: str | None, treatment: str | None, expected: tuple[str, str]
) -> None:
    assert _arms(tmp_path, *arms).choose_arms(control, treatment) == expected


@pytest.mark.parametrize(
    ("arms", "control", "treatment", "message"),
    [
        (("a", "b"), None, None, "the arms are 'a', 'b': say which one is the control"),
        (("control", "a", "b"), None, None, "the arms are 'a', 'b': say which one is the treatment"),
        (("a", "b"), "c", None, "there is no arm 'c' to be the control: the arms are 'a', 'b'"),
        (("a", "b"), "a", "c", "there is no arm 'c' to be the treatment"),
        (("a", "b"), "a", "a", "both arms are called 'a': name two"),
        (("a", "a"), "a", None, "column 'arm' holds 'a' only: two arms are needed"),
        (tuple("abcdefgh"), None, None, "the arms are 'a', 'b', 'c', 'd', 'e' and 3 more: say which one"),
    ],
)
def test_arms_that_are_not_clear_are_asked_for(
    tmp_path: Path, arms: tuple[str, ...], control: str | None, treatment: str | None, message: str
) -> None:
    with pytest.raises(MovierecError, match=message):
        _arms(tmp_path, *arms).choose_arms(control, treatment)
