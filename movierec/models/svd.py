"""Biased matrix factorisation by SGD ("SVD"), by our compiled loop or by scikit-surprise itself."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from movierec.errors import MovierecError
from movierec.models.base import Array, Recommender, Rows, find_range
from movierec.models.indexed import IndexedRatings, Pairs
from movierec.models.pair_scores import map_pairs
from movierec.models.products import Products
from movierec.models.sgd.engines import ENGINES, EngineName, SgdSettings, TrainingEngine
from movierec.models.sgd.exact import Factors, predict_pairs
from movierec.models.strength import STARS, measure_star, to_stars


@dataclass(frozen=True)
class EpochResult:
    """Root mean squared errors after one epoch, in stars; None where the epoch was not measured.

    The error on the training ratings is that of `IndexedRatings.sample`, the same ones in every epoch.
    """

    epoch: int
    train_rmse: float | None
    validation_rmse: float | None


class SVD(Recommender):
    """Predict ``mean + user bias + movie bias + user factors . movie factors``.

    Koren, Bell & Volinsky (2009), trained as scikit-surprise's ``SVD`` is: for ratings sorted by user and
    the same seed the ``exact`` engine returns its factors bit for bit. Ratings outside 0.5 to 5 are trained on as stars
    and predicted on their own scale, so that one learning rate suits every scale.

    Parameters
    ----------
    factors : int
        Latent dimension, at least 1.
    epochs : int
        Passes over the ratings, at least 1.
    learning_rate, regularization : float
        Step size and L2 penalty of all four kinds of parameter.
    init_std_dev : float
        Standard deviation of the factors' initial normal draw around 0.
    seed : int
        Of ``numpy.random.RandomState``, as scikit-surprise's ``random_state``.
    engine : {"exact", "fast", "parallel", "surprise"}
        ``exact`` is our compiled loop in float64 on one core. ``fast`` takes the same steps in float32, in a third of
        the time. ``parallel`` runs it on all cores over blocks of ratings: another start and order, about the same
        accuracy, the same result for any number of threads. ``surprise`` is scikit-surprise itself, the reference:
        slow, and its learning curve has only its end.
    patience : int
        Stop after so many epochs without a lower validation RMSE, and keep the best epoch's parameters; 0 for never.

    Attributes
    ----------
    mean : ndarray of float64, shape ()
        Mean training rating in stars.
    user_bias, movie_bias : ndarray of float64, shape (users,) and (movies,)
        Offsets in stars.
    user_factors, movie_factors : ndarray of float64, shape (users, factors) and (movies, factors)
        Latent factors; float32 by the ``fast`` and the ``parallel`` engine.
    history : list of EpochResult
        The learning curve of the last fit; not stored with the model.
    """

    name: ClassVar[str] = "svd"
    mean: Array
    user_bias: Array
    movie_bias: Array
    user_factors: npt.NDArray[np.floating[Any]]
    movie_factors: npt.NDArray[np.floating[Any]]

    def __init__(
        self,
        factors: int = 50,
        epochs: int = 10,
        learning_rate: float = 0.005,
        regularization: float = 0.02,
        *,
        init_std_dev: float = 0.1,
        seed: int = 0,
        engine: EngineName = "exact",
        patience: int = 0,
    ) -> None:
        self.factors = factors
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.regularization = regularization
        self.init_std_dev = init_std_dev
        self.seed = seed
        self.engine = engine
        self.patience = patience
        self.history: list[EpochResult] = []

    def fit(
        self,
        ratings: pd.DataFrame | IndexedRatings,
        validation: pd.DataFrame | None = None,
        on_epoch: Callable[[EpochResult], object] = lambda _: None,
        *,
        measure_train: bool = True,
    ) -> Self:
        """Learn biases and factors.

        Parameters
        ----------
        ratings : DataFrame or IndexedRatings
            Columns ``user_id``, ``movie_id``, ``rating``; not empty. SGD takes them in order of user,
            and within a user in the order given. Indexed once, they serve any number of fits.
        validation : DataFrame, optional
            Ratings to measure each epoch on; learns nothing from them. Without them only the last epoch is measured,
            on the training ratings.
        on_epoch : callable
            Called after each measured epoch; what it raises ends the fit.
        measure_train : bool
            Whether the epochs are measured on training ratings beside the validation ratings.

        Returns
        -------
        Self
            Fitted, with a new `history`.

        Raises
        ------
        MovierecError
            If an error stops being a number: the learning rate is too high.
        ValueError
            If there are no ratings, or patience without validation ratings.
        """
        if self.patience and (validation is None or self.engine == "surprise"):
            raise ValueError("patience needs validation ratings and an engine that reports every epoch")
        data = IndexedRatings.of(ratings)
        scale = find_range(data.pairs.stars)
        data, star = data.in_stars, measure_star(scale)
        engine = ENGINES[self.engine](data, SgdSettings(*(getattr(self, name) for name in SgdSettings._fields)))
        sample = data.sample if measure_train or validation is None else None
        held_out = None if validation is None else _locate_stars(data, validation, scale)
        self.history = []
        for epoch in engine.run_epochs(self.epochs):
            if held_out is None and epoch < self.epochs:
                continue
            self.history.append(_measure(engine, epoch, sample, held_out, star))
            on_epoch(self.history[-1])
            if self.patience:
                if self.history[-1] == self.best_epoch:
                    engine.remember()
                elif epoch - self.best_epoch.epoch >= self.patience:
                    break
        self.users, self.movies, self.mean, self.scale = data.users, data.movies, engine.mean, scale
        self.user_bias, self.movie_bias, self.user_factors, self.movie_factors = engine.result
        if star != 1.0:
            self._leave_stars(star)
        return self

    def _leave_stars(self, star: float) -> None:
        """Turn what was learned of stars into what predicts ratings on their scale."""
        self.mean = self.scale[0] + star * (self.mean - STARS[0])
        self.user_bias, self.movie_bias = star * self.user_bias, star * self.movie_bias
        self.user_factors = self.user_factors * self.user_factors.dtype.type(star)

    @property
    def best_epoch(self) -> EpochResult:
        """The epoch of `history` with the lowest validation RMSE, the first of equals; the last without validation."""
        if self.history[-1].validation_rmse is None:
            return self.history[-1]
        return min(self.history, key=lambda result: result.validation_rmse or 0.0)

    def predict(self, user_ids: npt.ArrayLike, movie_ids: npt.ArrayLike) -> Array:
        """Predict ratings in stars; what is unknown of a pair counts 0. See `Recommender.predict`."""
        score = partial(predict_pairs, mean=float(self.mean), model=self._model())
        predicted = map_pairs(score, self.users.rows(user_ids), self.movies.rows(movie_ids))
        return np.clip(predicted, *self.scale, out=predicted)

    def score_rows(self, user_rows: Rows) -> npt.NDArray[np.float32]:
        """Return unclipped predictions, shape (users, movies), computed in float32."""
        return self._as_ranker().score(user_rows)

    def _as_ranker(self) -> Products:
        each = self.user_factors, self.movie_factors, self.mean + self.user_bias, self.movie_bias
        return Products(*(array.astype(np.float32, copy=False) for array in each))

    def _model(self) -> Factors:
        return Factors(self.user_bias, self.movie_bias, self.user_factors, self.movie_factors)

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        return {"mean": self.mean, **self._model()._asdict()}

    def _settings(self) -> dict[str, Any]:
        names = ("factors", "epochs", "learning_rate", "regularization", "init_std_dev", "seed", "engine", "patience")
        return {name: getattr(self, name) for name in names}


def _locate_stars(data: IndexedRatings, ratings: pd.DataFrame, scale: Array) -> Pairs:
    pairs = data.locate(ratings)
    return pairs._replace(stars=to_stars(pairs.stars, scale))


def _measure(
    engine: TrainingEngine, epoch: int, sample: Pairs | None, held_out: Pairs | None, star: float
) -> EpochResult:
    train_rmse, validation_rmse = (star * engine.measure(pairs) if pairs else None for pairs in (sample, held_out))
    if not math.isfinite((train_rmse or 0.0) + (validation_rmse or 0.0)):
        raise MovierecError(f"the SVD diverges in epoch {epoch}: lower its learning_rate")
    return EpochResult(epoch, train_rmse, validation_rmse)
