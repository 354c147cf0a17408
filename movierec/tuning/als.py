"""Trials of the ALS: NDCG@10 on validation over the full catalogue."""

import hashlib
from collections.abc import Callable
from typing import ClassVar

import pandas as pd

from movierec.data.content import Content
from movierec.evaluation.validation import measure_validation_ndcg
from movierec.metrics.relevance import Relevance
from movierec.models.als import ALS
from movierec.models.base import Recommender
from movierec.tuning.objective import Objective, OnStep, Settings, ignore_step

FitAls = Callable[..., ALS]


class AlsObjective(Objective):
    """Fit the ALS and calibrate it on validation; its steps are sweeps, without scores. See `Objective`.

    Parameters
    ----------
    train, validation, seed
        As `Objective` takes them.
    relevance_threshold : float
        Stars from which a validation rating makes its movie relevant.
    content : Content, optional
        Of the movies, for settings whose ``content_weight`` is above 0.
    counts : bool
        Whether ratings are counts of events, which nothing is calibrated to.
    fit : callable, optional
        Fits in place of this process, to the bit as `ALS.fit`: takes the arguments of `ALS` as a dict, and
        `on_sweep` and `content` as that does.
    """

    model: ClassVar[str] = "als"
    code: ClassVar[tuple[str, ...]] = (
        "movierec.compiled",
        "movierec.ids",
        "movierec.metrics.ranking",
        "movierec.metrics.relevance",
        "movierec.data.exclusions",
        "movierec.evaluation.validation",
        "movierec.models.als",
        "movierec.models.als_sides",
        "movierec.models.als_solver",
        "movierec.models.base",
        "movierec.models.bias",
        "movierec.models.calibration",
        "movierec.models.chunks",
        "movierec.models.content_map",
        "movierec.models.indexed",
        "movierec.models.normal_equations",
        "movierec.models.pair_scores",
        "movierec.models.products",
        "movierec.models.rows",
        "movierec.models.strength",
        "movierec.models.tiles",
        "movierec.models.top_k",
        "movierec.tuning.als",
        "movierec.tuning.objective",
    )
    libraries: ClassVar[tuple[str, ...]] = ("numba", "numpy", "pandas", "scipy")

    def __init__(
        self,
        train: pd.DataFrame,
        validation: pd.DataFrame,
        seed: int,
        relevance_threshold: float,
        content: Content | None = None,
        *,
        counts: bool = False,
        fit: FitAls | None = None,
    ) -> None:
        super().__init__(train, validation, seed)
        self.relevance = Relevance(train, validation, relevance_threshold)
        self.content, self.counts, self._fit = content, counts, fit

    def fit(self, settings: Settings, on_step: OnStep = ignore_step, *, threads: int = 0) -> ALS:
        """Fit on train, calibrate on validation; see `Objective.fit`."""
        arguments = {**settings, "seed": self.seed, "counts": self.counts}
        if self._fit:
            model = self._fit(arguments, on_sweep=lambda _loss: on_step(None), content=self.content)
        else:
            model = ALS(**arguments)
            model.fit(self.data, lambda _loss: on_step(None), threads=threads, content=self.content)
        return model if self.counts else model.calibrate(self.validation)

    def score(self, model: Recommender) -> dict[str, float]:
        """Return ``validation_ndcg@10``, 0 to 1; see `measure_validation_ndcg`."""
        return {self.metric: measure_validation_ndcg(model, self.relevance)}

    def count_steps(self, settings: Settings) -> int:
        """Return the number of sweeps."""
        return int(settings["iterations"])

    def estimate_effort(self, settings: Settings) -> float:
        """Count multiplications a rating: a sweep builds an equation of factors x factors, twice."""
        return float(2 * settings["iterations"] * settings["factors"] ** 2)

    def _conditions(self) -> str:
        content = self.content.of(self.relevance.catalogue.ids).tobytes() if self.content else b""
        kind = " of counts" if self.counts else ""
        return f"relevant from {self.relevance.threshold}{kind} with content {hashlib.sha256(content).hexdigest()}"
