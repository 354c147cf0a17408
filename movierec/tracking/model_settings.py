"""The settings of tuned and stored models, named as params.yaml names them."""

from collections.abc import Mapping
from typing import Any, Final

from movierec.lockfile import Stage
from movierec.roster import BY_NAME, STORED

_SCORE: Final = "validation_"
_COUNTS: Final = frozenset({"trials", "pruned", "diverged"})
SHARING_FACTORS: Final = frozenset({"svd", "als"})


def split_scores(row: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the settings of a configuration's row, and its scores on the validation ratings."""
    scores = {name: value for name, value in row.items() if name.startswith(_SCORE)}
    return {name: value for name, value in row.items() if name not in scores}, scores


def name_settings(model: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Name the settings of a configuration as params.yaml names those of its model: ``svd.epochs``.

    The SVD's and the ALS's factors are one parameter, ``factors``.
    """
    shared = {"factors"} if model in SHARING_FACTORS else set()
    return {name if name in shared else f"{model}.{name}": value for name, value in settings.items()}


def find_settings(stages: Mapping[str, Stage], tuned: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the settings of each stored model by its name; what params.yaml leaves open is as it was tuned.

    Parameters
    ----------
    stages : mapping of str to Stage
        Of dvc.lock, by name.
    tuned : mapping of str to mapping
        The winning configuration of each kind of model that was tuned: the details of the stage tune.

    Raises
    ------
    KeyError
        If a model's stage or winner is absent.
    """
    found: dict[str, dict[str, Any]] = {}
    for entry in (BY_NAME[name] for name in STORED):
        winner, _ = split_scores(tuned.get(entry.kind, {}))
        settings = {key: value for key, value in winner.items() if key not in _COUNTS | {"configuration"}}
        named = name_settings(entry.kind, settings)
        if entry.stage == "tune":
            found[entry.name] = {"configuration": tuned[entry.kind]["configuration"]} | named
        else:
            params = {name: value for name, value in stages[str(entry.stage)].params.items() if name != "seed"}
            found[entry.name] = params | {name: named[name] for name in params.keys() & named if params[name] is None}
    return found
