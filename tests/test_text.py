"""How text for people is laid out, and which name is suggested."""

from movierec.text import align_columns, find_nearest


def test_columns_align_and_short_rows_end_early() -> None:
    assert align_columns([["arm", "users", "mean"], ["a", "1,000"], ["treatment", "7", "0.5"]]).split("\n") == [
        "arm        users  mean",
        "a          1,000",
        "treatment      7   0.5",
    ]


def test_numbers_stay_as_they_are_written() -> None:
    assert align_columns([["001", "1e5"], ["2", "-0"]]) == "001  1e5\n2     -0"


def test_nearest_names_come_nearest_first() -> None:
    assert find_nearest("ndcg@1", ["rmse", "ndcg@10", "ndcg@5"], n=2) == "ndcg@10, ndcg@5"
    assert find_nearest("anything", []) == ""
