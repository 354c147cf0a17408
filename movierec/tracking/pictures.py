"""Which figure belongs to which run; drawing them is the figures' own business."""

from typing import Final

from movierec.figures import Name

FIGURES: Final = {
    "train_svd": (Name.LEARNING_CURVE_SVD,),
    "train_als": (Name.LEARNING_CURVE_ALS,),
    "train_ease": (),
    "train_bayes": (Name.LEARNING_CURVE_BAYES,),
    "train_blend": (),
    "tune svd": (Name.TUNING_SVD,),
    "tune als": (Name.TUNING_ALS,),
    "tune bayes": (Name.TUNING_BAYES,),
    "evaluate": (
        Name.ACCURACY,
        Name.PRECISION_RECALL,
        Name.COVERAGE_ACCURACY,
        Name.PREDICTED_ACTUAL,
        Name.BY_ACTIVITY,
        Name.BY_POPULARITY,
        Name.UNCERTAINTY,
    ),
    "abtest": (Name.ABTEST, Name.ABTEST_POWER),
}
"""The figures that belong to a run, by its name; the others show the data."""
