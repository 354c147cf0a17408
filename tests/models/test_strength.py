import numpy as np
import pandas as pd
import pytest

from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.models.als import ALS
from movierec.models.ease import EASE
from movierec.models.strength import measure_counts, measure_star, to_stars
from movierec.models.svd import SVD
from tests.models.conftest import make_ratings


@pytest.mark.parametrize(
    ("scale", "star"),
    [((0.5, 5), 1), ((1, 5), 1), ((0, 9), 2), ((0, 5), 10 / 9), ((1, 10), 2), ((7, 7), 0)],
)
def test_how_many_units_a_star_has(scale: tuple[float, float], star: float) -> None:
    assert measure_star(scale) == pytest.approx(star)


def test_stars_stay_what_they_are() -> None:
    stars = np.array([0.5, 3.5, 5.0], dtype=np.float32)
    assert to_stars(stars, (0.5, 5.0)) is stars


def test_other_scales_are_stretched_onto_stars() -> None:
    assert to_stars(np.array([0, 50, 90]), (0, 90)).tolist() == [0.5, 3.0, 5.0]
    assert to_stars(np.array([7.0, 7.0]), (7, 7)).tolist() == [0.5, 0.5]


def test_the_logarithm_of_counts() -> None:
    assert measure_counts([0, 1, 100]) == pytest.approx([0, np.log(51), np.log(5001)], rel=1e-6)


@pytest.mark.parametrize("engine", ["exact", "fast", "parallel"])
def test_an_svd_of_another_scale_predicts_what_that_of_stars_does(engine: str) -> None:
    stars = make_ratings(3)
    stars[RATING] = stars[RATING].clip(0.5, 5.0)
    stars.loc[[0, 1], RATING] = [0.5, 5.0]
    wide = stars.assign(**{RATING: ((stars[RATING] - 0.5) * 20).astype(np.float32)})  # 0 to 90
    settings = {"factors": 4, "epochs": 5, "seed": 7, "engine": engine}
    one, other = SVD(**settings).fit(stars, stars), SVD(**settings).fit(wide, wide)  # type: ignore[arg-type]
    pairs = stars[USER_ID], stars[MOVIE_ID]
    assert other.scale.tolist() == [0, 90]
    assert other.predict(*pairs) == pytest.approx(20 * (one.predict(*pairs) - 0.5), abs=1e-3)
    assert other.history[-1].validation_rmse == pytest.approx(20 * (one.history[-1].validation_rmse or 0), rel=1e-4)
    rows = np.arange(3, dtype=np.int32)
    assert other.score_rows(rows) == pytest.approx(20 * (one.score_rows(rows) - 0.5), abs=1e-3)


def test_ranking_models_weigh_another_scale_as_stars() -> None:
    stars = make_ratings(4)
    stars.loc[[0, 1], RATING] = [0.5, 5.0]
    wide = stars.assign(**{RATING: ((stars[RATING] - 0.5) * 20).astype(np.float32)})
    one, other = (ALS(4, 2, 5.0, 1.0, above, seed=1).fit(t) for t, above in ((stars, 4.0), (wide, 70.0)))
    assert other.score_rows(np.arange(3, dtype=np.int32)) == pytest.approx(
        one.score_rows(np.arange(3, dtype=np.int32)), abs=1e-5
    )
    first, second = EASE().fit(stars), EASE(relevance_threshold=70.0).fit(wide)
    given = np.array([0.5, 3.5, 4.0, 5.0], dtype=np.float32)
    assert second.weigh((given - 0.5) * 20) == pytest.approx(first.weigh(given), abs=1e-6)


def test_counts_of_events_in_als_and_ease() -> None:
    events = pd.DataFrame({USER_ID: [1, 1, 2, 2, 3], MOVIE_ID: [1, 2, 1, 3, 2], RATING: [1.0, 10.0, 3.0, 1.0, 0.001]})
    events = events.astype({USER_ID: np.int32, MOVIE_ID: np.int32, RATING: np.float32})
    als = ALS(2, 1, 1.0, 2.0, None, counts=True).fit(events)
    confidence = als.confidence(np.array([1, 10], dtype=np.float32))
    assert confidence == pytest.approx([1 + 2 * np.log(51), 1 + 2 * np.log(501)], rel=1e-6)
    ease = EASE(low=0.4, slope=0.3, counts=True).fit(events)
    weights = ease.weigh(np.array([1, 10, 0.001], dtype=np.float32))
    assert weights == pytest.approx([1, 1 + 0.3 * np.log(501 / 51), 0.4], rel=1e-5)


def test_models_of_counts_say_so_in_their_files(tmp_path) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    events = make_ratings(5)
    EASE(counts=True).fit(events).save(tmp_path / "ease.npz")
    assert EASE.load(tmp_path / "ease.npz").counts
    EASE().fit(events).save(tmp_path / "ease.npz")
    assert "counts" not in str(np.load(tmp_path / "ease.npz")["settings"])
