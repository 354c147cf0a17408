"""Reading and checking the tables that figures are drawn from."""

from pathlib import Path

import numpy as np
import pandas as pd

from movierec.errors import MovierecError
from movierec.feedback import LEFT_OUT, is_left_out
from movierec.plot_tables import COLUMNS, TEXT

_OPTIONAL = frozenset({"relevance_threshold"})


def read_table(folder: Path, name: str) -> pd.DataFrame:
    """Read one of the plots' tables.

    Parameters
    ----------
    folder : Path
        Where the stages write them.
    name : str
        A key of `COLUMNS`; the file is ``name.csv``.

    Returns
    -------
    DataFrame
        The columns that `COLUMNS` lists for it, others left out; at least one row; every number finite, but for
        a relevance threshold, NaN where there is none. Names stay text, whatever they look like. Of a table that was
        left out for lack of ratings only the column `LEFT_OUT` and no row.

    Raises
    ------
    MovierecError
        If the file is absent, is no such table, has no rows, or lacks a number.
    """
    path = folder / f"{name}.csv"
    columns = list(COLUMNS[name])
    text = {column: str for column in columns if column in TEXT}
    try:
        if is_left_out(pd.read_csv(path, nrows=0, encoding="utf-8")):
            return pd.DataFrame(columns=[LEFT_OUT])
        table = pd.read_csv(path, usecols=columns, dtype=text, keep_default_na=False, encoding="utf-8")[columns]
    except FileNotFoundError as error:
        raise MovierecError(f"{path} is missing: run `dvc repro` to make it") from error
    except ValueError as error:  # also pandas' parser errors, an empty file and bytes that are no text
        raise MovierecError(f"{path} is damaged ({error}): delete it and run `dvc repro`") from error
    _check(table, path)
    for column in table.columns.intersection(list(_OPTIONAL)):
        table[column] = pd.to_numeric(table[column])
    return table


def _check(table: pd.DataFrame, path: Path) -> None:
    if table.empty:
        raise MovierecError(f"{path} has no rows: delete it and run `dvc repro`")
    for column in table.columns.difference(list(TEXT)):
        numbers = pd.to_numeric(table[column], errors="coerce").to_numpy(dtype=np.float64)
        absent = table[column].eq("").to_numpy() if column in _OPTIONAL else False
        damaged = ~np.isfinite(numbers) & ~absent
        if damaged.any():
            row = int(np.flatnonzero(damaged)[0])
            problem = f"column {column!r} holds {str(table[column].iloc[row])!r} instead of a number in row {row + 1}"
            raise MovierecError(f"{path} is damaged ({problem}): delete it and run `dvc repro`")
