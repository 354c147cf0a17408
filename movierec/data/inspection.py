"""What a file of ratings is and how the pipeline would read it, told before anything is run."""

import re
import shlex
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import polars as pl

from movierec.columns import MOVIE_ID, RATING, TIMESTAMP, USER_ID
from movierec.data.describe import describe_reading
from movierec.data.download import hash_files, open_dataset
from movierec.data.duplicates import pair_keys
from movierec.data.guessing import GENRES, ITEM, TITLE, USER, YEAR
from movierec.data.guessing import RATING as RATING_ROLE
from movierec.data.guessing import TIMESTAMP as TIMESTAMP_ROLE
from movierec.data.layouts import GUESS_ALL, Source
from movierec.data.readers import RawRatings, read_ratings
from movierec.data.tables import read_lines
from movierec.scales import Scale, find_core
from movierec.settings import AUTO, SourceParams

STRAY_SHARE: Final = 0.001  # as clean.max_bad_fraction
_NO_WORDS: Final = {"null", "true", "false", "yes", "no", "on", "off", "nan", "inf", ".nan", ".inf"}
_KINDS: Final = {"text": "text", "parquet": "Parquet", "jsonl": "JSON lines"}


@dataclass(frozen=True)
class Inspection:
    """What was found.

    Attributes
    ----------
    file : str
        What the file is, in words.
    reading : str
        How it would be read, in one line.
    counts : dict of str to int
        ``rows``, ``broken``, ``users``, ``movies``, ``duplicates`` (rows that repeat a pair).
    scale : Scale
        Of the ratings or counts, without strays.
    span : tuple of str or None
        Days of the first and last rating.
    problems : list of str
        What is wrong or odd, each in a line, with line numbers where there are any.
    options : dict of str to Any
        Parameters, beside ``dataset``, that read the data so without guesses.
    """

    file: str
    reading: str
    counts: dict[str, int]
    scale: Scale
    span: tuple[str, str] | None
    problems: list[str] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)


def inspect_dataset(
    dataset: str, params: SourceParams = GUESS_ALL, feedback: str = AUTO, fetched_sha256: str | None = None
) -> Inspection:
    """Look through a data set without changing anything.

    Parameters
    ----------
    dataset : str
        As `fetch_dataset` takes it.
    params, feedback
        As `read_ratings` takes them.
    fetched_sha256 : str, optional
        What `hash_files` gave when the data was fetched; a change since then is a problem.

    Returns
    -------
    Inspection
        Of every row.

    Raises
    ------
    MovierecError
        Where the pipeline would refuse the data, with the same words.
    """
    with open_dataset(dataset) as (folder, _):
        raw = read_ratings(folder, params, feedback)
        assert raw.source is not None  # noqa: S101  # for the type checker
        value, count, scale = _find_scale(raw)
        problems = [*_tell_broken(raw), *_tell_odd(raw, value, count, scale)]
        if fetched_sha256 and hash_files(folder) != fetched_sha256:
            problems.append("it has changed since it was fetched: `dvc repro --force fetch` reads it again")
        return Inspection(
            _describe_file(raw.source),
            describe_reading(raw, scale),
            _count(raw),
            scale,
            _span(raw),
            problems,
            _choose_options(raw.source, params),
        )


def format_inspection(found: Inspection, dataset: str) -> str:
    """Write an inspection for a person, with the lines of params.yaml and the command that use it.

    Parameters
    ----------
    found : Inspection
        From `inspect_dataset`.
    dataset : str
        What was inspected.

    Returns
    -------
    str
        Some twenty lines.
    """
    count = found.counts
    sizes = f"{count['rows']:,} rows by {count['users']:,} users of {count['movies']:,} items"
    flaws = f"{count['broken']:,} broken, {count['duplicates']:,} that repeat a user and item"
    lines = [found.file, found.reading, f"{sizes}; {flaws}"]
    lines += [f"from {found.span[0]} to {found.span[1]}"] if found.span else []
    lines += ["", *(f"! {problem}" for problem in found.problems)] if found.problems else []
    options = {"dataset": dataset, **found.options}
    settings = " ".join(f"-S {shlex.quote(f'{key}={_write(value)}')}" for key, value in options.items())
    return "\n".join([*lines, "", "In params.yaml:", "", *_nest(options), "", f"Or: dvc exp run {settings}"])


def _describe_file(source: Source) -> str:
    table = source.ratings
    how = f", fields separated by {table.separator!r}" if table.format == "text" else ""
    how += ", decimal commas" if table.decimal == "," else ""
    how += "" if table.has_names else ", without a header"
    packed = "gzipped " if table.path.name.lower().endswith(".gz") else ""
    layout = "" if source.layout == "own" else f" of MovieLens's {source.layout} layout"
    movies = f"; movies in {source.movies.name}" if source.movies else "; no file of movies"
    return f"{table.name}{layout}: {packed}{_KINDS[table.format]}{how}{movies}"


