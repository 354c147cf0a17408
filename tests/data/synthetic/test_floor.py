"""The noise floor is what the best predictor would reach, and nothing goes below it."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy import integrate, special
from scipy.stats import norm

from movierec.data import synthetic
from movierec.data.synthetic import PRESETS
from tests.data.synthetic.generated import NOISE, STARS, Made, make


def share_of_stars(mean: float, noise: float) -> list[float]:
    """Return the probability of 0.5, 1, ..., 5 stars by integrating the density, without a distribution function."""
    edges = [mean - 12 * noise, *(STARS[:-1] + 0.25), mean + 12 * noise]
    bounds = [(max(low, edges[0]), min(high, edges[-1])) for low, high in pairwise(edges)]
    density = norm(mean, noise).pdf
    return [integrate.quad(density, low, high, points=[min(max(mean, low), high)])[0] if low < high else 0.0
            for low, high in bounds]  # fmt: skip


def moments(mean: np.ndarray, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean and variance of each rating given its true mean, exactly."""
    edges = np.concatenate(([-np.inf], STARS[:-1] + 0.25, [np.inf]))
    share = np.diff(special.ndtr((edges - mean[:, None]) / noise), axis=1)
    return share @ STARS, share @ STARS**2 - (share @ STARS) ** 2


@pytest.mark.parametrize("noise", [0.01, 0.1, 0.8, 3.0])
def test_floor_is_the_mean_of_the_conditional_variances(noise: float, tmp_path: Path) -> None:
    made = make(tmp_path / "made", PRESETS["tiny"], seed=5, noise=noise)
    expected, variance = moments(made.mean, noise)
    assert made.floor.rmse == pytest.approx(variance.mean() ** 0.5, rel=2e-3 if noise < 0.1 else 1e-5)
    residual = made.ratings["rating"].to_numpy(dtype=float) - expected
    assert made.floor.realised_rmse == pytest.approx((residual**2).mean() ** 0.5, rel=2e-3 if noise < 0.1 else 1e-5)


@pytest.mark.parametrize("mean", [-0.4, 0.5, 2.9, 3.25, 4.95, 6.1])
def test_conditional_variance_by_integration(mean: float) -> None:
    share = share_of_stars(mean, NOISE)
    assert sum(share) == pytest.approx(1, abs=1e-9)
    expected = sum(p * star for p, star in zip(share, STARS, strict=True))
    variance = sum(p * (star - expected) ** 2 for p, star in zip(share, STARS, strict=True))
    exact = moments(np.array([mean]), NOISE)
    assert exact[0][0] == pytest.approx(expected, abs=1e-7)
    assert exact[1][0] == pytest.approx(variance, abs=1e-7)
    # a second rating, far away, gives the generator's grid its other end
    means, ratings = np.array([mean, mean + 4]), np.array([1.0, 4.5])
    floor = synthetic._noise_floor(means, ratings, NOISE)
    assert floor.rmse**2 == pytest.approx(moments(means, NOISE)[1].mean(), abs=1e-6)


def test_floor_is_what_the_drawn_ratings_show(made: Made) -> None:
    expected, variance = moments(made.mean, NOISE)
    excess = (made.ratings["rating"].to_numpy(dtype=float) - expected) ** 2 - variance  # of mean zero
    realised = made.floor.realised_rmse**2 - made.floor.rmse**2
    assert realised == pytest.approx(excess.mean(), abs=1e-5)
    assert abs(realised) < 4 * excess.std() / len(excess) ** 0.5


def test_nothing_beats_knowing_the_truth(small: Made) -> None:
    actual = small.ratings["rating"].to_numpy(dtype=float)
    expected, _ = moments(small.mean, NOISE)

    def rmse(predicted: np.ndarray | float) -> float:
        return float(np.sqrt(np.mean((actual - predicted) ** 2)))

    by_movie = small.ratings.groupby("movie_id")["rating"].transform("mean").to_numpy(dtype=float)
    by_user = small.ratings.groupby("user_id")["rating"].transform("mean").to_numpy(dtype=float)
    rivals = {
        "the mean, fitted to these ratings": rmse(actual.mean()),
        "movie means, fitted to these ratings": rmse(by_movie),
        "user and movie means, fitted to these ratings": rmse(by_movie + by_user - actual.mean()),
        "the unrounded mean": rmse(small.mean),
        "the truth, shifted": rmse(expected + 0.03),
        "the truth, exaggerated": rmse(3 + 1.05 * (expected - 3)),
        "the truth, rounded": rmse(np.round(expected * 2) / 2),
    }
    assert {name: score for name, score in rivals.items() if score <= small.floor.realised_rmse} == {}
    # there is much to learn beyond the users' and movies' means
    assert rivals["user and movie means, fitted to these ratings"] > small.floor.realised_rmse + 0.05


def test_more_noise_higher_floor(tmp_path: Path) -> None:
    floors = [make(tmp_path / str(noise), PRESETS["tiny"], 1, noise).floor.rmse for noise in (0.05, 0.3, 0.8, 2.0)]
    assert floors == sorted(floors)
    # rounding to half stars alone adds up to 0.25 ** 2; noise of 0.8 is lessened by the ends of the scale
    assert floors[0] < 0.25
    assert 0.7 < floors[2] < 0.83
