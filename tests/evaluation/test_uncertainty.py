"""Stated uncertainty held against errors: coverage, width, and error by stated deviation."""

import numpy as np
import pandas as pd
import pytest

from movierec.evaluation.stars import judge_stars
from movierec.evaluation.uncertainty import Uncertainty, tabulate_errors, tabulate_intervals
from movierec.models.bayes import Bayes
from movierec.models.bias import Bias
from tests.beds import random_bed

ACTUAL = np.array([1.0, 3.0, 5.0, 4.0])
STATED = Uncertainty(
    deviation=np.array([0.5, 1.0, 2.0, 1.0]),
    intervals={
        50: (np.array([2.0, 2.0, 2.0, 2.0]), np.array([4.0, 4.0, 4.0, 4.0])),  # holds 3 and 4
        95: (np.array([1.0, 1.0, 1.0, 1.0]), np.array([4.0, 4.0, 5.0, 5.0])),  # holds all, its ends included
    },
)


def test_coverage_and_width_by_hand() -> None:
    judged = STATED.judge(ACTUAL)
    assert judged == {
        "interval_coverage@50": 0.5,
        "interval_width@50": 2.0,
        "interval_coverage@95": 1.0,
        "interval_width@95": 3.5,
    }
    table = tabulate_intervals({"bias": {"rmse": 0.9}, "bayes": judged})
    assert table.to_numpy().tolist() == [["bayes", 0.5, 0.5, 2.0], ["bayes", 0.95, 1.0, 3.5]]


def test_errors_by_stated_deviation_by_hand() -> None:
    found = STATED.compare(np.array([1.5, 4.0, 2.0, 4.0]), ACTUAL)
    table = tabulate_errors({"bayes": found})  # as many groups as ratings, the surest first
    assert table.to_numpy().tolist() == [
        ["bayes", 1, 0.5, 0.5, 1],
        ["bayes", 2, 1.0, 1.0, 1],
        ["bayes", 3, 1.0, 0.0, 1],
        ["bayes", 4, 2.0, 3.0, 1],
    ]


def test_tables_without_any_statement_have_their_columns() -> None:
    assert list(tabulate_intervals({})) == ["model", "stated", "observed", "width"]
    assert list(tabulate_errors({})) == ["model", "decile", "stated", "observed", "ratings"]


def test_only_a_model_that_knows_its_uncertainty_is_judged_on_it() -> None:
    bed = random_bed()
    models = {"bayes": Bayes(factors=3, sweeps=12, burn_in=4, directions=4), "bias": Bias()}
    results = {name: judge_stars(model.fit(bed.train), bed) for name, model in models.items()}
    assert results["bias"].deviations is None
    assert "interval_coverage@80" not in results["bias"].overall
    found = results["bayes"].overall
    assert 0.6 < found["interval_coverage@80"] <= found["interval_coverage@95"] <= 1
    assert found["interval_width@50"] < found["interval_width@95"]
    assert results["bayes"].deviations
    assert results["bayes"].deviations.count.sum() == len(bed.test)


def test_the_moods_of_days_count_where_times_are_known() -> None:
    bed = random_bed()
    day = pd.Series(np.arange(len(bed.train)) // 7 * 86_400)
    moody = bed.train.reset_index(drop=True).assign(timestamp=day)
    model = Bayes(factors=3, sweeps=12, burn_in=4, directions=4).fit(moody)
    test = moody.head(20)
    pairs = test["user_id"], test["movie_id"]
    timed = model.predict(*pairs, test["timestamp"])
    assert not np.array_equal(timed, model.predict(*pairs))
    assert model.predict(*pairs, None) == pytest.approx(model.predict(*pairs))
