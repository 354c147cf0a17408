"""The model that MLflow serves: recommendations by a stored model; this file itself is what MLflow keeps and runs.

It needs movierec's code beside it and three files of arrays, of which none is ever unpickled. Who logs it is
`movierec.tracking.registry`.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, PythonModelContext

from movierec.columns import MOVIE_ID, USER_ID
from movierec.evaluation.champion import load_stored_model
from movierec.ids import IdIndex
from movierec.models.popularity import Popularity

MODEL, POPULARITY, SEEN = "model", "popularity", "seen"  # names of the artifacts
K: Final = 10
LONGEST: Final = 200


class SeenPairs:
    """Which movies each user has rated, as rows of a compressed sparse matrix.

    Parameters
    ----------
    path : Path
        What `save_seen_pairs` wrote.
    """

    def __init__(self, path: Path) -> None:
        with np.load(path, allow_pickle=False) as stored:
            self.users, self.movies = IdIndex(stored["user_ids"]), stored["movie_ids"]
            self.starts, self.movie_rows = stored["starts"], stored["movie_rows"]

    def find_movies(self, user_id: int) -> npt.NDArray[np.int32]:
        """Return the ids of a user's movies, shape (n,); none of an unknown user."""
        row = int(self.users.rows([user_id])[0])
        pairs = slice(self.starts[row], self.starts[row + 1]) if row >= 0 else slice(0)
        found: npt.NDArray[np.int32] = self.movies[self.movie_rows[pairs]]
        return found


def save_seen_pairs(pairs: pd.DataFrame, path: Path) -> None:
    """Write ``user_id`` and ``movie_id`` of what was rated as arrays in an ``.npz`` file.

    Parameters
    ----------
    pairs : DataFrame
        Every pair once, in any order.
    path : Path
        Replaced.
    """
    user_rows, user_ids = pd.factorize(pairs[USER_ID].to_numpy(), sort=True)
    movie_rows, movie_ids = pd.factorize(pairs[MOVIE_ID].to_numpy(), sort=True)
    order = np.lexsort((movie_rows, user_rows))
    starts = np.append(0, np.cumsum(np.bincount(user_rows, minlength=len(user_ids))))
    arrays = {"user_ids": user_ids, "movie_ids": movie_ids, "movie_rows": movie_rows[order].astype(np.int32)}
    np.savez(path, allow_pickle=False, starts=starts, **arrays)


class ServedModel(PythonModel):  # type: ignore[misc]  # MLflow is untyped
    """Recommend movies that a user has not rated, to users the model knows and to strangers."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read the three artifacts: the model, `Popularity` fitted on train, and the seen pairs."""
        files = {name: Path(path) for name, path in context.artifacts.items()}
        self.model, self.popularity = load_stored_model(files[MODEL]), Popularity.load(files[POPULARITY])
        self.seen = SeenPairs(files[SEEN])

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Recommend up to `k` movies to each user, without those that the user rated in train or validation.

        Parameters
        ----------
        context : PythonModelContext
            Unused.
        model_input : DataFrame
            ``user_id`` (int64); a user asked for twice is answered once, in the first place.
        params : dict, optional
            ``k`` of 1 to 200, by default 10.

        Returns
        -------
        DataFrame
            One row a movie: ``user_id``, ``rank`` from 1, ``movie_id``, ``score``, ``strategy``. ``personal`` rows have
            the model's own score, comparable for one user only. Users unknown to the model get ``popular`` rows: the
            movies with the best mean rating, shrunken towards the global mean by 10 ratings, which is the score
            (stars). Ties are in ascending order of ``movie_id``.

        Raises
        ------
        MlflowException
            If `k` is out of range; a server answers with status 400.
        """
        del context
        k = int((params or {}).get("k", K))
        if not 1 <= k <= LONGEST:
            raise MlflowException.invalid_parameter_value(f"k is {k}: ask for 1 to {LONGEST} movies")
        users = pd.unique(model_input[USER_ID].to_numpy(dtype=np.int64))
        known = self.model.users.rows(users) >= 0
        personal = self._recommend_personal(users[known], k)
        lists = [personal[user] if user in personal else self._recommend_popular(user, k) for user in users.tolist()]
        return pd.concat([_as_table([], [], ""), *lists], ignore_index=True).assign(
            user_id=np.repeat(users, [len(each) for each in lists])
        )[[USER_ID, "rank", MOVIE_ID, "score", "strategy"]]

    def _recommend_personal(self, users: npt.NDArray[np.int64], k: int) -> dict[int, pd.DataFrame]:
        seen = [pd.DataFrame({USER_ID: user, MOVIE_ID: self.seen.find_movies(user)}) for user in users.tolist()]
        if not seen:
            return {}
        movies, scores = self.model.recommend(users, k, exclude=pd.concat(seen))
        return {
            user: _as_table(found[found >= 0], score[found >= 0], "personal")
            for user, found, score in zip(users.tolist(), movies, scores, strict=True)
        }

    def _recommend_popular(self, user: int, k: int) -> pd.DataFrame:
        left = np.setdiff1d(self.popularity.movies.ids, self.seen.find_movies(user))
        stars = self.popularity.predict(np.full(len(left), user), left)
        best = np.argsort(-stars, kind="stable")[:k]
        return _as_table(left[best], stars[best], "popular")


def _as_table(movies: npt.ArrayLike, scores: npt.ArrayLike, strategy: str) -> pd.DataFrame:
    movie_ids = np.asarray(movies, dtype=np.int64)
    columns = {"rank": np.arange(1, len(movie_ids) + 1), MOVIE_ID: movie_ids}
    return pd.DataFrame({**columns, "score": np.asarray(scores, dtype=np.float64)}).assign(strategy=strategy)


set_model(ServedModel())
