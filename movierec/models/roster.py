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


def gather_models(folder: Path, train: pd.DataFrame, *, implicit: bool = False) -> dict[str, Recommender]:
    """Load every stored model of the roster and fit the others on train with their default settings.

    Parameters
    ----------
    folder : Path
        Holds ``NAME.npz``.
    train : DataFrame
        Columns ``user_id``, ``movie_id``, ``rating``; not empty.
    implicit : bool
        Whether there are events alone; then models that need ratings are left out.

    Returns
    -------
    dict of str to Recommender
        By name, in the order of the roster.
    """
    return {
        entry.name: load_model(folder / f"{entry.name}.npz")
        if entry.name in STORED
        else CLASSES[entry.kind]().fit(train)
        for entry in ROSTER
        if not (implicit and entry.needs_ratings)
    }
