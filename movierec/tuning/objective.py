"""What a trial does: fit a model with given settings on train and score it on validation."""

import hashlib
import importlib
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property
from importlib.metadata import version
from threading import Lock
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from movierec.columns import RATING_COLUMNS
from movierec.models.base import Recommender
from movierec.models.indexed import IndexedRatings
from movierec.roster import TUNED, VALIDATION_RMSE

Settings = dict[str, Any]  # a configuration as plain values, by name
OnStep = Callable[[float | None], object]


def ignore_step(_value: float | None) -> None:
    """Take note of nothing."""


class Objective(ABC):
    """The trials of one kind of model on given data.

    Parameters
    ----------
    train, validation : DataFrame
        What to fit on and what to score on, completely.
    seed : int
        Of every fit.
    """

    model: ClassVar[str]
    """The kind of model, as the roster names it."""
    code: ClassVar[tuple[str, ...]]
    """Every module of ours that can move a score."""
    libraries: ClassVar[tuple[str, ...]]
    """Other people's packages that can."""

    def __init__(self, train: pd.DataFrame, validation: pd.DataFrame, seed: int) -> None:
        self.train, self.validation, self.seed = train, validation, seed
        self._data: IndexedRatings | None = None
        self._indexing = Lock()

    @property
    def data(self) -> IndexedRatings:
        """What to fit on, indexed when a fit first asks for it: all trials share it."""
        with self._indexing:
            if self._data is None:
                self._data = IndexedRatings(self.train)
            return self._data

    @property
    def listed_in(self) -> str:
        """The place in params.yaml that lists the configurations."""
        return f"tune.{self.model}"

    @property
    def metric(self) -> str:
        """The score that decides."""
        return str(TUNED[self.model].decided_by)

    @property
    def lowest_wins(self) -> bool:
        """Whether a lower score is better."""
        return self.metric == VALIDATION_RMSE

    @abstractmethod
    def fit(self, settings: Settings, on_step: OnStep = ignore_step, *, threads: int = 0) -> Recommender:
        """Fit the model on train.

        Parameters
        ----------
        settings : dict
            A configuration.
        on_step : callable
            Called after each pass over the ratings, with the score on validation if it is known. What it
            raises ends the fit.
        threads : int
            To use at most, 0 for one a core. No result depends on it.

        Returns
        -------
        Recommender
            Ready to be saved: the same model for the same settings.

        Raises
        ------
        MovierecError
            If the fit diverges.
        """

    @abstractmethod
    def score(self, model: Recommender) -> dict[str, float]:
        """Measure a fitted model on validation: `metric`, perhaps with others."""

    @abstractmethod
    def count_steps(self, settings: Settings) -> int:
        """Return the number of passes of a fit that runs to its end."""

    @abstractmethod
    def estimate_effort(self, settings: Settings) -> float:
        """Guess how long a fit takes compared with others, in no unit: the longest should start first."""

    @cached_property
    def key(self) -> str:
        """A hash of what all scores depend on beside the settings: data, seed, code and versions of libraries."""
        # The lengths keep a row from moving between the parts unnoticed.
        sizes = f"{len(self.train)} {len(self.validation)}"
        digest = hashlib.sha256(f"{self.model} {self.seed} {sizes} {self._conditions()}".encode())
        for table in (self.train, self.validation):
            for column in RATING_COLUMNS[:3]:
                digest.update(np.ascontiguousarray(table[column].to_numpy()).data)
        for module in self.code:
            digest.update(inspect.getsource(importlib.import_module(module)).encode())
        for library in self.libraries:
            digest.update(f"{library} {version(library)}".encode())
        return digest.hexdigest()

    def _conditions(self) -> str:
        """Spell out what else a score depends on."""
        return ""
