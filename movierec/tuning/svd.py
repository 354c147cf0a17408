"""Trials of the SVD: RMSE on every validation rating."""

from typing import ClassVar

import pandas as pd

from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.metrics.rating import mae, rmse
from movierec.models.base import Recommender
from movierec.models.sgd.engines import EngineName
from movierec.models.svd import SVD
from movierec.tuning.objective import Objective, OnStep, Settings, ignore_step


class SvdObjective(Objective):
    """Fit the SVD; its steps are epochs, each with its RMSE on validation. See `Objective`.

    Parameters
    ----------
    train, validation, seed
        As `Objective` takes them.
    engine : str
        As `SVD` takes it; the fast one by default.
    """

    model: ClassVar[str] = "svd"
    code: ClassVar[tuple[str, ...]] = (
        "movierec.compiled",
        "movierec.ids",
        "movierec.metrics.rating",
        "movierec.models.base",
        "movierec.models.indexed",
        "movierec.models.pair_scores",
        "movierec.models.products",
        "movierec.models.rows",
        "movierec.models.sgd.engines",
        "movierec.models.sgd.exact",
        "movierec.models.sgd.float32",
        "movierec.models.sgd.schedule",
        "movierec.models.sgd.strata",
        "movierec.models.strength",
        "movierec.models.svd",
        "movierec.models.tiles",
        "movierec.seeds",
        "movierec.tuning.objective",
        "movierec.tuning.svd",
    )
    libraries: ClassVar[tuple[str, ...]] = ("numba", "numpy", "pandas")

    def __init__(self, train: pd.DataFrame, validation: pd.DataFrame, seed: int, engine: EngineName = "fast") -> None:
        super().__init__(train, validation, seed)
        self.engine = engine

    def fit(self, settings: Settings, on_step: OnStep = ignore_step, *, threads: int = 0) -> SVD:
        """Fit on train; see `Objective.fit`."""
        del threads  # the fast loop has one
        model = SVD(**settings, seed=self.seed, engine=self.engine)
        return model.fit(self.data, self.validation, lambda epoch: on_step(epoch.validation_rmse), measure_train=False)

    def score(self, model: Recommender) -> dict[str, float]:
        """Return ``validation_rmse`` and ``validation_mae``, in stars."""
        predicted = model.predict(self.validation[USER_ID], self.validation[MOVIE_ID])
        actual = self.validation[RATING].to_numpy()
        return {"validation_rmse": rmse(actual, predicted), "validation_mae": mae(actual, predicted)}

    def count_steps(self, settings: Settings) -> int:
        """Return the number of epochs."""
        return int(settings["epochs"])

    def estimate_effort(self, settings: Settings) -> float:
        """Count multiplications a rating."""
        return float(settings["epochs"] * settings["factors"])

    def _conditions(self) -> str:
        return self.engine
