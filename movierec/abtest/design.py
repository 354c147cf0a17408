"""What an experiment starts from: its design, fixed beforehand, and one arm's observations."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from movierec.errors import MovierecError

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Design:
    """What is fixed before any outcome is seen.

    Parameters
    ----------
    metric : str
        Name of the outcome that decides.
    minimum_effect : float or None
        Smallest improvement worth having, positive, in units of the outcome. Without it no number of users can be
        planned.
    significance, power : float
        False positive rate, and chance to see `minimum_effect` if it is there.
    control, treatment : str
        Names of the arms.
    weights : tuple of two float
        Planned shares of control and treatment, of any sum.
    lower_is_better : bool
        Whether the outcome is an error.
    tuned_for : float
        Users, both arms together, at which the anytime-valid interval is to be narrowest.

    Raises
    ------
    MovierecError
        If `minimum_effect` is not positive or the arms share a name.
    """

    metric: str
    minimum_effect: float | None = None
    significance: float = 0.05
    power: float = 0.8
    control: str = "control"
    treatment: str = "treatment"
    weights: tuple[float, float] = (0.5, 0.5)
    lower_is_better: bool = False
    tuned_for: float = 5000

    def __post_init__(self) -> None:
        """Refuse a design that no data could answer."""
        if self.minimum_effect is not None and not 0 < self.minimum_effect < float("inf"):
            raise MovierecError(f"minimum effect is {self.minimum_effect}: it must be a positive number")
        if self.control == self.treatment:
            raise MovierecError(f"both arms are called {self.control!r}: name two")

    @property
    def ratio(self) -> float:
        """Planned users of the larger arm for each of the smaller one, at least 1."""
        return max(self.weights) / min(self.weights)

    def by_arm(self, values: tuple[_Value, _Value]) -> dict[str, _Value]:
        """Name the values of control and treatment."""
        return {self.control: values[0], self.treatment: values[1]}


@dataclass(frozen=True)
class Observations:
    """One arm's data.

    Parameters
    ----------
    outcomes : ndarray, shape (users,)
        The metric that decides, one number a user.
    covariate : ndarray, shape (users,), optional
        For CUPED: known of each user before the experiment.
    secondary : mapping of str to ndarray
        Other metrics, each of one number a user; not all need have the same users.
    """

    outcomes: NDArray[np.float64]
    covariate: NDArray[np.float64] | None = None
    secondary: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
