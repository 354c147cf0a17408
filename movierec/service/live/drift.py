"""Whether the ratings that come in are predicted as well as the test part was; nothing is predicted here."""

import math
from collections import deque
from typing import Final

WINDOW: Final = 1_000
LEAST_RATINGS: Final = 200
Z: Final = 3.0


class RatingErrors:
    """Squared errors of the predictions of the last `WINDOW` ratings, each predicted before it was known.

    The alarm is a one-sided z-test: with the mean m and the standard deviation s of n squared errors, their mean is
    above the baseline's by more than chance explains if ``m - baseline**2 > Z * s / sqrt(n)``. By the central limit
    theorem that happens to a good model in about 1 of 740 independent windows (Z = 3), and squared errors in stars are
    bounded, so 200 suffice for it. The baseline counts as exact: it comes from many more ratings.

    Parameters
    ----------
    baseline_rmse : float
        Of the model on the test part, in stars.
    """

    def __init__(self, baseline_rmse: float) -> None:
        self.baseline_rmse = baseline_rmse
        self._squares: deque[float] = deque(maxlen=WINDOW)

    def add(self, error: float) -> None:
        """Take in one error, prediction less rating, in stars."""
        self._squares.append(error * error)

    @property
    def rmse(self) -> float:
        """Of the window, in stars; NaN before the first rating."""
        return math.sqrt(self._mean()) if self._squares else math.nan

    @property
    def alarm(self) -> bool:
        """Whether there are at least `LEAST_RATINGS` errors, and they are larger than chance explains."""
        ratings = len(self._squares)
        if ratings < LEAST_RATINGS:
            return False
        mean = self._mean()
        variance = math.fsum((square - mean) ** 2 for square in self._squares) / (ratings - 1)
        return mean - self.baseline_rmse**2 > Z * math.sqrt(variance / ratings)

    def _mean(self) -> float:
        return math.fsum(self._squares) / len(self._squares)
