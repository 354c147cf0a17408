"""What every model has in common: its interface, ranking in blocks, and its file format."""

import json
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from movierec.columns import MOVIE_ID, USER_ID
from movierec.data.exclusions import Exclusions
from movierec.errors import MovierecError
from movierec.feedback import LEFT_OUT
from movierec.ids import IdIndex
from movierec.io import write_arrays
from movierec.models.chunks import Chunk, Places, RankChunks, Ranker, rank_by_threads
from movierec.models.products import Products
from movierec.models.rows import rank_ids
from movierec.models.top_k import TopK, top_k_rows

MIN_STARS, MAX_STARS = 0.5, 5.0
BLOCK_CELLS = 8_000_000  # scores held at a time while ranking: 32 MB of float32
MANY_USERS = 256  # by which what is done once a block costs little

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int32]


class Lists(NamedTuple):
    """Recommended movies and their scores, both of shape (users, k); see `Recommender.recommend`."""

    movie_ids: npt.NDArray[np.int32]
    scores: npt.NDArray[np.float32]


class Recommender(ABC):
    """A model fitted on ratings that predicts ratings and ranks movies.

    Attributes
    ----------
    users, movies : IdIndex
        The training users and movies in ascending order of id; factor rows follow this order.
    scale : ndarray of float64, shape (2,)
        Lowest and highest training rating, to which predictions are clipped.
    """

    name: ClassVar[str]
    users: IdIndex
    movies: IdIndex
    counts: bool = False  # whether it was fitted to counts of events, and predicts no ratings
    scale: Array = np.array([MIN_STARS, MAX_STARS])  # of a model that says nothing of it

    @abstractmethod
    def fit(self, ratings: pd.DataFrame) -> Self:
        """Learn from ratings.

        Parameters
        ----------
        ratings : DataFrame
            Columns ``user_id``, ``movie_id``, ``rating`` (stars); one row a pair.

        Returns
        -------
        Self
            Fitted.
        """

    @abstractmethod
    def predict(self, user_ids: npt.ArrayLike, movie_ids: npt.ArrayLike) -> Array:
        """Predict the rating of each pair.

        Parameters
        ----------
        user_ids, movie_ids : array_like of int, shape (n,)
            Unknown ids are allowed: whatever is known of the pair is used, at least the global mean.

        Returns
        -------
        ndarray of float64, shape (n,)
            On the training ratings' scale, between the lowest and the highest of them.
        """

    @abstractmethod
    def score_rows(self, user_rows: Rows) -> npt.NDArray[np.float32]:
        """Return the ranking scores of every movie, shape (users, movies), for known users' rows."""

    @abstractmethod
    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return the fitted arrays to store."""

    @abstractmethod
    def _settings(self) -> dict[str, Any]:
        """Return the constructor's arguments."""

    def recommend(
        self,
        user_ids: npt.ArrayLike,
        k: int,
        exclude: pd.DataFrame | Exclusions | None = None,
    ) -> Lists:
        """Rank the training movies for each user.

        Parameters
        ----------
        user_ids : array_like of int, shape (n,)
            Distinct users.
        k : int
            Length of the lists, at least 1.
        exclude : DataFrame or Exclusions, optional
            Pairs (``user_id``, ``movie_id``) never to recommend, such as what was already rated.

        Returns
        -------
        movie_ids : ndarray of int32, shape (n, k)
            Best first, ties by ascending id; -1 where fewer than `k` movies are left, and in the whole
            row of a user whom the model does not know.
        scores : ndarray of float32, shape (n, k)
            The model's scores, NaN where there is no movie. Comparable within one row only.
        """
        return self.recommend_each(user_ids, k, [exclude])[0]

    def recommend_each(
        self,
        user_ids: npt.ArrayLike,
        k: int,
        excludes: Sequence[pd.DataFrame | Exclusions | None],
        rank_chunks: RankChunks = rank_by_threads,
    ) -> list[Lists]:
        """Rank as `recommend` does with each of several exclusions; the scores are computed once.

        By default the work is done by threads of this process; whoever does it, chunks and results are the same.
        """
        wanted = IdIndex(user_ids)
        rows = self.users.rows(wanted.ids)
        excluded = [self._exclude(exclude) for exclude in excludes]
        shape = (len(wanted), k)
        lists = [Lists(np.full(shape, -1, np.int32), np.full(shape, np.nan, np.float32)) for _ in excludes]
        known = np.flatnonzero(rows >= 0)
        ranker = self._as_ranker()
        block = max(1, BLOCK_CELLS // len(self.movies))
        if isinstance(ranker, Products):  # which computes few of the scores
            known, block = known[ranker.order_users(rows[known])], max(block, MANY_USERS)
        parts = [known[start : start + block] for start in range(0, len(known), block)]

        def make(part: Places) -> Chunk:
            return Chunk(rows[part], [one.select(wanted.ids[part], self.movies) for one in excluded])

        for part, tops in zip(parts, rank_chunks(ranker, make, parts, k), strict=True):
            for (ids, scores), (top, top_scores) in zip(lists, tops, strict=True):
                ids[part], scores[part] = np.where(top >= 0, self.movies.ids[top], -1), top_scores
        return lists

    def rank_chunk(self, chunk: Chunk, k: int) -> list[TopK]:
        """Return the best movies of some known users under each of several exclusions."""
        return list(self._rank(*chunk, k))

    def _as_ranker(self) -> Ranker:
        """Return what ranks as the model does, perhaps without computing every score."""
        return self

    def _rank(self, user_rows: Rows, excluded: Sequence["sp.csr_array[Any]"], k: int) -> Iterator[TopK]:
        """Yield the best movies of known users under each of several exclusions, by one computation of scores."""
        scores = self.score_rows(user_rows)
        for seen in excluded:
            yield top_k_rows(scores, seen.indptr, seen.indices, k)

    def _exclude(self, exclude: pd.DataFrame | Exclusions | None) -> Exclusions:
        if isinstance(exclude, Exclusions):
            return exclude
        return Exclusions(
            self.movies, pd.DataFrame(columns=[USER_ID, MOVIE_ID], dtype=int) if exclude is None else exclude
        )

    def save(self, path: Path) -> None:
        """Write the model as an ``.npz`` file: its arrays and its settings as JSON; the same bytes every time."""
        settings = json.dumps({"model": self.name, **self._settings()}, sort_keys=True)
        ids = {"user_ids": self.users.ids, "movie_ids": self.movies.ids}
        write_arrays({"settings": np.array(settings), **ids, "scale": self.scale, **self._arrays()}, path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a model that `save` wrote; nothing is ever unpickled.

        Parameters
        ----------
        path : Path
            An ``.npz`` file.

        Returns
        -------
        Self
            Predicts and ranks exactly as the model that was saved.

        Raises
        ------
        MovierecError
            If the file is absent, damaged or holds another kind of model.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                arrays = dict(stored)
            if LEFT_OUT in arrays:
                raise MovierecError(f"{path} holds no model: {arrays[LEFT_OUT]}")
            settings = json.loads(str(arrays.pop("settings")))
            kind = settings.pop("model")
            if kind != cls.name:
                raise MovierecError(f"{path} holds a model {kind!r}, not {cls.name!r}")
            model = cls(**settings)
            model.users, model.movies = IdIndex(arrays.pop("user_ids")), IdIndex(arrays.pop("movie_ids"))
            model._restore(arrays)
        except FileNotFoundError as error:
            raise MovierecError(f"{path} is missing: run `dvc repro` to make it") from error
        except (ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile) as error:
            raise MovierecError(f"{path} is no model file or is damaged: delete it and run `dvc repro`") from error
        return model

    def _restore(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        """Take back what `_arrays` gave; the users and movies are known by then."""
        vars(self).update(arrays)


def index_ids(ratings: pd.DataFrame) -> tuple[IdIndex, IdIndex, Rows, Rows]:
    """Index the users and movies of a table of ratings.

    Parameters
    ----------
    ratings : DataFrame
        With ``user_id`` and ``movie_id``; not empty.

    Returns
    -------
    users, movies : IdIndex
        In ascending order of id.
    user_rows, movie_rows : ndarray of int32, shape (ratings,)
        The rows of each rating's user and movie.

    Raises
    ------
    ValueError
        If there is no rating.
    """
    if ratings.empty:
        raise ValueError("cannot fit a model on no ratings")
    user_rows, user_ids = rank_ids(ratings[USER_ID].to_numpy())
    movie_rows, movie_ids = rank_ids(ratings[MOVIE_ID].to_numpy())
    return IdIndex(user_ids), IdIndex(movie_ids), user_rows, movie_rows


def find_range(stars: npt.NDArray[np.floating[Any]]) -> Array:
    """Return the lowest and the highest rating, shape (2,)."""
    return np.array([stars.min(), stars.max()], dtype=np.float64)


def gather(values: Array, rows: Rows) -> Array:
    """Return ``values[rows]`` with 0 where a row is unknown (-1), shape (n,)."""
    return np.where(rows >= 0, values[rows], 0.0)
