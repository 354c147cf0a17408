"""Who rated what: the ratings that the models were made from, by user, with newer ones put over them."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.ids import IdIndex, find_rows

NO_RATINGS: Final[Mapping[int, float]] = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class Profile:
    """One user's ratings, one a movie.

    Attributes
    ----------
    user_id : int
        Not necessarily known.
    movie_ids : ndarray of int32, shape (n,)
        In ascending order; n may be 0.
    stars : ndarray of float32, shape (n,)
        0.5 to 5.
    trained : bool
        Whether the models know the user.
    changed : bool
        Whether stored ratings say something else than those of the data.
    """

    user_id: int
    movie_ids: npt.NDArray[np.int32]
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
    """

    def __init__(self, ratings: pd.DataFrame, trained: IdIndex) -> None:
        user_ids, first = np.unique(ratings[USER_ID].to_numpy(), return_index=True)
        self._user_ids = user_ids.astype(np.int32)
        self._start = np.append(first, len(ratings))
        self._movie_ids = ratings[MOVIE_ID].to_numpy(dtype=np.int32, copy=True)
        self._stars = ratings[RATING].to_numpy(dtype=np.float32, copy=True)
        self._trained = np.append(trained.rows(user_ids) >= 0, False)  # the last one for whom nobody knows

    def find(self, user_id: int, stored: Mapping[int, float] = NO_RATINGS) -> Profile:
        """Return a user's ratings, the stored ones over those of the data.

        Parameters
        ----------
        user_id : int
            Anyone's; of an unknown user only the stored ratings are known.
        stored : mapping of int to float
            Stars by movie id, given since the data was collected.
        """
        row = int(find_rows(self._user_ids, [user_id])[0])
        part = slice(self._start[row], self._start[row + 1]) if row >= 0 else slice(0)
        movie_ids, stars, trained = self._movie_ids[part], self._stars[part], bool(self._trained[row])
        known = dict(zip(movie_ids.tolist(), stars.tolist(), strict=True)) if stored else {}
        merged = {**known, **stored}
        if merged == known:  # as after an export that the data took in
            return Profile(user_id, movie_ids, stars, trained, changed=False)
        ordered = sorted(merged.items())
        ids, values = np.array([pair[0] for pair in ordered]), np.array([pair[1] for pair in ordered])
        return Profile(user_id, ids.astype(np.int32), values.astype(np.float32), trained, changed=True)
