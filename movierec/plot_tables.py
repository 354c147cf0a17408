"""The columns of the tables in plots/, of which the figures and `dvc plots` are drawn."""

from collections.abc import Mapping
from typing import Final

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "clean_ratings": ("stars", "ratings"),
    "clean_long_tail": ("movie_share", "rating_share"),
    "train_svd": ("epoch", "train_rmse", "validation_rmse"),
    "train_als": ("iteration", "loss"),
    "train_bayes": ("sweep", "validation_rmse"),
    "tune_svd": ("configuration", "factors", "epochs", "learning_rate", "regularization", "validation_rmse"),
    "tune_als": (
        "configuration",
        "factors",
        "iterations",
        "regularization",
        "alpha",
        "relevance_threshold",
        "content_weight",
        "validation_ndcg@10",
    ),
    "tune_bayes": ("configuration", "factors", "directions", "validation_rmse"),
    "evaluate_accuracy": ("model", "rmse", "rmse_low", "rmse_high", "mae", "mae_low", "mae_high"),
    "evaluate_at_k": ("model", "k", "precision", "recall", "ndcg", "coverage"),
    "evaluate_calibration": ("model", "predicted", "actual", "ratings"),
    "evaluate_by_activity": ("model", "metric", "decile", "n_train", "estimate", "low", "high"),
    "evaluate_by_popularity": ("model", "metric", "decile", "n_train", "estimate", "low", "high"),
    "evaluate_intervals": ("model", "stated", "observed", "width"),
    "evaluate_deviations": ("model", "decile", "stated", "observed", "ratings"),
    "abtest": ("quantity", "label", "estimate", "low", "high"),
    "abtest_power": ("effect", "users_per_arm", "power"),
}
TEXT: Final = frozenset({"model", "metric", "configuration", "quantity", "label"})
