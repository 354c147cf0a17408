"""The data that every model is judged on, and what is known of it whatever the model."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from movierec.columns import GENRES, MOVIE_ID, RATING, USER_ID
from movierec.data.exclusions import Exclusions
from movierec.ids import IdIndex
from movierec.metrics.deciles import DECILES, find_deciles
from movierec.metrics.diversity import mean_profile_popularity
from movierec.metrics.relevance import Relevance
from movierec.models.chunks import RankChunks, rank_by_threads

Values = npt.NDArray[np.float64]
EDGES: Final = 21  # of the bins of predicted stars; quarters of a star on a scale of 0.5 to 5


@dataclass(frozen=True)
class TestBed:
    """The data that every model is judged on.

    Attributes
    ----------
    train, validation, test : DataFrame
        The three parts.
    movies : DataFrame
        ``movie_id`` and ``genres``.
    relevance_threshold : float
        Stars from which a test rating makes its movie relevant.
    movie_factors : ndarray of float, shape (catalogue, factors), optional
        By which the distance of two movies is judged, the same for every model.
    rated : bool
        Whether there are ratings to predict, not events alone.
    rank_chunks : RankChunks
        Who ranks; threads of this process by default.
    """

    __test__ = False  # for pytest: no test class

    train: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame
    movies: pd.DataFrame
    relevance_threshold: float
    movie_factors: npt.NDArray[np.floating] | None = None
    rated: bool = True
    rank_chunks: RankChunks = rank_by_threads

    @cached_property
    def relevance(self) -> Relevance:
        """Who is ranked for, and what is relevant to them."""
        return Relevance(self.train, self.test, self.relevance_threshold)

    @cached_property
    def validation_relevance(self) -> Relevance:
        """What is relevant in validation, by which models are chosen."""
        return Relevance(self.train, self.validation, self.relevance_threshold)

    @property
    def users(self) -> IdIndex:
        """Users with test ratings, in ascending order; rows of all per-user results."""
        return self.relevance.users

    @property
    def catalogue(self) -> IdIndex:
        """Movies in train, in ascending order: what can be recommended."""
        return self.relevance.catalogue

    @cached_property
    def test_users(self) -> npt.NDArray[np.int32]:
        """The row of each test rating's user, shape (test ratings,)."""
        return self.users.rows(self.test[USER_ID])

    @cached_property
    def test_ratings(self) -> npt.NDArray[np.int64]:
        """How many test ratings each user has, shape (users,)."""
        return np.bincount(self.test_users, minlength=len(self.users))

    @cached_property
    def seen(self) -> pd.DataFrame:
        """Pairs of train and validation, which are not recommended again."""
        return pd.concat([self.train, self.validation])[[USER_ID, MOVIE_ID]]

    @cached_property
    def excluded(self) -> Exclusions:
        """The pairs of `seen`, ready for look-ups."""
        return Exclusions(self.catalogue, self.train, self.validation)

    @cached_property
    def ranked_users(self) -> IdIndex:
        """Users with validation or test ratings, in ascending order: who gets lists."""
        return IdIndex(np.union1d(self.users.ids, self.validation_relevance.users.ids))

    @cached_property
    def genre_matrix(self) -> npt.NDArray[np.bool_]:
        """Genres of each movie of the catalogue, shape (catalogue, genres); none for an unlisted movie."""
        listed = dict(zip(self.movies[MOVIE_ID], self.movies[GENRES], strict=True))
        genres = [set(listed.get(movie_id, ())) for movie_id in self.catalogue.ids.tolist()]
        names = sorted(set().union(*genres))
        return np.array([[name in row for name in names] for row in genres], dtype=bool).reshape(len(genres), -1)

    @cached_property
    def popularity(self) -> npt.NDArray[np.int64]:
        """Train ratings of each movie of the catalogue, shape (catalogue,)."""
        return np.bincount(self.catalogue.rows(self.train[MOVIE_ID]), minlength=len(self.catalogue))

    @cached_property
    def movie_deciles(self) -> npt.NDArray[np.int64]:
        """Decile of each movie of the catalogue by popularity, 1 to 10, shape (catalogue,)."""
        return find_deciles(self.popularity)

    @cached_property
    def rating_deciles(self) -> npt.NDArray[np.int64]:
        """Decile of each test rating's movie, 0 for a movie that is not in train, shape (test ratings,)."""
        movie = self.catalogue.rows(self.test[MOVIE_ID])
        return np.where(movie >= 0, self.movie_deciles[movie], 0)

    @cached_property
    def rating_groups(self) -> npt.NDArray[np.int64]:
        """Each test rating's ``decile * users + user``, shape (test ratings,)."""
        return self.rating_deciles * len(self.users) + self.test_users

    @cached_property
    def test_ratings_by_decile(self) -> npt.NDArray[np.int64]:
        """How many test ratings each user has in each decile, shape (11, users)."""
        shape = DECILES + 1, len(self.users)
        return np.bincount(self.rating_groups, minlength=shape[0] * shape[1]).reshape(shape)

    @cached_property
    def star_edges(self) -> Values:
        """Edges of bins that hold every rating and what lies a little beyond, rising, shape (21,)."""
        ends = np.array(
            [(part[RATING].min(), part[RATING].max()) for part in (self.train, self.test)], dtype=np.float64
        )
        low, high = ends.min(), ends.max()
        return np.asarray(low + ((high - low) / (EDGES - 3) or 1.0) * np.arange(-1, EDGES - 1))

    @cached_property
    def train_users(self) -> int:
        """How many users train has."""
        return int(self.train[USER_ID].nunique())

    @cached_property
    def profile_popularity(self) -> Values:
        """Mean popularity of what each user rated in train, shape (users,)."""
        return mean_profile_popularity(self.profiles, self.popularity)

    @cached_property
    def activity(self) -> npt.NDArray[np.int64]:
        """Train ratings of each user, shape (users,); 0 for cold users."""
        counts: npt.NDArray[np.int64] = np.diff(self.profiles.indptr).astype(np.int64)
        return counts

    @cached_property
    def profiles(self) -> sp.csr_array:
        """What each user rated in train, boolean, shape (users, catalogue)."""
        user, movie = self.users.rows(self.train[USER_ID]), self.catalogue.rows(self.train[MOVIE_ID])
        inside = user >= 0
        ones = np.ones(int(inside.sum()), dtype=bool)
        return sp.csr_array((ones, (user[inside], movie[inside])), shape=(len(self.users), len(self.catalogue)))

    def describe(self) -> dict[str, int]:
        """Count what the figures stand on, and what they leave out."""
        new_movie = self.catalogue.rows(self.test[MOVIE_ID]) < 0
        known, n_relevant = self.relevance.known, self.relevance.counts
        new_user = ~known[self.test_users]
        return {
            "test_ratings": len(self.test),
            "test_users": len(self.users),
            "catalogue": len(self.catalogue),
            "ranked_users": int((n_relevant > 0).sum()),
            "users_not_in_train": int((~known).sum()),
            "users_without_relevant": int((known & (n_relevant == 0)).sum()),
            "ratings_of_unknown_user_or_movie": int((new_user | new_movie).sum()),
        }