def _find_scale(raw: RawRatings) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], Scale]:
    seen = pl.Series(raw.table[RATING].to_numpy()).value_counts(name="count").sort("")
    value, count = seen[""].to_numpy(), seen["count"].to_numpy()
    if not len(value):
        return value, count, Scale(0, 0, 0)
    low, high = (value[0], value[-1]) if raw.is_implicit else find_core(value, count, STRAY_SHARE)
    return value, count, Scale.detect(value[(value >= low) & (value <= high)])


def _count(raw: RawRatings) -> dict[str, int]:
    distinct = pl.Series(pair_keys(raw.table)).n_unique()
    broken = sum(raw.broken.values())
    return {
        "rows": len(raw.table) + broken,
        "broken": broken,
        "users": pl.Series(raw.table[USER_ID].to_numpy()).n_unique(),
        "movies": pl.Series(raw.table[MOVIE_ID].to_numpy()).n_unique(),
        "duplicates": len(raw.table) - distinct,
    }


def _span(raw: RawRatings) -> tuple[str, str] | None:
    if TIMESTAMP not in raw.table or raw.table.empty:
        return None
    first, last = _day(raw.table[TIMESTAMP].min()), _day(raw.table[TIMESTAMP].max())
    return first, last


def _day(seconds: int) -> str:
    with suppress(ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%d")
    return f"second {seconds}"


def _tell_broken(raw: RawRatings) -> list[str]:
    problems = [f"{count:,} rows are {reason.replace('_', ' ')}" for reason, count in raw.broken.items() if count]
    if raw.broken_in:
        table, lines = raw.broken_in, raw.broken_lines
        is_text = table.format != "parquet"
        texts = read_lines(table.path, lines) if is_text else ("" for _ in lines)
        where = f"{table.path.name}, " if raw.has_parts else ""
        where += "line" if is_text else "row"
        problems += [f"{where} {line}: {text}" for line, text in zip(lines, texts, strict=False)]
    return problems


def _tell_odd(raw: RawRatings, value: np.ndarray[Any, Any], count: np.ndarray[Any, Any], scale: Scale) -> list[str]:
    problems = []
    strays = count[(value < scale.low - 1e-6) | (value > scale.high + 1e-6)].sum()
    if strays:
        problems.append(f"{strays:,} ratings lie far outside the scale and would be dropped: rating_scale settles it")
    lowest = scale.low
    if not raw.is_implicit and lowest in {0, -1} and len(value) > 2 and count[0] > 0.2 * count.sum():
        share = f"{count[0] / count.sum():.0%} of the ratings are {lowest:g}"
        problems.append(f"{share}: if that means 'not rated', set clean.unrated to {lowest:g}")
    if TIMESTAMP in raw.table and not raw.table.empty:
        early = int((raw.table[TIMESTAMP].to_numpy() < 0).sum())
        if early:
            problems.append(f"{early:,} times lie before 1970 and their rows would be dropped")
        if raw.table[TIMESTAMP].max() > datetime(2100, 1, 1, tzinfo=UTC).timestamp():
            problems.append("some times lie after the year 2100")
    return problems


def _choose_options(source: Source, params: SourceParams) -> dict[str, Any]:
    """Give what was guessed as parameters; nothing for MovieLens's own layouts, which need none."""
    if source.layout != "own":
        return {}
    table = source.ratings
    options: dict[str, Any] = {}
    names = {**source.movie_roles, **source.roles}
    for role in (USER, ITEM, RATING_ROLE, TIMESTAMP_ROLE, TITLE, GENRES, YEAR):
        if role in names:
            options[f"source.columns.{role}"] = names[role]
    if source.is_implicit:
        options["feedback"] = "implicit"
    if table.format == "text" and table.separator != ",":
        options["source.separator"] = "tab" if table.separator == "\t" else table.separator
    if table.decimal == ",":
        options["source.decimal"] = table.decimal
    if params.ids != "auto":
        options["source.ids"] = params.ids
    return options


def _nest(options: Mapping[str, Any]) -> list[str]:
    """Write options by dotted names as nested YAML."""
    lines: list[str] = []
    open_sections: tuple[str, ...] = ()
    for key, value in sorted(options.items(), key=lambda item: (item[0].count(".") > 0, item[0])):
        *sections, name = key.split(".")
        for depth, section in enumerate(sections):
            if tuple(sections[: depth + 1]) != open_sections[: depth + 1]:
                lines.append(f"{'  ' * depth}{section}:")
        open_sections = tuple(sections)
        lines.append(f"{'  ' * len(sections)}{name}: {_write(value)}")
    return lines


def _write(value: object) -> str:
    """Write a value as both YAML and ``dvc exp run -S`` read it."""
    text = str(value)
    if re.fullmatch(r"[A-Za-z_./][\w./-]*", text, re.ASCII) and text.lower() not in _NO_WORDS:
        return text
    return f'"{text}"' if "'" in text else f"'{text}'"
