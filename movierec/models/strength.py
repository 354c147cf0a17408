"""How much a rating or a count says: any scale as stars, counts by their logarithm; models decide what follows."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]

STARS: Final = (0.5, 5.0)  # what learning rates, penalties and weights are meant for
COUNT_UNIT: Final = 0.02  # so that one event says as much as a rating of four stars


def measure_star(scale: npt.ArrayLike) -> float:
    """Return how many units of a scale go for one star.

    Parameters
    ----------
    scale : array_like of float, shape (2,)
        Lowest and highest rating.

    Returns
    -------
    float
        1 where both lie within `STARS`: such ratings are stars. 0 where they are equal and lie elsewhere.

    Examples
    --------
    >>> measure_star([1, 5]), measure_star([0, 90])
    (1.0, 20.0)
    """
    low, high = np.asarray(scale, dtype=np.float64)
    if STARS[0] <= low and high <= STARS[1]:
        return 1.0
    return float(high - low) / (STARS[1] - STARS[0])


def to_stars(ratings: npt.ArrayLike, scale: npt.ArrayLike) -> Floats:
    """Stretch or shrink ratings onto 0.5 to 5 stars, shape as given; stars stay as they are, to the bit.

    Examples
    --------
    >>> to_stars([0.0, 60.0, 90.0], scale=[0, 90]).tolist()
    [0.5, 3.5, 5.0]
    """
    given, star = np.asarray(ratings), measure_star(scale)
    if star == 1.0:
        return given
    given = given.astype(np.result_type(given.dtype, np.float32), copy=False)  # no integers
    low = float(np.asarray(scale)[0])
    stars: Floats = given.dtype.type(STARS[0]) + (given - given.dtype.type(low)) / given.dtype.type(star or 1.0)
    return stars


def measure_counts(counts: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Return the logarithm of 1 + count / `COUNT_UNIT`: 3.9 of one event, 6.2 of ten, 8.5 of a hundred.

    Hu, Koren & Volinsky (2008), "Collaborative filtering for implicit feedback datasets", section 6: a count's tenfold
    is not ten times as sure.
    """
    measured: npt.NDArray[np.float32] = np.log1p(np.asarray(counts, dtype=np.float32) / np.float32(COUNT_UNIT))
    return measured
