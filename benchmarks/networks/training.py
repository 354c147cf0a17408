"""What the networks have in common: epochs of Adam, stopped by NDCG@10 on validation, and scores of every pair."""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

import jax
import numpy as np
import numpy.typing as npt
import optax
import pandas as pd
import scipy.sparse as sp

from movierec.columns import RATING
from movierec.evaluation.validation import measure_validation_ndcg
from movierec.metrics.relevance import Relevance
from movierec.models.base import Rows, index_ids
from movierec.models.calibration import CalibratedRanker
from movierec.models.ease import EASE

Floats = npt.NDArray[np.float32]
Tree = Any  # arrays of JAX, alone or in dictionaries and lists; its types are not read


@dataclass(kw_only=True)
class Network(CalibratedRanker):
    """A network that is trained by epochs and ranks by the scores of its best one.

    Parameters
    ----------
    low, slope : float
        A rating of at least 4 stars weighs 1, and `slope` more for each star above; a lower one weighs `low`, as in
        `EASE`.
    popularity_power : float
        Scores, which are log odds, are lowered by so much times the logarithm of the movie's ratings.
    max_movies : int
        So many of the most rated movies are modelled, as in `EASE`; every other one is ranked behind them.
    learning_rate : float
        Of Adam, above 0.
    batch : int
        Users or ratings in a step.
    epochs : int
        The most passes over train.
    check, patience : int
        NDCG@10 on validation is measured every `check` epochs; training ends when it was not better for `patience`.
    seed : int
        Of every random draw; on one machine it fixes the scores to the bit.

    Attributes
    ----------
    scores : ndarray of float32, shape (users, movies)
        Of the best epoch.
    best_epoch : int
        Its number, from 1.
    """

    name: ClassVar[str]

    low: float = 0.0
    slope: float = 0.0
    popularity_power: float = 0.0
    max_movies: int = 2000
    learning_rate: float = 1e-3
    batch: int
    epochs: int
    check: int
    patience: int
    seed: int = 0

    def fit(self, ratings: pd.DataFrame, validation: Relevance | None = None) -> Self:
        """Train until validation, where it is given, is ranked no better; else for all epochs.

        Parameters
        ----------
        ratings : DataFrame
            Columns ``user_id``, ``movie_id``, ``rating``; not empty.
        validation : Relevance, optional
            Of the validation part.

        Returns
        -------
        Self
            Fitted; it predicts stars as the bias model does until `calibrate` is called.
        """
        self.users, self.movies, user, movie = index_ids(ratings)
        self._fit_bias(ratings)
        weights = EASE(low=self.low, slope=self.slope).weigh(ratings[RATING].to_numpy(dtype=np.float32))
        rated = sp.csr_array((weights, (user, movie)), shape=(len(self.users), len(self.movies)))
        popularity = np.bincount(movie)
        modelled = np.sort(np.argsort(-popularity, kind="stable")[: self.max_movies])
        tempering = (self.popularity_power * np.log(popularity[modelled])).astype(np.float32)
        highest, self.best_epoch = -1.0, 0
        best = np.zeros(rated.shape, dtype=np.float32)
        for epoch, scores in self._train(rated[:, modelled]):
            self.scores = np.full(rated.shape, scores.min() - tempering.max() - 1, dtype=np.float32)
            self.scores[:, modelled] = scores - tempering
            ndcg = epoch if validation is None else measure_validation_ndcg(self, validation)
            if ndcg > highest:
                highest, self.best_epoch, best = ndcg, epoch, self.scores
            elif epoch - self.best_epoch >= self.patience:
                break
        self.scores = best
        return self

    def _train(self, rated: sp.csr_array) -> Iterator[tuple[int, Floats]]:
        """Yield the number of epochs so far and the scores, every `check` epochs and after the last."""
        key, start = jax.random.split(jax.random.key(self.seed))
        optimizer = optax.adam(self.learning_rate)
        network = self._initialize(start, rated)
        state = network, optimizer.init(network)
        run, score = jax.jit(self._make_epoch(optimizer, rated)), jax.jit(self._make_scorer(rated))
        for epoch in range(1, self.epochs + 1):
            state = run(state, jax.random.fold_in(key, epoch), epoch)
            if epoch % self.check == 0 or epoch == self.epochs:
                yield epoch, np.asarray(score(state[0]))

    @abstractmethod
    def _initialize(self, key: Tree, rated: sp.csr_array) -> dict[str, Any]:
        """Draw the network's first weights."""

    @abstractmethod
    def _make_epoch(self, optimizer: Tree, rated: sp.csr_array) -> Tree:
        """Return a function of state, key and number of the epoch, which gives the state after it."""

    @abstractmethod
    def _make_scorer(self, rated: sp.csr_array) -> Tree:
        """Return a function of the network, which gives the scores of all pairs."""

    def score_rows(self, user_rows: Rows) -> Floats:
        """Return the scores of every movie, shape (users, movies)."""
        return self.scores[user_rows]

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        return {"scores": self.scores, **self._bias_arrays()}

    def _settings(self) -> dict[str, Any]:
        return asdict(self)


def draw_layer(key: Tree, rows: int, columns: int) -> dict[str, Any]:
    """Draw a dense layer by Glorot and Bengio (2010), its bias 0."""
    weights = jax.nn.initializers.glorot_normal()(key, (rows, columns))
    return {"weights": weights, "bias": jax.numpy.zeros(columns)}


def apply_layer(layer: dict[str, Any], inputs: Tree) -> Tree:
    """Return ``inputs W + b``."""
    return inputs @ layer["weights"] + layer["bias"]


def drop(key: Tree, inputs: Tree, share: float) -> Tree:
    """Set a share of the inputs to 0 and scale the others so that the sum is kept on average."""
    if share == 0:
        return inputs
    kept = jax.random.bernoulli(key, 1 - share, inputs.shape)
    return jax.numpy.where(kept, inputs / (1 - share), 0)


def descend(optimizer: Tree, state: Tree, loss: Tree, *given: Tree) -> Tree:
    """Take one step of the optimizer down the gradient of ``loss(network, *given)``."""
    network, moments = state
    updates, moments = optimizer.update(jax.grad(loss)(network, *given), moments)
    return optax.apply_updates(network, updates), moments
