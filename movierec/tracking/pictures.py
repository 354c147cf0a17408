"""Which figure belongs to which run; drawing them is the figures' own business."""

from typing import Final

from movierec import figures

FIGURES: Final = {
    "train_svd": (figures.LEARNING_CURVE_SVD,),
    "train_als": (figures.LEARNING_CURVE_ALS,),
    "tune svd": (figures.TUNING,),
    "tune als": (figures.TUNING_ALS,),
    "evaluate": (
        figures.ACCURACY,
        figures.PRECISION_RECALL,
        figures.COVERAGE_ACCURACY,
        figures.PREDICTED_ACTUAL,
        figures.BY_ACTIVITY,
        figures.BY_POPULARITY,
    ),
    "abtest": (figures.ABTEST, figures.ABTEST_POWER),
}
"""The figures that belong to a run, by its name; the others show the data."""
