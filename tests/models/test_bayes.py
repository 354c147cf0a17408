"""The Bayesian factorisation on real ratings: accuracy, honesty, and the same bytes on any machine."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from movierec.columns import MOVIE_ID, RATING, TIMESTAMP, USER_ID
from movierec.metrics.rating import rmse
from movierec.metrics.uncertainty import interval_coverage, tabulate_deviations
from movierec.models.bayes import Bayes
from movierec.models.gibbs.run import SweepResult
from tests.models.conftest import make_ratings, split_ninety_ten

TINY = {"factors": 5, "sweeps": 12, "burn_in": 4, "directions": 6}


@pytest.fixture(scope="module")
def parts(ml_100k: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    return split_ninety_ten(ml_100k)


@pytest.fixture(scope="module")
def model(parts: tuple[pd.DataFrame, pd.DataFrame]) -> Bayes:
    return Bayes(sweeps=60).fit(*parts)


def test_accuracy_on_real_ratings(model: Bayes, parts: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    test = parts[1]
    pairs = test[USER_ID], test[MOVIE_ID]
    assert rmse(test[RATING], model.predict(*pairs, test[TIMESTAMP])) < 0.862
    assert rmse(test[RATING], model.predict(*pairs)) < 0.875
    assert model.history[-1].validation_rmse == pytest.approx(
        rmse(test[RATING], model.predict(*pairs, test[TIMESTAMP])), abs=0.002
    )  # fewer factors and half precision lose next to nothing


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.95])
def test_intervals_cover_real_ratings_as_stated(
    model: Bayes, parts: tuple[pd.DataFrame, pd.DataFrame], coverage: float
) -> None:
    test = parts[1]
    ends = model.predict_interval(test[USER_ID], test[MOVIE_ID], coverage, test[TIMESTAMP])
    assert interval_coverage(test[RATING], *ends) == pytest.approx(coverage, abs=0.015)


def test_errors_grow_with_the_stated_deviation(model: Bayes, parts: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    test = parts[1]
    pairs = test[USER_ID], test[MOVIE_ID], test[TIMESTAMP]
    table = tabulate_deviations(test[RATING], model.predict(*pairs), model.predict_deviation(*pairs))
    np.testing.assert_allclose(table.observed, table.stated, rtol=0.15)
    assert table.observed[-1] > 1.5 * table.observed[0]


def test_intervals_cover_ratings_that_the_model_itself_made() -> None:
    rng = np.random.default_rng(0)
    pair = rng.choice(200 * 100, 8000, replace=False)
    users, movies = rng.normal(0, 0.7, (200, 3)), rng.normal(0, 0.7, (100, 3))
    stars = 10 + (users[pair // 100] * movies[pair % 100]).sum(axis=1) + rng.normal(0, 0.5, 8000)
    table = pd.DataFrame({USER_ID: pair // 100, MOVIE_ID: pair % 100, RATING: stars})
    train, test = table[:6000], table[6000:]
    fitted = Bayes(factors=3, sweeps=150, burn_in=50, directions=0).fit(train)
    for coverage in (0.5, 0.8, 0.95):
        ends = fitted.predict_interval(test[USER_ID], test[MOVIE_ID], coverage)
        assert interval_coverage(test[RATING], *ends) == pytest.approx(coverage, abs=0.035)


def test_history_reports_each_sweep_and_validation_teaches_nothing(ratings: pd.DataFrame) -> None:
    seen: list[SweepResult] = []
    watched = Bayes(**TINY).fit(ratings.iloc[::2], ratings.iloc[1::2], on_sweep=seen.append)  # type: ignore[arg-type]
    assert seen == watched.history
    assert [result.sweep for result in seen] == list(range(1, 13))
    unwatched = Bayes(**TINY).fit(ratings.iloc[::2])  # type: ignore[arg-type]
    np.testing.assert_array_equal(watched.user_mean, unwatched.user_mean)
    assert unwatched.history[-1].validation_rmse is None


def test_order_of_ratings_and_threads_change_no_bit(ratings: pd.DataFrame) -> None:
    ids = np.unique(ratings[MOVIE_ID])
    about = pd.DataFrame({MOVIE_ID: ids, "year": 1950 + ids % 60, "genres": [["Drama", "War"][: i % 3] for i in ids]})
    one = Bayes(**TINY).fit(ratings, movies=about, threads=1)  # type: ignore[arg-type]
    other = Bayes(**TINY).fit(ratings[::-1], movies=about, threads=3)  # type: ignore[arg-type]
    for name, array in one._arrays().items():
        np.testing.assert_array_equal(array, getattr(other, name), err_msg=name)


FIT = """
import hashlib, sys, pathlib
from movierec.models.bayes import Bayes
from tests.models.conftest import make_ratings
path = pathlib.Path(sys.argv[1])
Bayes(factors=5, sweeps=12, burn_in=4, directions=6).fit(make_ratings(0, 300, 200, 20_000)).save(path)
print(hashlib.sha256(path.read_bytes()).hexdigest())
"""


def test_the_environment_changes_no_byte(tmp_path: Path) -> None:
    digests = set()
    for name, settings in (("one", {"NUMBA_NUM_THREADS": "1", "OPENBLAS_CORETYPE": "Sandybridge"}), ("two", {})):
        path = tmp_path / f"{name}.npz"
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("OPENBLAS", "NUMBA_CPU"))}
        command = [sys.executable, "-c", FIT, str(path)]
        done = subprocess.run(command, env=inherited | settings, capture_output=True, text=True, check=True)
        digests.add(done.stdout)
    Bayes(**TINY).fit(make_ratings(0, 300, 200, 20_000), threads=3).save(tmp_path / "three.npz")  # type: ignore[arg-type]
    assert len(digests) == 1
    assert (tmp_path / "three.npz").read_bytes() == (tmp_path / "one.npz").read_bytes()


def test_what_is_left_open_is_chosen_by_the_number_of_ratings() -> None:
    sizes = [1, 1_000_000, 2_450_000, 17_500_000]
    assert [Bayes().plan(ratings) for ratings in sizes] == [(31, 120), (31, 120), (15, 64), (15, 40)]
    assert Bayes(factors=7, sweeps=30).plan(10**9) == (7, 30)


def test_too_few_sweeps_or_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="at least two sweeps after the burn-in"):
        Bayes(sweeps=21, burn_in=20)
    with pytest.raises(ValueError, match="at least two samples"):
        Bayes(samples=1)
