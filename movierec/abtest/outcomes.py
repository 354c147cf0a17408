"""Reading the outcomes of an experiment from a CSV file, and finding its arms."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from movierec.abtest.design import Observations
from movierec.abtest.difference import LARGEST
from movierec.columns import USER_ID
from movierec.errors import MovierecError

ARM: Final = "arm"
COVARIATE: Final = "covariate"

_LINE: Final = " line"  # no column of a file is called so: spaces around names are taken off


@dataclass(frozen=True)
class Outcomes:
    """One row a user: `user_id` and `arm` as text, each metric and the covariate, if there is one, as float64.

    Parameters
    ----------
    table : polars.DataFrame
        As read.
    metrics : tuple of str
        The first one decides.
    """

    table: pl.DataFrame
    metrics: tuple[str, ...]

    def choose_arms(self, control: str | None = None, treatment: str | None = None) -> tuple[str, str]:
        """Say which arms are compared.

        Parameters
        ----------
        control, treatment : str, optional
            Their names. Without them an arm of the name ``control`` is the control, and the other of two arms, or one
            of the name ``treatment``, is the treatment.

        Returns
        -------
        control, treatment : str

        Raises
        ------
        MovierecError
            If an arm is not in the table, both are the same, or it is not clear which ones are meant.
        """
        arms = self.table[ARM].unique(maintain_order=True).to_list()
        if len(arms) < 2:
            raise MovierecError(f"column {ARM!r} holds {_name(arms)} only: two arms are needed")
        if control is not None and control == treatment:
            raise MovierecError(f"both arms are called {control!r}: name two")
        control = _choose_arm("control", control, [arm for arm in arms if arm != treatment])
        return control, _choose_arm("treatment", treatment, [arm for arm in arms if arm != control])

    def observe(self, arm: str) -> Observations:
        """Return the data of one arm."""
        rows = self.table.filter(pl.col(ARM) == arm)
        first, *others = self.metrics
        covariate = rows[COVARIATE].to_numpy() if COVARIATE in rows.columns else None
        return Observations(rows[first].to_numpy(), covariate, {metric: rows[metric].to_numpy() for metric in others})


def read_outcomes(path: Path, metrics: Sequence[str] = ()) -> Outcomes:
    """Read one row a user: `user_id`, `arm`, a column for each metric, and perhaps `covariate`.

    Parameters
    ----------
    path : Path
        Comma-separated, UTF-8, with a header. Spaces around names and numbers do not count.
    metrics : sequence of str, optional
        The columns that are metrics, in this order; without it all but those named above, in the file's order.

    Returns
    -------
    Outcomes
        Every metric of every user a finite number.

    Raises
    ------
    MovierecError
        If the file cannot be read or parsed; a column is missing, there twice or no number; a user has no id or two
        rows; or a field is empty. The message names the line.
    """
    text = _read_text(path)
    for name in (USER_ID, ARM, *metrics):
        if name not in text.columns:
            raise MovierecError(f"{path} has no column {name!r}: it has {_name(text.columns[1:])}")
    others = [name for name in text.columns[1:] if name not in {USER_ID, ARM, COVARIATE}]
    numbers = [name for name in dict.fromkeys(metrics) if name not in {USER_ID, ARM}] if metrics else others
    if not numbers:
        raise MovierecError(f"{path} has no column of outcomes beside {_name(text.columns[1:])}")
    if text.is_empty():
        raise MovierecError(f"{path} has a header and no rows")
    for name in (USER_ID, ARM):
        _require_all(path, text, text[name].is_not_null(), f"{name!r} is empty")
    columns = [*numbers, *({COVARIATE} & set(text.columns) - set(numbers))]
    table = text.select(USER_ID, ARM, *(_to_number(path, text, name) for name in columns))
    if (repeated := table[USER_ID].is_duplicated()).any():
        problem = f"user {table[USER_ID].filter(repeated)[0]!r} has several rows: give each user one row, and one arm"
        _require_all(path, text, ~repeated, problem)
    return Outcomes(table, tuple(numbers))


def _read_text(path: Path) -> pl.DataFrame:
    """Read all fields as text without spaces around it, null where nothing is left; first the number of the line."""
    if not path.exists() or path.is_dir():
        raise MovierecError(f"{path} is {'a folder' if path.is_dir() else 'not there'}: name a CSV file")
    try:
        table = pl.read_csv(path, infer_schema=False, glob=False)
    except pl.exceptions.NoDataError as error:
        raise MovierecError(f"{path} is empty") from error
    except pl.exceptions.PolarsError as error:
        reason = str(error).split("\n", 1)[0]
        raise MovierecError(f"{path} cannot be parsed ({reason}): correct the file") from error
    except OSError as error:
        raise MovierecError(f"{path} cannot be read: {error.strerror or error}") from error
    table.columns = _check_names(path, [name.strip() for name in table.columns])
    stripped = pl.all().str.strip_chars()
    table = table.select(pl.when(stripped != "").then(stripped)).with_row_index(_LINE, offset=2)
    return table.filter(pl.any_horizontal(pl.exclude(_LINE).is_not_null()))  # blank lines say nothing


def _check_names(path: Path, names: list[str]) -> list[str]:
    for name in names:
        original = re.sub(r"_duplicated_\d+$", "", name)  # how polars renames a column that is there twice
        if not original:
            raise MovierecError(f"{path} has a column without a name: name it or leave it out")
        if names.count(name) > 1 or (original != name and original in names):
            raise MovierecError(f"{path} has column {original!r} twice: leave one out")
    return names


def _to_number(path: Path, text: pl.DataFrame, name: str) -> pl.Series:
    _require_all(path, text, text[name].is_not_null(), f"{name!r} is empty: drop such users, or the column")
    numbers = text[name].cast(pl.Float64, strict=False)
    usable = (numbers.is_finite() & (numbers.abs() <= LARGEST)).fill_null(value=False)
    if not usable.all():
        problem = f"{name!r} is {text[name].filter(~usable)[0]!r}, which is no usable number"
        _require_all(path, text, usable, f"{problem}: correct it, or name the metrics to analyse")
    return numbers


def _require_all(path: Path, text: pl.DataFrame, good: pl.Series, problem: str) -> None:
    if not good.all():
        raise MovierecError(f"{path}, line {text[_LINE].filter(~good)[0]}: {problem}")


def _choose_arm(role: str, wanted: str | None, arms: Sequence[str]) -> str:
    if wanted is None and role not in arms and len(arms) > 1:
        raise MovierecError(f"the arms are {_name(arms)}: say which one is the {role}")
    chosen = wanted or (role if role in arms else arms[0])
    if chosen not in arms:
        raise MovierecError(f"there is no arm {chosen!r} to be the {role}: the arms are {_name(arms)}")
    return chosen


def _name(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown
