"""EASE scores a movie by a weighted sum over what the user rated; its equations are solved elsewhere."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from movierec.columns import RATING
from movierec.data.content import Content
from movierec.models.base import Array, Rows, index_ids
from movierec.models.calibration import CalibratedRanker
from movierec.models.item_weights import ItemWeights, penalize_movies, solve_item_weights, weigh_voters
from movierec.models.products import rank_columns
from movierec.models.strength import measure_counts, to_stars
from movierec.models.top_k import TopK, top_k_rows

Floats = npt.NDArray[np.float32]
_ARRAYS = ("modelled", "tempering", "inputs", "own", "user_starts", "rated_rows", "rated_weights")
_SETTINGS = (
    "regularization", "low", "slope", "relevance_threshold", "dropout", "user_power", "popularity_power",
    "content_weight", "max_movies",
)  # fmt: skip


class EASE(CalibratedRanker):
    """Rank by ``x B``, x a row of the user's weighted ratings, B learned in closed form with a zero diagonal.

    Steck (2019), "Embarrassingly shallow autoencoders for sparse data". A rating of at least `relevance_threshold`
    stars weighs 1, and `slope` more for each star above it; a lower one weighs `low`. Other scales are stretched onto
    stars. Of counts one event weighs 1, and `slope` more for each unit of the count's logarithm, at least `low`.

    Parameters
    ----------
    regularization : float
        L2 penalty of B, above 0.
    low, slope : float
        See above; at least 0.
    relevance_threshold : float
        On the ratings' scale; not used for counts.
    dropout : float
        Share of a user's ratings that the model must do without, in [0, 1): adds ``dropout / (1 - dropout)`` times the
        movie's summed squared weights to its penalty (Steck 2020, "Autoencoders that don't overfit towards the
        identity", eq. 9).
    user_power : float
        A user counts by ``ratings ** -user_power`` in the fit, so that the active do not outvote others; at least 0.
    popularity_power : float
        A score is multiplied by ``(ratings of the movie) ** -popularity_power``, so that fewer blockbusters are listed;
        at least 0.
    content_weight : float
        Of the movies' content, whose factors are rows beside the users'; at least 0.
    max_movies : int
        B is learned for so many of the most rated movies; every other movie scores 0, as if nothing spoke for it.
        4 bytes x `max_movies` squared are needed, unless users are fewer.
    counts : bool
        Whether what stands for ratings are counts of events, such as plays.

    Attributes
    ----------
    inputs, outputs, own : ndarray of float32
        B, of the movies in `modelled`; see `ItemWeights`. Where B is whole, `outputs` holds numbers of 16 bits.
    modelled : ndarray of int32, shape (modelled,)
        Their rows, ascending.
    tempering : ndarray of float32, shape (modelled,)
        What scores are multiplied by.
    user_starts, rated_rows, rated_weights : ndarray
        The users' x as the three arrays of a CSR matrix, shape (users, modelled).
    """

    name: ClassVar[str] = "ease"
    inputs: Floats
    outputs: Floats
    own: Floats
    tempering: Floats
    modelled: Rows
    user_starts: Rows
    rated_rows: Rows
    rated_weights: Floats

    def __init__(
        self,
        regularization: float = 200.0,
        low: float = 0.4,
        slope: float = 0.3,
        relevance_threshold: float = 4.0,
        dropout: float = 0.5,
        user_power: float = 0.3,
        popularity_power: float = 0.1,
        content_weight: float = 5.0,
        max_movies: int = 20_000,
        *,
        counts: bool = False,
    ) -> None:
        self.regularization = regularization
        self.low = low
        self.slope = slope
        self.relevance_threshold = relevance_threshold
        self.dropout = dropout
        self.user_power = user_power
        self.popularity_power = popularity_power
        self.content_weight = content_weight
        self.max_movies = max_movies
        self.counts = counts

    def fit(self, ratings: pd.DataFrame, content: Content | None = None) -> Self:
        """Learn the weights, and the biases for `predict`.

        Parameters
        ----------
        ratings : DataFrame
            Columns ``user_id``, ``movie_id``, ``rating``; not empty.
        content : Content, optional
            Of the movies; without it, or where `content_weight` is 0, ratings alone are used.

        Returns
        -------
        Self
            Fitted; until `calibrate` is called it predicts what the bias model predicts.

        Raises
        ------
        MovierecError
            If the equations have no unique solution in float32: too little regularization.
        """
        self.users, self.movies, user, movie = index_ids(ratings)
        self._fit_bias(ratings)
        popularity = np.bincount(movie)
        self.modelled = np.sort(np.argsort(-popularity, kind="stable")[: self.max_movies]).astype(np.int32)
        self.tempering = (popularity[self.modelled] ** -float(self.popularity_power)).astype(np.float32)
        weights = self.weigh(ratings[RATING].to_numpy(dtype=np.float32))
        rated = sp.csr_array((weights, (user, movie)), shape=(len(self.users), len(self.movies)))[:, self.modelled]
        rated.sort_indices()
        self.user_starts, self.rated_rows, self.rated_weights = rated.indptr, rated.indices, rated.data
        rows = np.zeros((0, len(self.modelled)), dtype=np.float32)
        if content is not None and self.content_weight > 0:
            factors = content.of(self.movies.ids[self.modelled])
            rows = np.ascontiguousarray(factors.T) * np.float32(np.sqrt(self.content_weight))
        voted = weigh_voters(rated, np.bincount(user), self.user_power)
        penalty = penalize_movies(voted, self.regularization, self.dropout)
        self.inputs, self.outputs, self.own = solve_item_weights(voted, penalty, rows)
        if not self.inputs.size:
            self.outputs = self.outputs.astype(np.float16).astype(np.float32)
        return self

    def weigh(self, stars: Floats) -> Floats:
        """Return what a rating of so many stars weighs in x, in the shape of `stars`."""
        slope, low = np.float32(self.slope), np.float32(self.low)
        if self.counts:
            weights: Floats = np.maximum(1 + slope * (measure_counts(stars) - measure_counts(1)), low)
            return weights
        above = to_stars(stars, self.scale) - to_stars(np.float32(self.relevance_threshold), self.scale)
        return np.where(stars >= self.relevance_threshold, 1 + slope * above, low)

    @property
    def _item_weights(self) -> ItemWeights:
        return ItemWeights(self.inputs, self.outputs, self.own)

    @property
    def _rated(self) -> sp.csr_array:
        arrays = self.rated_weights, self.rated_rows, self.user_starts
        return sp.csr_array(arrays, shape=(len(self.users), len(self.modelled)))

    def score_rows(self, user_rows: Rows) -> npt.NDArray[np.float32]:
        """Return the scores, shape (users, movies); 0 for movies that are not modelled."""
        return self._score(self._rated[user_rows])

    def score_modelled(self, user_rows: Rows) -> Floats:
        """Return the scores of the movies in `modelled`, shape (users, modelled)."""
        return self._item_weights.score(self._rated[user_rows]) * self.tempering

    def find_columns(self, movie_rows: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.int64]:
        """Return the places of movies in `modelled`, -1 for others."""
        place = np.full(len(self.movies), -1, dtype=np.int64)
        place[self.modelled] = np.arange(len(self.modelled))
        return np.asarray(place[movie_rows])

    def _score_pairs(self, user_rows: Rows, user: npt.NDArray[np.integer[Any]], movie: Rows) -> Floats:
        column = self.find_columns(movie)
        return np.asarray(np.where(column >= 0, self.score_modelled(user_rows)[user, column], np.float32(0)))

    def _rank(self, user_rows: Rows, excluded: Sequence["sp.csr_array[Any]"], k: int) -> Iterator[TopK]:
        scores = self.score_modelled(user_rows)
        for seen in excluded:
            top = rank_columns(scores, self.modelled, seen, k)
            short = np.flatnonzero(~(top.scores[:, -1] > 0))  # movies that are not modelled score 0 and belong in
            whole = top_k_rows(self.score_rows(user_rows[short]), seen[short].indptr, seen[short].indices, k)
            top.columns[short], top.scores[short] = whole
            yield top

    def fold_in(self, movie_rows: Rows, stars: npt.ArrayLike) -> Floats:
        """Score every movie for someone who was not in the fit: the same product as for those who were.

        Parameters
        ----------
        movie_rows : ndarray of int, shape (n,)
            Distinct rows of the rated movies.
        stars : array_like of float, shape (n,)
            Their ratings.

        Returns
        -------
        ndarray of float32, shape (movies,)
            Zeros for someone who rated no modelled movie.
        """
        column, weights = self.find_columns(movie_rows), self.weigh(np.asarray(stars, dtype=np.float32))
        known = column >= 0
        rated = sp.csr_array((weights[known], column[known], [0, known.sum()]), shape=(1, len(self.modelled)))
        return np.asarray(self._score(rated)[0])

    @property
    def weighed(self) -> npt.NDArray[np.integer[Any]]:
        """The rows of the movies whose ratings count, ascending."""
        return self.modelled

    def spread_weights(self, weights: Floats) -> Floats:
        """Return the scores of the modelled movies by weights of all of them, shape (n, modelled) as `weights`."""
        if not self.inputs.size:
            return (weights @ self.outputs) * self.tempering
        return ((weights @ self.inputs) @ self.outputs - weights * self.own) * self.tempering

    def explain(self, movie_rows: Rows, stars: npt.ArrayLike, target_rows: Rows) -> Array:
        """Part scores among the ratings that they come from, exactly.

        Parameters
        ----------
        movie_rows, stars
            A user's ratings, as `fold_in` takes them.
        target_rows : ndarray of int, shape (m,)
            The movies whose scores are to be explained.

        Returns
        -------
        ndarray of float64, shape (m, n)
            What each rating adds to each score; a row's sum is the score. Of any sign; 0 for a movie to itself and
            for what is not modelled.
        """
        column, weights = self.find_columns(movie_rows), self.weigh(np.asarray(stars, dtype=np.float32))
        target = self.find_columns(target_rows)
        between = self._item_weights.between(column, target).astype(np.float64) * weights[:, np.newaxis]  # (n, m)
        both = (column >= 0)[:, np.newaxis] & (target >= 0)
        return np.where(both, between * self.tempering[target], 0.0).T

    def correlate(self, movie_row: int) -> Floats:
        """Return each movie's partial correlation with one movie, shape (movies,); 0 where one of them is not modelled.

        See `ItemWeights.correlate`.
        """
        correlations = np.zeros(len(self.movies), dtype=np.float32)
        if (column := int(self.find_columns(np.array([movie_row]))[0])) >= 0:
            correlations[self.modelled] = self._item_weights.correlate(column)
        return correlations

    def _score(self, rated: sp.csr_array) -> Floats:
        scores = self._item_weights.score(rated) * self.tempering
        if len(self.modelled) == len(self.movies):
            return scores
        every = np.zeros((len(scores), len(self.movies)), dtype=np.float32)
        every[:, self.modelled] = scores
        return every

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        outputs = self.outputs if self.inputs.size else self.outputs.astype(np.float16)
        return {**self._bias_arrays(), **{name: getattr(self, name) for name in _ARRAYS}, "outputs": outputs}

    def _settings(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _SETTINGS} | ({"counts": True} if self.counts else {})

    def _restore(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        super()._restore(arrays | {"outputs": arrays["outputs"].astype(np.float32, copy=False)})
