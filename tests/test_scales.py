import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from movierec.scales import Scale, find_core


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ([3], (3, 3, 0)),
        ([1, 2, 5], (1, 5, 1)),
        ([1, 3, 5], (1, 5, 2)),
        ([0.1, 0.3, 0.7], (0.1, 0.7, 0.2)),
        (np.array([0.1, 0.2, 0.7], dtype=np.float32), (0.1, 0.7, 0.1)),
        ([0, 0.3333333, 0.6666667, 1], (0, 1, 0)),  # thirds are finer than a ten-thousandth
        ([0, 1e-5], (0, 1e-5, 0)),
        ([-1e30, 1e30], (-1e30, 1e30, 0)),
    ],
)
def test_the_scale_by_hand(values: list[float], scale: tuple[float, float, float]) -> None:
    assert tuple(Scale.detect(values)) == pytest.approx(scale)


def test_no_rating_has_no_scale() -> None:
    with pytest.raises(ValueError, match="no rating, no scale"):
        Scale.detect([])


@given(st.integers(-100, 100), st.sampled_from([0.1, 0.25, 0.5, 1, 5]), st.integers(1, 200))
def test_a_full_scale_is_found(start: int, step: float, steps: int) -> None:
    low = start * step
    found = Scale.detect([low + step * each for each in range(steps + 1)])
    assert tuple(found) == pytest.approx((low, low + step * steps, step))
    position = (found.liked_from - low) / step
    assert position == pytest.approx(round(position), abs=1e-3)
    assert 0.75 * steps - 1e-3 <= position < 0.75 * steps + 1 + 1e-3


@pytest.mark.parametrize(
    ("scale", "liked_from"),
    [
        (Scale(0.5, 5, 0.5), 4), (Scale(1, 5, 1), 4), (Scale(1, 10, 1), 8), (Scale(0, 100, 1), 75), (Scale(0, 1, 1), 1),
        (Scale(1, 7, 1), 6), (Scale(3, 3, 0), 3), (Scale(0, 1, 0), 0.75), (Scale(0, 10, 4), 8), (Scale(0, 10, 6), 10),
    ],
)  # fmt: skip
def test_what_counts_as_liked(scale: Scale, liked_from: float) -> None:
    assert scale.liked_from == pytest.approx(liked_from)


def test_words() -> None:
    assert Scale(0.5, 5, 0.5).describe() == "from 0.5 to 5 in steps of 0.5"
    assert Scale(-9.99, 10, 0).describe() == "from -9.99 to 10"
    assert Scale(3, 3, 0).describe() == "all 3"


@pytest.mark.parametrize(
    ("values", "counts", "share", "core"),
    [
        ([1, 2, 3, 4, 5, 99], [500, 500, 500, 500, 500, 1], 0.001, (1, 5)),
        ([1, 2, 3, 4, 5, 99], [500, 500, 500, 500, 500, 2], 0.001, (1, 99)),  # 2 of 2502 are more than half of 0.1 %
        ([1, 2, 3, 4, 5, 99], [500, 500, 500, 500, 500, 1], 0, (1, 99)),
        ([-50, 1, 5], [1, 2000, 2000], 0.001, (1, 5)),
        ([0, 1, 5, 6], [1, 2000, 2000, 1], 0.001, (0, 6)),  # near enough
        ([3], [7], 0.001, (3, 3)),
        ([3, 5], [5000, 1], 0.001, (3, 5)),  # nearly all equal: nothing is said of what is far
    ],
)
def test_strays_are_rare_and_far(
    values: list[float], counts: list[int], share: float, core: tuple[float, float]
) -> None:
    assert find_core(values, counts, share) == core
