"""Where every file of the project lives, relative to its root; stages run there.

Side effects that must outlive a DVC experiment's temporary checkout (tracking database, trial memory)
go under `project_root`, which DVC names in the environment variable `DVC_ROOT`.
"""

import os
from pathlib import Path
from typing import Final

PARAMS: Final = Path("params.yaml")

RAW: Final = Path("data/raw")
CLEAN_RATINGS: Final = Path("data/clean/ratings")  # a folder of parts, as the three below
CLEAN_MOVIES: Final = Path("data/clean/movies.parquet")
CLEAN_USERS: Final = Path("data/clean/users.parquet")
TRAIN: Final = Path("data/split/train")
VALIDATION: Final = Path("data/split/validation")
TEST: Final = Path("data/split/test")
CONTENT: Final = Path("data/content.npz")
PER_USER: Final = Path("data/evaluation/per_user.parquet")

MODELS: Final = Path("models")
METRICS: Final = Path("metrics")  # headlines, which DVC counts as metrics
DETAILS: Final = Path("metrics/details")  # everything else that a stage found
PLOTS: Final = Path("plots")


def project_root() -> Path:
    """Return the absolute root of the repository, also from inside a queued experiment.

    Returns
    -------
    Path
        `DVC_ROOT` where DVC set it, else the working directory.
    """
    return Path(os.environ.get("DVC_ROOT") or Path.cwd()).resolve()


def state_dir() -> Path:
    """Return the git-ignored folder for state that no stage declares (trial memory, locks)."""
    return project_root() / ".movierec"
