"""Which stored model is put to use: the best by NDCG@10 on validation. Test figures take no part in the choice."""

from collections.abc import Mapping
from typing import Any

from movierec.errors import MovierecError
from movierec.feedback import LEFT_OUT
from movierec.roster import STORED, VALIDATION_NDCG


def choose_champion(figures: Mapping[str, Any]) -> str:
    """Name the stored model that ranks best on validation.

    Parameters
    ----------
    figures : mapping
        The content of ``metrics/details/evaluate.json``: each model's figures by its name.

    Returns
    -------
    str
        The one of `list_fitted` with the highest ``validation_ndcg@10``, the first by name among equals.

    Raises
    ------
    MovierecError
        If that figure of one of them is missing or no number.

    Examples
    --------
    >>> choose_champion({name: {"validation_ndcg@10": 0.1} for name in STORED})
    'als'
    """
    return max(sorted(list_fitted(figures)), key=lambda name: read_validation_ndcg(figures, name))


def list_fitted(figures: Mapping[str, Any]) -> tuple[str, ...]:
    """Name the stored models of the roster, but for those that the evaluation says were left out."""
    return tuple(name for name in STORED if name not in figures.get(LEFT_OUT, {}))


def read_validation_ndcg(figures: Mapping[str, Any], model: str) -> float:
    """Return ``validation_ndcg@10`` of one model, 0 to 1; see `choose_champion` for what is given and raised."""
    of_model = figures.get(model)
    value = of_model.get(VALIDATION_NDCG) if isinstance(of_model, Mapping) else None
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
        raise MovierecError(
            f"metrics/details/evaluate.json has no {VALIDATION_NDCG} of {model}: run `dvc repro evaluate`"
        )
    return float(value)
