import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, special
from scipy.stats import norm

from movierec.data import movie_choice, synthetic
from movierec.data.clean import clean_ratings
from movierec.data.readers import read_movies, read_ratings
from movierec.data.synthetic import PRESETS, NoiseFloor, Shape, write_synthetic
from movierec.data.titles import GENRES
from movierec.seeds import rng

NOISE = 0.8
STARS = np.arange(1, 11) / 2


@dataclass(frozen=True)
class Made:
    """A generated data set as the next stage sees it, with the truth behind it."""

    shape: Shape
    folder: Path
    floor: NoiseFloor
    ratings: pd.DataFrame  # with the release year and genres of the movie, in the order of the file
    movies: pd.DataFrame
    mean: np.ndarray  # of each rating, before noise and rounding


def make(folder: Path, shape: Shape, seed: int, noise: float = NOISE) -> Made:
    folder.mkdir()
    means: list[np.ndarray] = []
    compute = synthetic._mean_ratings

    def remember(*world: Any) -> np.ndarray:
        means.append(compute(*world))
        return means[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(synthetic, "_mean_ratings", remember)
        floor = write_synthetic(folder, shape, noise, seed)
    raw, movies = read_ratings(folder), read_movies(folder)
    assert sum(raw.broken.values()) == 0
    ratings = raw.table.merge(movies, on="movie_id", how="left", validate="many_to_one")
    return Made(shape, folder, floor, ratings, movies, means[0])


@pytest.fixture(scope="session", params=["tiny", "small"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(tmp_path_factory.mktemp("made") / request.param, PRESETS[request.param], seed=42)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(tmp_path_factory.mktemp("made") / "small", PRESETS["small"], seed=7)


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


# --- shape ---


def test_counts_are_exact(made: Made) -> None:
    assert len(made.ratings) == made.shape.ratings
    assert made.ratings["user_id"].unique().tolist() == list(range(1, made.shape.users + 1))
    assert made.movies["movie_id"].tolist() == list(range(1, made.shape.movies + 1))
    assert not made.ratings["title"].isna().any()


def test_every_user_has_20_ratings_of_different_movies(made: Made) -> None:
    assert made.ratings["user_id"].value_counts().min() >= 20
    assert not made.ratings.duplicated(["user_id", "movie_id"]).any()


def test_ratings_are_half_stars(made: Made) -> None:
    assert sorted(made.ratings["rating"].unique()) == STARS.tolist()


def test_nobody_rates_a_movie_before_its_year(made: Made) -> None:
    rated = made.ratings["timestamp"].to_numpy().astype("datetime64[s]").astype("datetime64[Y]").astype(int) + 1970
    assert (made.ratings["year"] <= rated).all()
    assert (rated.min(), made.movies["year"].max()) >= (1996, 2000)


@pytest.mark.parametrize("seed", range(25))
def test_nobody_rates_too_early_where_movies_are_scarce(seed: int, tmp_path: Path) -> None:
    # the busiest users rate two fifths of the movies, and fewer than that may have been out when they joined
    table = make(tmp_path / "scarce", Shape(1_200, 50, 96), seed).ratings
    rated = table["timestamp"].to_numpy().astype("datetime64[s]").astype("datetime64[Y]").astype(int) + 1970
    assert (table["year"] <= rated).all()


def test_a_users_ratings_come_one_after_the_other(made: Made) -> None:
    assert made.ratings.groupby("user_id")["timestamp"].apply(lambda times: times.is_monotonic_increasing).all()
    in_2020 = pd.Timestamp("2020-01-02").timestamp()
    assert made.ratings["timestamp"].between(pd.Timestamp("1996-01-01").timestamp(), in_2020).all()


def test_activity_and_popularity_have_long_tails(small: Made) -> None:
    by_movie = small.ratings["movie_id"].value_counts().to_numpy()
    by_user = small.ratings["user_id"].value_counts().to_numpy()
    # evenly spread, a tenth would hold a tenth
    assert by_movie[: small.shape.movies // 10].sum() > 0.3 * small.shape.ratings
    assert by_user[: small.shape.users // 10].sum() > 0.3 * small.shape.ratings


def test_users_choose_what_they_like(small: Made) -> None:
    # 3.0 stars would be the mean over all pairs
    assert 3.15 < small.ratings["rating"].mean() < 3.6
    assert small.mean.mean() == pytest.approx(small.ratings["rating"].mean(), abs=0.05)


def test_movies_have_genres_and_years(made: Made) -> None:
    assert set(made.movies["genres"].map(len)) == {1, 2, 3}
    assert set(made.movies["genres"].explode()) <= set(GENRES)
    assert made.movies["genres"].map(lambda genres: len(set(genres)) == len(genres)).all()
    assert made.movies["year"].between(1915, 2019).all()
    assert made.movies["title"].is_unique


def test_the_next_stage_reads_it_whole(made: Made) -> None:
    names = ("ratings.csv", "movies.csv")
    headers = [(made.folder / name).read_text(encoding="utf-8").partition("\n")[0] for name in names]
    assert headers == ["userId,movieId,rating,timestamp", "movieId,title,genres"]
    assert {path.name for path in made.folder.iterdir()} == set(names)
    limits: dict[str, Any] = {
        "sample_fraction": 1.0,
        "min_user_ratings": 20,
        "min_movie_ratings": 1,
        "max_bad_fraction": 0.0,
    }
    ratings, report = clean_ratings(read_ratings(made.folder), **limits, iterate=True, rng=rng(0, "clean", "sample"))
    assert len(ratings) == report.rows_in == made.shape.ratings


@pytest.mark.parametrize(
    "shape",
    [
        Shape(20, 1, 80),  # one user
        Shape(2_000, 100, 80),  # 20 ratings each
        Shape(2_000, 20, 400),  # a quarter of all pairs
        Shape(20_000, 200, 400),
        Shape(2_001, 100, 2_000),
    ],
)
def test_any_shape_within_the_limits_can_be_made(shape: Shape, tmp_path: Path) -> None:
    made = make(tmp_path / "made", shape, seed=3)
    counts = made.ratings["user_id"].value_counts()
    assert (len(made.ratings), len(counts), len(made.movies)) == (shape.ratings, shape.users, shape.movies)
    assert counts.min() >= 20
    assert counts.max() <= max(shape.movies * 2 // 5, shape.ratings // shape.users + 1)
    assert not made.ratings.duplicated(["user_id", "movie_id"]).any()


@pytest.mark.parametrize(
    "shape",
    [
        Shape(19, 1, 1_000),
        Shape(1_999, 100, 1_000),
        Shape(20, 1, 79),
        Shape(2_001, 20, 400),
        Shape(0, 0, 0),
        Shape(0, 0, 100),
        Shape(100, 0, 100),
        Shape(-20, -1, -100),
        Shape(100, 5, 0),
    ],
)
def test_refuses_a_shape_beyond_the_limits(shape: Shape, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"cannot be made: 20 ratings a user at least, a quarter of all pairs at most"):
        write_synthetic(tmp_path, shape, NOISE, 1)
    assert list(tmp_path.iterdir()) == []


# --- the noise floor ---


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


# --- the same bytes ---


def digests(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    first, again, other = (
        make(tmp_path / name, PRESETS["tiny"], seed) for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert digests(first.folder) == digests(again.folder)
    assert first.floor == again.floor
    for name in ("ratings.csv", "movies.csv"):
        assert digests(first.folder)[name] != digests(other.folder)[name]


def test_blocks_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = make(tmp_path / "whole", PRESETS["tiny"], 1)
    monkeypatch.setattr(movie_choice, "BLOCK_CELLS", 1)
    assert digests(make(tmp_path / "single", PRESETS["tiny"], 1).folder) == digests(whole.folder)


def test_noise_changes_the_ratings_and_nothing_else(tmp_path: Path) -> None:
    calm, wild = (make(tmp_path / str(noise), PRESETS["tiny"], 1, noise).ratings for noise in (0.1, 2.0))
    pd.testing.assert_frame_equal(calm.drop(columns="rating"), wild.drop(columns="rating"))
    assert (calm["rating"] != wild["rating"]).mean() > 0.5


FINGERPRINT = """
import sys
sys.path.insert(0, sys.argv[1])
import movierec
import hashlib, json
from pathlib import Path
from typing import Any
import numpy as np
from movierec.data.synthetic import Shape, write_synthetic

floor = write_synthetic(Path("."), Shape(2_000, 60, 200), 0.8, 3)
content = {path.name: path.read_bytes() for path in Path(".").iterdir()}
draw = np.random.default_rng(0).normal(size=(300, 300))
for kind in (np.float32, np.float64):  # what the generator is made of, whose last bits its ratings round away
    content[f"product {kind.__name__}"] = (draw.astype(kind) @ draw.astype(kind)).tobytes()
    content[f"exp and log {kind.__name__}"] = np.log1p(np.exp(draw.astype(kind))).tobytes()
print(json.dumps([repr(floor), {name: hashlib.sha256(each).hexdigest() for name, each in content.items()}]))
"""
MACHINES: dict[str, Mapping[str, str]] = {
    "unset": {},
    "old": {"OPENBLAS_CORETYPE": "Prescott", "OPENBLAS_NUM_THREADS": "2", "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4"},
    "new": {"OPENBLAS_CORETYPE": "SkylakeX", "OMP_NUM_THREADS": "2", "NPY_DISABLE_CPU_FEATURES": ""},
}


@pytest.mark.skipif(platform.machine() not in {"x86_64", "AMD64"}, reason="the kernels pinned are x86's")
def test_bytes_do_not_depend_on_the_machines_kernels(tmp_path: Path) -> None:
    pinned = {"OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "NPY_DISABLE_CPU_FEATURES"}
    rest = {name: value for name, value in os.environ.items() if name not in pinned}
    results = {}
    for machine, environment in MACHINES.items():
        folder = tmp_path / machine
        folder.mkdir()
        command = [sys.executable, "-W", "error", "-c", FINGERPRINT, str(Path.cwd())]
        done = subprocess.run(
            command, cwd=folder, env={**rest, **environment}, capture_output=True, text=True, check=False, timeout=120
        )
        assert (done.returncode, done.stderr) == (0, "")
        results[machine] = json.loads(done.stdout)
    assert len(results["unset"][1]) == 6
    assert results["old"] == results["unset"]
    assert results["new"] == results["unset"]
