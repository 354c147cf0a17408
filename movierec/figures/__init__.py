"""The figures that the plot stage draws: their names here, one theme a module beside."""

from enum import StrEnum


class Name(StrEnum):
    """The figures; ``plots/NAME.png`` is the file."""

    RATING_DISTRIBUTION = "rating_distribution"
    LONG_TAIL = "long_tail"
    LEARNING_CURVE_SVD = "learning_curve_svd"
    LEARNING_CURVE_ALS = "learning_curve_als"
    LEARNING_CURVE_BAYES = "learning_curve_bayes"
    TUNING_SVD = "tuning_svd"
    TUNING_ALS = "tuning_als"
    TUNING_BAYES = "tuning_bayes"
    ACCURACY = "accuracy"
    PRECISION_RECALL = "precision_recall"
    COVERAGE_ACCURACY = "coverage_accuracy"
    PREDICTED_ACTUAL = "predicted_actual"
    BY_ACTIVITY = "by_activity"
    BY_POPULARITY = "by_popularity"
    UNCERTAINTY = "uncertainty"
    ABTEST = "abtest"
    ABTEST_POWER = "abtest_power"
