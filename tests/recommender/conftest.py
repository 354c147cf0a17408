"""The ratings that models are tested on."""

from tests.models.conftest import ml_100k, ratings

__all__ = ["ml_100k", "ratings"]
