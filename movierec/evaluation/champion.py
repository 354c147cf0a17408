"""The stored models, and which of them is put to use; validation figures alone decide, never test's."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from movierec.errors import MovierecError
from movierec.evaluation.validation import VALIDATION_NDCG
from movierec.models.als import ALS
from movierec.models.base import Recommender
from movierec.models.svd import SVD

MODELS: Final[Mapping[str, type[Recommender]]] = {"als": ALS, "als_tuned": ALS, "svd": SVD, "svd_tuned": SVD}


def choose_champion(figures: Mapping[str, Any]) -> str:
    """Name the stored model that ranks best on validation.

    Parameters
    ----------
    figures : mapping
        The content of ``metrics/evaluate.json``: each model's figures by its name.

    Returns
    -------
    str
        The one of `MODELS` with the highest ``validation_ndcg@10``, the first by name among equals.

    Raises
    ------
    MovierecError
        If that figure of one of them is missing or no number.

    Examples
    --------
    >>> choose_champion({name: {"validation_ndcg@10": 0.1} for name in MODELS})
    'als'
    """
    return max(sorted(MODELS), key=lambda name: read_validation_ndcg(figures, name))


def load_stored_model(path: Path) -> Recommender:
    """Load one of `MODELS` by the name of its file: ``als_tuned.npz`` holds an ALS."""
    return MODELS[path.stem].load(path)


def read_validation_ndcg(figures: Mapping[str, Any], model: str) -> float:
    """Return ``validation_ndcg@10`` of one model, 0 to 1; see `choose_champion` for what is given and raised."""
    of_model = figures.get(model)
    value = of_model.get(VALIDATION_NDCG) if isinstance(of_model, Mapping) else None
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
        raise MovierecError(f"metrics/evaluate.json has no {VALIDATION_NDCG} of {model}: run `dvc repro evaluate`")
    return float(value)
