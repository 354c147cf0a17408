"""How far ratings scatter around their means: a relative precision for each user and each movie."""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

DEGREES: Final = (4, 6, 8, 11, 16, 23, 32, 45, 64, 90, 128, 256, 512)
LEAST_WEIGHT: Final = 0.02
_START_DEGREES: Final = 50.0

Array = npt.NDArray[np.float64]


class RowNoise:
    """Weights ``w ~ Gamma(degrees / 2, degrees / 2)`` of one side's rows, with mean 1; more degrees, less scatter.

    Parameters
    ----------
    counts : ndarray of int, shape (rows,)
        Ratings of each row; a row without any gets a weight and does not count for the degrees.

    Attributes
    ----------
    weights : ndarray of float32, shape (rows,)
        Precision of a row's ratings, relative to the common one.
    degrees : float
        One of `DEGREES`, each as likely as any before the weights are seen.
    """

    def __init__(self, counts: npt.NDArray[np.integer]) -> None:
        self.counts = counts
        self.weights = np.ones(len(counts), np.float32)
        self.degrees = _START_DEGREES

    def draw(self, squares: Array, rng: np.random.Generator) -> None:
        """Draw the weights given each row's sum of squared residuals times their precision, then the degrees."""
        drawn = rng.gamma((self.degrees + self.counts) / 2, 2 / (self.degrees + squares))
        drawn = np.maximum(drawn, LEAST_WEIGHT)
        self.weights = drawn.astype(np.float32)
        logarithms = score_degrees(drawn[self.counts > 0])
        chances = np.exp(logarithms - logarithms.max())
        self.degrees = float(DEGREES[rng.choice(len(DEGREES), p=chances / chances.sum())])


def score_degrees(weights: Array) -> Array:
    """Return the log-likelihood of each of `DEGREES` given weights, shape (degrees,)."""
    n, sums, logarithms = len(weights), weights.sum(), np.log(weights).sum()
    halves = [degrees / 2 for degrees in DEGREES]
    return np.array(
        [n * (half * math.log(half) - math.lgamma(half)) + (half - 1) * logarithms - half * sums for half in halves]
    )
