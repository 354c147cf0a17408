"""EASE with a new movie: half of movie 0 and half of movie 1."""

import numpy as np
import pytest

from movierec.models.ease import EASE
from movierec.models.mixed_ease import MixedEASE
from tests.beds import random_bed


@pytest.fixture(scope="module", params=[60, 20], ids=["all", "some"])
def ease(request: pytest.FixtureRequest) -> EASE:
    return EASE(regularization=5.0, content_weight=0.0, max_movies=request.param).fit(random_bed().train)


@pytest.fixture(scope="module")
def mixed(ease: EASE) -> MixedEASE:
    mixes = np.zeros((1, len(ease.modelled)), dtype=np.float32)
    mixes[0, :2] = 0.5
    return MixedEASE(ease, mixes, ease.spread_weights(mixes))


def test_its_score_is_the_mix_of_theirs(ease: EASE, mixed: MixedEASE) -> None:
    users = np.arange(5, dtype=np.int32)
    known, scores = ease.score_rows(users), mixed.score_rows(users)
    assert np.array_equal(scores[:, :-1], known)
    assert scores[:, -1] == pytest.approx(known[:, ease.modelled[:2]].mean(axis=1), abs=1e-6)


def test_a_rating_of_it_is_one_of_the_mix(ease: EASE, mixed: MixedEASE) -> None:
    new = len(ease.movies)
    first, second = (ease.fold_in(ease.modelled[[at]], [5.0]) for at in (0, 1))
    folded = mixed.fold_in(np.array([new], dtype=np.int32), [5.0])
    assert folded[ease.modelled] == pytest.approx(((first + second) / 2)[ease.modelled], abs=1e-6)


def test_parts_sum_to_the_scores(ease: EASE, mixed: MixedEASE) -> None:
    new = len(ease.movies)
    rows, stars = np.array([*ease.modelled[[1, 4, 7]], new], dtype=np.int32), [5.0, 1.0, 4.0, 4.5]
    targets = np.array([*ease.modelled[[2, 9]], new], dtype=np.int32)
    parts = mixed.explain(rows, stars, targets)
    assert parts.sum(axis=1) == pytest.approx(mixed.fold_in(rows, stars)[targets], abs=1e-5)
    assert mixed.weighed.tolist() == [*ease.modelled.tolist(), new]


def test_it_is_as_like_others_as_its_mix_is(ease: EASE, mixed: MixedEASE) -> None:
    new = len(ease.movies)
    ones = [ease.correlate(int(row)) for row in ease.modelled[:2]]
    likeness = mixed.correlate(new)
    assert likeness[-1] == 1
    assert likeness[:-1] == pytest.approx((ones[0] + ones[1]) / 2, abs=1e-6)
    assert mixed.correlate(int(ease.modelled[0]))[-1] == pytest.approx(ones[0][ease.modelled[:2]].mean(), abs=1e-6)
