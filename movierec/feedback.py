"""What feedback without ratings leaves out: the files of models that need ratings say so, and readers can tell."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from movierec.errors import MovierecError
from movierec.io import write_arrays, write_csv, write_json
from movierec.paths import DETAILS
from movierec.plot_tables import COLUMNS, TEXT
from movierec.roster import NEED_RATINGS
from movierec.settings import AbtestParams

LEFT_OUT: Final = "left_out"
NO_RATINGS: Final = "no ratings"


def leave_out(model: str, outputs: Iterable[Path]) -> None:
    """Fill a stage's outputs for a model that needs ratings where there are none, and say so in one line.

    A model file holds the reason alone. A table has it in a column ``left_out``, in a row whose numbers are empty. The
    details hold it under the model's name, and the headlines, which are numbers, hold nothing there.

    Parameters
    ----------
    model : str
        Kind of the model, as the roster names it.
    outputs : iterable of Path
        Files ending in ``.npz``, ``.csv`` or ``.json``.
    """
    for path in outputs:
        if path.suffix == ".npz":
            write_arrays({LEFT_OUT: np.array(NO_RATINGS)}, path)
        elif path.suffix == ".csv":
            row = {column: NO_RATINGS if column in TEXT else "" for column in COLUMNS[path.stem]}
            write_csv(pd.DataFrame([{LEFT_OUT: NO_RATINGS} | row]), path)
        else:
            write_json({model: {LEFT_OUT: NO_RATINGS} if path.parent == DETAILS else {}}, path)
    print(f"{model} left out: {NO_RATINGS}")


def leave_out_stars(outputs: Iterable[Path]) -> dict[str, dict[str, str]]:
    """Fill the tables of an evaluation that need ratings, and return which models need them, as its details hold it."""
    leave_out("stars", outputs)
    return {LEFT_OUT: dict.fromkeys(NEED_RATINGS, NO_RATINGS)}


def is_left_out(table: pd.DataFrame) -> bool:
    """Tell whether a table is one that `leave_out` wrote."""
    return LEFT_OUT in table.columns


def describe_rmse(found: float | None) -> str:
    """Say a model's RMSE on validation, or why there is none."""
    return f"stars left out: {NO_RATINGS}" if found is None else f"RMSE {found:.4f} on validation"


def require_no_ratings(abtest: AbtestParams) -> None:
    """Refuse an experiment on ratings where the data has none.

    Raises
    ------
    MovierecError
        If it names a metric or a model that needs ratings.
    """
    for key, value in (("metric", abtest.metric), ("control", abtest.control), ("treatment", abtest.treatment)):
        if value.endswith("_error") or value in NEED_RATINGS:
            example = "ndcg@10" if key == "metric" else "popularity"
            raise MovierecError(f"abtest.{key} {value} needs ratings, but the data has none: choose such as {example}")
