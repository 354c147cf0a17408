"""Who rated what: the ratings that the models were made from, by user, with newer ones put over them."""

import copy
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.ids import LARGEST_ID, UNKNOWN, IdIndex, OwnId, find_rows
from movierec.recommender.own_ids import OwnIds

NO_RATINGS: Final[Mapping[OwnId, float]] = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class Profile:
    """One user's ratings, one a movie.

    Attributes
    ----------
    user_id : int
        The code inside, not necessarily known; above all codes of someone new with a text for an id.
    movie_ids : ndarray of int, shape (n,)
        Codes in ascending order; n may be 0.
    stars : ndarray of float32, shape (n,)
        On the data's scale; of events their counts.
    trained : bool
        Whether the models know the user.
    changed : bool
        Whether stored ratings say something else than those of the data.
    """

    user_id: int
    movie_ids: npt.NDArray[np.integer[Any]]
    stars: npt.NDArray[np.float32]
    trained: bool
    changed: bool


class Profiles:
    """The cleaned ratings by user: 8 bytes a rating and 12 a user, never changed.

    Parameters
    ----------
    ratings : DataFrame
        ``user_id``, ``movie_id``, ``rating``; sorted by user and movie without a pair twice, as the clean stage
        writes them.
    trained : IdIndex
        The users whom the models know.
    users, movies : OwnIds, optional
        What the data calls them; by default the ids are their own codes.
    counts : bool
        Whether what stands for ratings are counts of events: of a stored one and one of the data the larger counts, as
        the data may have taken in what is stored.
    """

    def __init__(
        self,
        ratings: pd.DataFrame,
        trained: IdIndex,
        users: OwnIds | None = None,
        movies: OwnIds | None = None,
        *,
        counts: bool = False,
    ) -> None:
        self._counts = counts
        self.users, self._movies = users or OwnIds(), movies or OwnIds()
        user_ids, first = np.unique(ratings[USER_ID].to_numpy(), return_index=True)
        self._user_ids = user_ids.astype(np.int32)
        self._start = np.append(first, len(ratings))
        self._movie_ids = ratings[MOVIE_ID].to_numpy(dtype=np.int32, copy=True)
        self._stars = ratings[RATING].to_numpy(dtype=np.float32, copy=True)
        self._trained = np.append(trained.rows(user_ids) >= 0, False)  # the last one for whom nobody knows

    def find(self, user: OwnId, stored: Mapping[int, float] | Mapping[OwnId, float] = NO_RATINGS) -> Profile:
        """Return a user's ratings, the stored ones over those of the data.

        Parameters
        ----------
        user : int or str
            Anyone's own id; of an unknown user only the stored ratings are known.
        stored : mapping of int or str to float
            Stars or counts by the movies' own ids, given since the data was collected. Movies whose id is text and
            which the data does not know are left out.

        Raises
        ------
        MovierecError
            If the user's id is text and the data's are integers.
        """
        found = self.users.find(user)
        user_id = LARGEST_ID + 1 + zlib.crc32(str(user).encode("utf-8", "surrogatepass")) if found is None else found
        row = int(find_rows(self._user_ids, [user_id])[0])
        part = slice(self._start[row], self._start[row + 1]) if row >= 0 else slice(0)
        movie_ids, stars, trained = self._movie_ids[part], self._stars[part], bool(self._trained[row])
        known = dict(zip(movie_ids.tolist(), stars.tolist(), strict=True)) if stored else {}
        newer = self._encode(stored)
        if self._counts:
            newer = {movie: max(count, known.get(movie, 0.0)) for movie, count in newer.items()}
        merged = {**known, **newer}
        if merged == known:  # as after an export that the data took in
            return Profile(user_id, movie_ids, stars, trained, changed=False)
        ordered = sorted(merged.items())
        ids, values = np.array([pair[0] for pair in ordered]), np.array([pair[1] for pair in ordered])
        return Profile(user_id, ids.astype(np.int64), values.astype(np.float32), trained, changed=True)

    def takes_user(self, own: OwnId) -> bool:
        """Tell whether a user of this data can have such an id: none is text where ids are integers."""
        return self.users.are_text or isinstance(own, int)

    def takes_movie(self, own: OwnId) -> bool:
        """Tell whether a movie of this data can have such an id; see `takes_user`."""
        return self._movies.are_text or isinstance(own, int)

    def rename_movies(self, movies: OwnIds) -> "Profiles":
        """Return the same ratings where movies are called otherwise."""
        renamed = copy.copy(self)
        vars(renamed)["_movies"] = movies
        return renamed

    def _encode(self, stored: Mapping[int, float] | Mapping[OwnId, float]) -> dict[int, float]:
        """Put codes for the movies' own ids."""
        wanted = {own: stars for own, stars in stored.items() if self._movies.are_text or isinstance(own, int)}
        codes = self._movies.find_all(wanted).tolist()
        return {code: stars for code, stars in zip(codes, wanted.values(), strict=True) if code != UNKNOWN}
