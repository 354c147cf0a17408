"""Recommendation models, one a file, all with the interface of `base.Recommender`; and `SurpriseSVD`."""

import importlib
from typing import Any


def __getattr__(name: str) -> Any:  # noqa: ANN401  # a class
    """Import `SurpriseSVD` when it is asked for: no stage depends on it, and scikit-surprise is slow to import."""
    if name == "SurpriseSVD":
        return importlib.import_module("movierec.models.surprise_svd").SurpriseSVD
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
