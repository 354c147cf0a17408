"""The learning curve and the run: the curve is the error of the running mean, and the report sees each sweep."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd

from movierec.models.gibbs.chain import Chain
from movierec.models.gibbs.run import HeldOut, SweepCurve, SweepResult, sample_posterior
from movierec.models.gibbs.setup import prepare_ratings, start_chain
from movierec.models.pair_scores import score_pairs


def start(ratings: pd.DataFrame, pool: ThreadPoolExecutor) -> Chain:
    return start_chain(prepare_ratings(ratings, None, by_day=True), 3, 4, 0, pool)


def test_curve_is_the_error_of_the_mean_of_conditional_means(ratings: pd.DataFrame) -> None:
    rows = np.array([0, 1, 2], dtype=np.int32)
    held_out = HeldOut(rows, rows, np.array([0, -1, -1], dtype=np.int32), np.array([1.0, 5.0, 3.0]))
    scores, errors, expected = [], [], []
    with ThreadPoolExecutor(1) as pool:
        chain = start(ratings, pool)
        curve = SweepCurve(chain, held_out, 3.0, np.array([1.0, 5.0]))
        for sweep in range(4):
            chain.draw_users()
            curve.add_users()
            half = score_pairs(rows, rows, chain.users.mean, chain.movies.drawn)
            chain.draw_movies()
            errors.append(curve.add_movies(forget=sweep < 2))
            score = (half + score_pairs(rows, rows, chain.users.drawn, chain.movies.mean)) / 2
            assert chain.days is not None
            score[0] += chain.days.draws.mean[0]
            scores.append(score)
            mean = np.mean(scores[min(sweep, 1) :], axis=0)  # the first is forgotten
            expected.append(np.sqrt(np.mean((np.clip(3 + mean, 1, 5) - held_out.stars) ** 2)))
    np.testing.assert_allclose(errors, expected)


def test_every_sweep_is_reported_and_kept_ones_are_recorded(ratings: pd.DataFrame) -> None:
    reports: list[SweepResult] = []
    with ThreadPoolExecutor(1) as pool:
        found = sample_posterior(start(ratings, pool), None, 7, 3, 2, reports.append)
    assert reports == [SweepResult(sweep, None) for sweep in range(1, 8)]
    assert len(found["user_draws"]) == 2
