"""Rating models of other libraries behind one interface: scikit-surprise's, and myFM's and cmfrec's if installed."""

import importlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp
import surprise

from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.ids import IdIndex
from movierec.metrics.rating import mae, rmse

BEST_SURPRISE = {"n_factors": 200, "n_epochs": 60, "lr_all": 0.005, "reg_all": 0.05, "init_std_dev": 0.05}


class Reference(ABC):
    """A model of another library on tables of ratings."""

    library: ClassVar[str]

    @abstractmethod
    def fit(self, train: pd.DataFrame) -> None:
        """Bring the ratings into the library's form and train."""

    @abstractmethod
    def predict(self, test: pd.DataFrame) -> npt.ArrayLike:
        """Return the predicted stars of each row."""

    def judge(self, test: pd.DataFrame) -> dict[str, float]:
        """Return RMSE and MAE on the test ratings, in stars."""
        predicted = self.predict(test)
        return {"rmse": rmse(test[RATING], predicted), "mae": mae(test[RATING], predicted)}


class SurpriseReference(Reference):
    """scikit-surprise's SVD.

    Parameters
    ----------
    **settings
        Of ``surprise.SVD``.
    """

    library = "surprise"

    def __init__(self, **settings: float) -> None:
        self._algorithm = surprise.SVD(random_state=0, **settings)

    def fit(self, train: pd.DataFrame) -> None:
        """Build its training set and train."""
        reader = surprise.Reader(rating_scale=(train[RATING].min(), train[RATING].max()))
        data = surprise.Dataset.load_from_df(train[[USER_ID, MOVIE_ID, RATING]], reader)
        self._algorithm.fit(data.build_full_trainset())

    def predict(self, test: pd.DataFrame) -> npt.ArrayLike:
        """Ask for one pair after the other: it knows no other way."""
        pairs = zip(test[USER_ID], test[MOVIE_ID], strict=True)
        return [self._algorithm.predict(user, movie).est for user, movie in pairs]


class MyFMReference(Reference):
    """myFM's Gibbs sampler of a factorisation machine on ids alone: rank 20, 200 iterations."""

    library = "myfm"

    def fit(self, train: pd.DataFrame) -> None:
        """Train on one-hot rows of users and movies."""
        import myfm  # noqa: PLC0415  # not always there

        self._users, self._movies = IdIndex(train[USER_ID].unique()), IdIndex(train[MOVIE_ID].unique())
        self._scale = train[RATING].min(), train[RATING].max()
        self._model: Any = myfm.MyFMRegressor(rank=20, random_seed=0)
        groups = [len(self._users), len(self._movies)]
        self._model.fit(self._encode(train), train[RATING].to_numpy(), n_iter=200, group_shapes=groups)

    def predict(self, test: pd.DataFrame) -> npt.ArrayLike:
        """Return the posterior mean, on the training ratings' scale."""
        return np.asarray(np.clip(self._model.predict(self._encode(test)), *self._scale))

    def _encode(self, table: pd.DataFrame) -> sp.csr_matrix:
        """Mark user and movie; nobody is marked for one that train does not hold."""
        user, movie = self._users.rows(table[USER_ID]), self._movies.rows(table[MOVIE_ID])
        columns = np.concatenate([user, np.where(movie >= 0, movie + len(self._users), -1)])
        rows, known = np.tile(np.arange(len(table)), 2), columns >= 0
        shape = len(table), len(self._users) + len(self._movies)
        return sp.csr_matrix((np.ones(known.sum()), (rows[known], columns[known])), shape=shape)


class CmfrecReference(Reference):
    """cmfrec's collective factorisation by ALS: 40 factors, and which movies were rated as implicit features."""

    library = "cmfrec"

    def fit(self, train: pd.DataFrame) -> None:
        """Train with its other settings at their defaults."""
        import cmfrec  # noqa: PLC0415  # not always there

        self._scale = train[RATING].min(), train[RATING].max()
        self._model: Any = cmfrec.CMF(k=40, add_implicit_features=True, verbose=False, random_state=0)
        self._model.fit(rename(train))

    def predict(self, test: pd.DataFrame) -> npt.ArrayLike:
        """Return its scores, on the training ratings' scale; of whoever is new, by the other's bias."""
        named = rename(test)
        return np.asarray(np.clip(self._model.predict(named["UserId"], named["ItemId"]), *self._scale))


def rename(table: pd.DataFrame) -> pd.DataFrame:
    """Return ratings with the column names that cmfrec asks for."""
    return pd.DataFrame({"UserId": table[USER_ID], "ItemId": table[MOVIE_ID], "Rating": table[RATING]})


def list_references() -> Iterator[tuple[str, Reference]]:
    """Yield what can be imported with its name, and say what cannot.

    scikit-surprise has its defaults, and the settings that were best for it on ml-100k's test part, which favours it.
    """
    yield "scikit-surprise default", SurpriseReference()
    yield "scikit-surprise best", SurpriseReference(**BEST_SURPRISE)
    for reference in (MyFMReference(), CmfrecReference()):
        try:
            importlib.import_module(reference.library)
        except ImportError as error:
            print(f"{reference.library} is left out ({error}): `pip install {reference.library}`")
        else:
            yield reference.library, reference
