"""The class of every kind of model in the roster, and how the roster's models are read or fitted."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pandas as pd

from movierec.models.als import ALS
from movierec.models.base import Recommender
from movierec.models.bayes import Bayes
from movierec.models.bias import Bias
from movierec.models.blend import Blend
from movierec.models.ease import EASE
from movierec.models.popularity import Popularity
from movierec.models.svd import SVD
from movierec.roster import BY_NAME, ROSTER, STORED

CLASSES: Final[Mapping[str, type[Recommender]]] = {
    each.name: each for each in (SVD, ALS, EASE, Blend, Bayes, Bias, Popularity)
}


def load_model(path: Path) -> Recommender:
    """Load a stored model by the name of its file: ``als_tuned.npz`` holds an ALS.

    Raises
    ------
    MovierecError
        As `Recommender.load` does.
    KeyError
        If the roster has no such name.
    """
    return CLASSES[BY_NAME[path.stem].kind].load(path)


def list_models(*, implicit: bool = False) -> list[str]:
    """Return the names of the roster's models in its order; of events alone without those that need ratings."""
    return [entry.name for entry in ROSTER if not (implicit and entry.needs_ratings)]


def obtain_model(name: str, folder: Path, train: pd.DataFrame) -> Recommender:
    """Load a model of the roster if it is stored, else fit it on train with its default settings.

    Parameters
    ----------
    name : str
        In the roster.
    folder : Path
        Holds ``NAME.npz``.
    train : DataFrame
        Columns ``user_id``, ``movie_id``, ``rating``; not empty.

    Raises
    ------
    MovierecError
        As `Recommender.load` does.
    """
    return load_model(folder / f"{name}.npz") if name in STORED else CLASSES[BY_NAME[name].kind]().fit(train)
