"""What is recorded of the sweeps: which ones, and their means."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from movierec.models.gibbs.posterior import FACTORS_OF_MEAN, PosteriorRecorder
from movierec.models.gibbs.setup import prepare_ratings, start_chain


def test_means_and_samples_of_four_sweeps(ratings: pd.DataFrame) -> None:
    noise, effects, spreads, precisions, users = [], [], [], [], []
    with ThreadPoolExecutor(2) as pool:
        chain = start_chain(prepare_ratings(ratings, None, by_day=True), 3, 4, 0, pool)
        recorder = PosteriorRecorder(chain, 4, 2)
        for _ in range(4):
            chain.draw_users()
            recorder.record_users()
            chain.draw_movies()
            recorder.record_movies()
            assert chain.days is not None
            noise.append(1 / chain.users.noise.weights)
            effects.append(chain.days.draws.mean.copy())
            spreads.append(1 / chain.days.precision)
            precisions.append(chain.precision)
            users.append(chain.users.drawn[:, :4].astype(np.float16))
        found = recorder.finish()
    np.testing.assert_allclose(found["user_noise"], np.mean(noise, axis=0), rtol=1e-5)
    np.testing.assert_allclose(found["day_effect"], np.mean(effects, axis=0), rtol=1e-4, atol=1e-6)
    assert found["day_spread"] == pytest.approx(np.mean(spreads))
    assert found["noise"] == pytest.approx(np.mean(1 / np.array(precisions)))
    assert found["precision"].tolist() == [precisions[1], precisions[3]]  # two of four: every second one
    rated = np.s_[:, :-1]  # the last row is for strangers
    np.testing.assert_array_equal(found["user_draws"][rated], np.array([users[1], users[3]])[rated])
    assert found["movie_mean"].shape == (len(found["movie_noise"]), 1 + FACTORS_OF_MEAN)


def test_no_more_samples_than_sweeps(ratings: pd.DataFrame) -> None:
    with ThreadPoolExecutor(1) as pool:
        chain = start_chain(prepare_ratings(ratings, None, by_day=False), 3, 0, 0, pool)
        recorder = PosteriorRecorder(chain, 2, 16)
        for _ in range(2):
            chain.draw_users()
            recorder.record_users()
            chain.draw_movies()
            recorder.record_movies()
        found = recorder.finish()
    assert len(found["user_draws"]) == 2
    assert (len(found["day"]), float(found["day_spread"])) == (0, 0.0)
    assert not [name for name in found if "bags" in name]
