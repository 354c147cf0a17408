"""Which users are ranked for, and which movies are relevant to each."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.data.exclusions import Exclusions
from movierec.ids import IdIndex


@dataclass(frozen=True)
class Relevance:
    """The users and movies of a part that rankings are judged on.

    Attributes
    ----------
    train : DataFrame
        ``user_id`` and ``movie_id`` of what the models were fitted on.
    judged : DataFrame
        The part to judge on: ``user_id``, ``movie_id``, ``rating``.
    threshold : float
        Stars from which a rating of `judged` makes its movie relevant.
    """

    train: pd.DataFrame
    judged: pd.DataFrame
    threshold: float

    @cached_property
    def users(self) -> IdIndex:
        """Users with judged ratings, in ascending order; rows of all per-user results."""
        return IdIndex(np.unique(self.judged[USER_ID]))

    @cached_property
    def catalogue(self) -> IdIndex:
        """Movies in train, in ascending order: what can be recommended."""
        return IdIndex(np.unique(self.train[MOVIE_ID]))

    @cached_property
    def known(self) -> npt.NDArray[np.bool_]:
        """Whether each user is in train, shape (users,); the others are cold and not ranked for."""
        return np.isin(self.users.ids, self.train[USER_ID].unique())

    @cached_property
    def matrix(self) -> sp.csr_array:
        """Relevant movies of the catalogue, boolean, shape (users, catalogue); none for cold users."""
        liked = self._liked[np.isin(self._liked[USER_ID], self.users.ids[self.known])]
        user, movie = self.users.rows(liked[USER_ID]), self.catalogue.rows(liked[MOVIE_ID])
        inside = movie >= 0
        ones = np.ones(int(inside.sum()), dtype=bool)
        return sp.csr_array((ones, (user[inside], movie[inside])), shape=(len(self.users), len(self.catalogue)))

    @cached_property
    def counts(self) -> npt.NDArray[np.int64]:
        """Relevant movies of each user, also those outside the catalogue; 0 for cold users."""
        counts = np.bincount(self.users.rows(self._liked[USER_ID]), minlength=len(self.users))
        return np.where(self.known, counts, 0)

    @cached_property
    def seen(self) -> Exclusions:
        """What users rated in train, which is not recommended again."""
        return Exclusions(self.catalogue, self.train)

    @property
    def _liked(self) -> pd.DataFrame:
        return self.judged[self.judged[RATING] >= self.threshold]
