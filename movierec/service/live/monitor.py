"""Counters, histograms and gauges for /metrics, in Prometheus's format."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from movierec.recommender.artifacts import Artifacts
from movierec.service.live.drift import RatingErrors

_BUCKETS_S: Final = (0.001, 0.002, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)


class Monitor:
    """Counters, histograms and gauges of one app, in a registry of its own.

    The rating errors count ratings of users whom the models know, of movies that were new to them, as in the test part
    that the baseline comes from; others are harder or easier to predict for reasons that are no drift.
    """

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self.requests = Histogram(
            "movierec_request_seconds",
            "Time to answer",
            ("route", "method", "status"),
            registry=registry,
            buckets=_BUCKETS_S,
        )
        self.errors = Counter("movierec_errors", "Answers with a status of 500 or more", ("route",), registry=registry)
        self.cache = Counter("movierec_cache", "Recommendations by cache", ("result",), registry=registry)
        self.strategies = Counter("movierec_strategy", "Recommendations computed", ("strategy",), registry=registry)
        self.cold_starts = Counter("movierec_cold_starts", "Of users of whom nothing is known", registry=registry)
        self.ratings = Counter("movierec_ratings", "Ratings posted", ("result",), registry=registry)
        self.reloads = Counter("movierec_reloads", "Loads of the models", ("result",), registry=registry)
        self._model = Gauge("movierec_model_info", "The models served", ("version", "champion"), registry=registry)
        baseline = Gauge("movierec_rating_rmse_baseline", "RMSE on the test part, stars", registry=registry)
        window = Gauge("movierec_rating_rmse", "RMSE of the last 1,000 ratings, stars", registry=registry)
        alarm = Gauge("movierec_rating_drift", "1: worse than the baseline by more than chance", registry=registry)
        self._errors = RatingErrors(float("nan"))
        baseline.set_function(lambda: self._errors.baseline_rmse)
        window.set_function(lambda: self._errors.rmse)
        alarm.set_function(lambda: self._errors.alarm)

    def start_model(self, artifacts: Artifacts) -> None:
        """Tell of new models and begin a new window of rating errors."""
        self._model.clear()
        self._model.labels(artifacts.version, artifacts.champion).set(1)
        self._errors = RatingErrors(artifacts.baseline_rmse)

    def add_error(self, error: float) -> None:
        """Take in how far a rating was from its prediction, in stars."""
        self._errors.add(error)

    def expose(self) -> bytes:
        """Return all figures as text."""
        return generate_latest(self._registry)
