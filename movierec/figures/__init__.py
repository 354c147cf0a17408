"""The figures that the plot stage draws: their names here, one theme a module beside."""

from typing import Final

RATING_DISTRIBUTION: Final = "rating_distribution"
LONG_TAIL: Final = "long_tail"
LEARNING_CURVE_SVD: Final = "learning_curve_svd"
LEARNING_CURVE_ALS: Final = "learning_curve_als"
TUNING: Final = "tuning"
TUNING_ALS: Final = "tuning_als"
ACCURACY: Final = "accuracy"
PRECISION_RECALL: Final = "precision_recall"
COVERAGE_ACCURACY: Final = "coverage_accuracy"
PREDICTED_ACTUAL: Final = "predicted_actual"
BY_ACTIVITY: Final = "by_activity"
BY_POPULARITY: Final = "by_popularity"
ABTEST: Final = "abtest"
ABTEST_POWER: Final = "abtest_power"

FIGURE_NAMES: Final = (
    RATING_DISTRIBUTION,
    LONG_TAIL,
    LEARNING_CURVE_SVD,
    LEARNING_CURVE_ALS,
    TUNING,
    TUNING_ALS,
    ACCURACY,
    PRECISION_RECALL,
    COVERAGE_ACCURACY,
    PREDICTED_ACTUAL,
    BY_ACTIVITY,
    BY_POPULARITY,
    ABTEST,
    ABTEST_POWER,
)
