"""`movierec abtest assign`, typed: what it prints, its JSON, and one line for every mistake."""

import pytest

from movierec.abtest.assignment import Experiment
from tests.commands.abtest.typed import Run, parse, refuse


def test_assign_says_what_the_library_says(run: Run) -> None:
    words = ("assign", "--experiment", "als-against-popularity", "--user", "42", "--user", "Zoë")
    lines = [line.split() for line in run(*words).splitlines()]
    plan = Experiment("als-against-popularity", {"control": 1, "treatment": 1})
    assert lines[0] == ["user", "bucket", "arm"]
    assert [(line[0], line[2]) for line in lines[1:]] == [("42", plan.assign(42)), ("Zoë", plan.assign("Zoë"))]


def test_assign_with_growthbooks_vectors_as_json(run: Run) -> None:
    found = parse(run("assign", "--experiment", "seed", "--user", "a", "--user", "b", "--json"))
    assert found["shares"] == {"control": 0.5, "treatment": 0.5}
    assert [(user["user"], user["bucket"]) for user in found["users"]] == [("a", 505), ("b", 2696)]


def test_assign_takes_arms_weights_and_coverage(run: Run) -> None:
    words = ("assign", "--experiment", "seed", "--arms", "x, y,z", "--weights", "4,5,91", "--user", "a", "--user", "b")
    found = parse(run(*words, "--json"))
    assert found["shares"] == pytest.approx({"x": 0.04, "y": 0.05, "z": 0.91})
    assert [user["arm"] for user in found["users"]] == ["y", "z"]  # buckets 505 and 2696
    # at coverage 0.1 y owns buckets 400 to 449, z 900 to 1809: neither 505 nor 2696
    assert [user["arm"] for user in parse(run(*words, "--coverage", "0.1", "--json"))["users"]] == [None, None]
    assert run(*words, "--coverage", "0.1").count("not in the experiment") == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--arms", "a"), "experiment 'e' has 1 arm(s): name at least two"),
        (("--arms", "a,a"), "--arms is 'a,a': give different names, separated by commas"),
        (("--weights", "1"), "--weights is '1': give 2 numbers, separated by commas"),
        (("--weights", "1,x"), "--weights is '1,x': give 2 numbers"),
        (("--weights", "1,-1"), "arm 'treatment' has weight -1.0: weights must be positive"),
        (("--weights", "1,nan"), "arm 'treatment' has weight nan"),
        (("--coverage", "2"), "coverage is 2.0: it must be between 0 and 1"),
    ],
)
def test_assign_refuses_in_one_line(monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], message: str) -> None:
    assert message in refuse(monkeypatch, "assign", "--experiment", "e", "--user", "1", *words)
