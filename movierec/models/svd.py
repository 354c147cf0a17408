"""Biased matrix factorisation by SGD ("SVD"), by our compiled loop or by scikit-surprise itself."""

import math
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from movierec import seeds
from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.errors import MovierecError
from movierec.models.base import Array, Recommender, Rows, find_range, index_ids
from movierec.models.schedule import stratify
from movierec.models.sgd import Factors, Step, Steps, predict_pairs, run_epoch
from movierec.models.top_k import available_cores

BLOCKS = 8


@dataclass(frozen=True)
class EpochResult:
    """Root mean squared errors after one epoch, in stars; None where the epoch was not measured."""

    epoch: int
    train_rmse: float | None
    validation_rmse: float | None


class SVD(Recommender):
    """Predict ``mean + user bias + movie bias + user factors . movie factors``.

    Koren, Bell & Volinsky (2009), trained as scikit-surprise's ``SVD`` is: for ratings sorted by user and
    the same seed the ``fast`` engine returns its factors bit for bit.

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
    engine : {"fast", "parallel", "surprise"}
        ``fast`` is our compiled loop on one core. ``parallel`` runs it on all cores over `BLOCKS` x `BLOCKS` blocks of
        ratings: other bits, about the same accuracy, the same result for any number of threads. ``surprise`` is
        scikit-surprise itself, the reference: slow, and its learning curve has only its end.
    patience : int
        Stop after so many epochs without a lower validation RMSE, and keep the best epoch's parameters; 0 for never.

    Attributes
    ----------
    mean : ndarray of float64, shape ()
        Mean training rating in stars.
    user_bias, movie_bias : ndarray of float64, shape (users,) and (movies,)
        Offsets in stars.
    user_factors, movie_factors : ndarray of float64, shape (users, factors) and (movies, factors)
        Latent factors.
    history : list of EpochResult
        The learning curve of the last fit; not stored with the model.
    """

    name: ClassVar[str] = "svd"
    mean: Array
    user_bias: Array
    movie_bias: Array
    user_factors: Array
    movie_factors: Array

    def __init__(
        self,
        factors: int = 50,
        epochs: int = 10,
        learning_rate: float = 0.005,
        regularization: float = 0.02,
        *,
        init_std_dev: float = 0.1,
        seed: int = 0,
        engine: Literal["fast", "parallel", "surprise"] = "fast",
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
        ratings: pd.DataFrame,
        validation: pd.DataFrame | None = None,
        on_epoch: Callable[[EpochResult], object] = lambda _: None,
        *,
        measure_train: bool = True,
    ) -> Self:
        """Learn biases and factors.

        Parameters
        ----------
        ratings : DataFrame
            Columns ``user_id``, ``movie_id``, ``rating``; not empty. SGD takes them in order of user,
            and within a user in the order given.
        validation : DataFrame, optional
            Ratings to measure each epoch on; learns nothing from them. Without them only the last epoch is measured,
            on the training ratings.
        on_epoch : callable
            Called after each measured epoch; what it raises ends the fit.
        measure_train : bool
            Whether the epochs are measured on the training ratings beside the validation ratings, which costs nearly
            as much as 50 factors' training.

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
        self.history = []
        ratings = ratings if ratings[USER_ID].is_monotonic_increasing else ratings.sort_values(USER_ID, kind="stable")
        self.users, self.movies, user, movie = index_ids(ratings)
        stars = ratings[RATING].to_numpy(dtype=np.float64)
        self.scale = find_range(stars)
        best, held_out = None, None if validation is None else self._locate(validation)
        for epoch in self._run_epochs(ratings, user, movie, stars):
            if held_out is None and epoch < self.epochs:
                continue
            train_rmse = self._rmse(user, movie, stars) if measure_train or held_out is None else None
            result = EpochResult(epoch, train_rmse, self._rmse(*held_out) if held_out else None)
            if not math.isfinite((result.train_rmse or 0.0) + (result.validation_rmse or 0.0)):
                raise MovierecError(f"the SVD diverges in epoch {epoch}: lower its learning_rate")
            self.history.append(result)
            on_epoch(result)
            if self.patience:
                if result == self.best_epoch:
                    best = [array.copy() for array in self._model()]
                elif epoch - self.best_epoch.epoch >= self.patience:
                    break
        if best:
            self.user_bias, self.movie_bias, self.user_factors, self.movie_factors = best
        return self

    @property
    def best_epoch(self) -> EpochResult:
        """The epoch of `history` with the lowest validation RMSE, the first of equals; the last without validation."""
        if self.history[-1].validation_rmse is None:
            return self.history[-1]
        return min(self.history, key=lambda result: result.validation_rmse or 0.0)

    def _run_epochs(self, ratings: pd.DataFrame, user: Rows, movie: Rows, stars: Array) -> Iterator[int]:
        """Train, and yield the number of each epoch when it is over."""
        if self.engine == "surprise":
            self._fit_surprise(ratings)
            yield self.epochs
            return
        self.mean = np.asarray(stars.mean())
        self._draw_factors(movie)
        blocks = BLOCKS if self.engine == "parallel" else 1
        arguments = (float(self.mean), self._model(), self._steps(), True)
        with ThreadPoolExecutor(min(blocks, available_cores())) if blocks > 1 else nullcontext() as pool:
            take_all = pool.map if pool else map
            strata = stratify(user, movie, stars, blocks, seeds.rng(self.seed, "svd", "blocks"), take_all)
            for epoch in range(1, self.epochs + 1):
                for stratum in strata:
                    deque(take_all(lambda block: run_epoch(block, *arguments), stratum), maxlen=0)
                yield epoch

    def _draw_factors(self, movie: Rows) -> None:
        """Draw factors as scikit-surprise does: users first, movies in the order in which they appear."""
        rng = np.random.RandomState(self.seed)
        appearance = pd.unique(movie)
        self.user_bias, self.movie_bias = np.zeros(len(self.users)), np.zeros(len(self.movies))
        self.user_factors = rng.normal(0.0, self.init_std_dev, (len(self.users), self.factors))
        self.movie_factors = np.empty((len(self.movies), self.factors))
        self.movie_factors[appearance] = rng.normal(0.0, self.init_std_dev, (len(self.movies), self.factors))

    def _fit_surprise(self, ratings: pd.DataFrame) -> None:
        import surprise  # noqa: PLC0415  # slow to import and rarely the engine

        reader = surprise.Reader(rating_scale=tuple(self.scale))
        data = surprise.Dataset.load_from_df(ratings[[USER_ID, MOVIE_ID, RATING]], reader)
        trainset = data.build_full_trainset()
        algorithm = surprise.SVD(
            n_factors=self.factors,
            n_epochs=self.epochs,
            lr_all=self.learning_rate,
            reg_all=self.regularization,
            init_std_dev=self.init_std_dev,
            random_state=self.seed,
        ).fit(trainset)
        users = [trainset.to_inner_uid(raw) for raw in self.users.ids.tolist()]
        movies = [trainset.to_inner_iid(raw) for raw in self.movies.ids.tolist()]
        self.mean = np.asarray(trainset.global_mean, dtype=np.float64)
        self.user_bias, self.user_factors = algorithm.bu[users], algorithm.pu[users]
        self.movie_bias, self.movie_factors = algorithm.bi[movies], algorithm.qi[movies]

    def predict(self, user_ids: npt.ArrayLike, movie_ids: npt.ArrayLike) -> Array:
        """Predict ratings in stars; what is unknown of a pair counts 0. See `Recommender.predict`."""
        return self._predict_rows(self.users.rows(user_ids), self.movies.rows(movie_ids))

    def score_rows(self, user_rows: Rows) -> npt.NDArray[np.float32]:
        """Return unclipped predictions, shape (users, movies), computed in float32."""
        scores = self.user_factors[user_rows].astype(np.float32) @ self.movie_factors.T.astype(np.float32)
        scores += self.movie_bias.astype(np.float32)
        scores += (self.mean + self.user_bias[user_rows, None]).astype(np.float32)
        return scores

    def _predict_rows(self, user: Rows, movie: Rows) -> Array:
        predicted: Array = predict_pairs(user, movie, float(self.mean), self._model())
        return np.clip(predicted, *self.scale, out=predicted)

    def _rmse(self, user: Rows, movie: Rows, stars: Array) -> float:
        return float(np.sqrt(np.mean((self._predict_rows(user, movie) - stars) ** 2)))

    def _locate(self, ratings: pd.DataFrame) -> tuple[Rows, Rows, Array]:
        user, movie = self.users.rows(ratings[USER_ID]), self.movies.rows(ratings[MOVIE_ID])
        return user, movie, ratings[RATING].to_numpy(dtype=np.float64)

    def _model(self) -> Factors:
        return Factors(self.user_bias, self.movie_bias, self.user_factors, self.movie_factors)

    def _steps(self) -> Steps:
        return Steps(*[Step(self.learning_rate, self.regularization)] * len(Steps._fields))

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        return {"mean": self.mean, **self._model()._asdict()}

    def _settings(self) -> dict[str, Any]:
        names = ("factors", "epochs", "learning_rate", "regularization", "init_std_dev", "seed", "engine", "patience")
        return {name: getattr(self, name) for name in names}
