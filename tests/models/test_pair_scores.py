"""Scores of pairs by hand, and their spread over draws."""

from functools import partial

import numpy as np
import pytest

from movierec.models.pair_scores import map_pairs, measure_draws, score_pairs

USERS = np.array([[0.5, 1, 2], [0, 3, -1]], dtype=np.float32)
MOVIES = np.array([[1.0, 2, 0], [-1, 1, 1], [0, 0, 4]], dtype=np.float32)


def test_scores_by_hand() -> None:
    found = score_pairs(np.array([0, 1, 0]), np.array([0, 1, 2]), USERS, MOVIES)
    assert found.tolist() == [0.5 + 1 + 2, 0 - 1 + 3 - 1, 0.5 + 0 + 8]


@pytest.mark.parametrize("pairs", [1, 40])  # few pairs and many take different ways
def test_mean_and_variance_over_draws(pairs: int) -> None:
    rng = np.random.default_rng(0)
    users, movies = rng.normal(size=(5, 7, 4)).astype(np.float16), rng.normal(size=(5, 9, 4)).astype(np.float16)
    user, movie = rng.integers(7, size=pairs), rng.integers(9, size=pairs)
    mean, variance = measure_draws(user, movie, users, movies)
    scores = [score_pairs(user, movie, *(side[n].astype(np.float32) for side in (users, movies))) for n in range(5)]
    np.testing.assert_allclose(mean, np.mean(scores, axis=0), atol=1e-12)
    np.testing.assert_allclose(variance, np.var(scores, axis=0, ddof=1), atol=1e-12)


def test_draws_that_agree_have_no_variance() -> None:
    halves = [np.stack([side, side]).astype(np.float16) for side in (USERS, MOVIES)]
    mean, variance = measure_draws(np.array([1]), np.array([2]), *halves)
    assert (mean.tolist(), variance.tolist()) == ([-4.0], [0.0])


@pytest.mark.parametrize("pairs", [0, 1, 2, 101])
def test_threads_change_nothing(pairs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    user, movie = rng.integers(2, size=pairs), rng.integers(3, size=pairs)
    expected = score_pairs(user, movie, USERS, MOVIES)
    monkeypatch.setattr("movierec.models.pair_scores.MANY", 0)
    monkeypatch.setattr("movierec.models.pair_scores.available_cores", lambda: 3)
    found = map_pairs(partial(score_pairs, users=USERS, movies=MOVIES), user, movie)
    np.testing.assert_array_equal(found, expected)
