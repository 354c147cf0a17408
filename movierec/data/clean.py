"""From ratings as read to ratings to train on: what is dropped, why, and the contract of what remains."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.pandas as pa
import polars as pl

from movierec.columns import MOVIE_ID, RATING, TIMESTAMP, USER_ID
from movierec.data.readers import RawRatings
from movierec.errors import MovierecError
from movierec.scales import Scale, find_core

FEWEST_RATINGS = 100

RATINGS_SCHEMA = pa.DataFrameSchema(
    {
        USER_ID: pa.Column("int32", pa.Check.ge(0)),
        MOVIE_ID: pa.Column("int32", pa.Check.ge(0)),
        RATING: pa.Column("float32", pa.Check(np.isfinite, error="finite")),
        TIMESTAMP: pa.Column("int64", pa.Check.ge(0), required=False),
    },
    checks=pa.Check(lambda table: bool((np.diff(pair_keys(table)) > 0).all()), error="pairs sorted and unique"),
    strict=True,
    ordered=True,
)

Duplicates = Literal["auto", "last", "first", "mean", "sum"]


@dataclass
class CleanReport:
    """What cleaning did.

    Attributes
    ----------
    rows_in : int
        Rows of the ratings file, broken ones included.
    dropped : dict of str to int
        Rows dropped, by reason.
    scale : Scale
        Of the ratings that remain; of counts their range.
    """

    rows_in: int
    dropped: dict[str, int] = field(default_factory=dict)
    scale: Scale = Scale(0.0, 0.0, 0.0)  # noqa: RUF009  # immutable

    def keep(self, table: pd.DataFrame, kept: npt.NDArray[np.bool_], reason: str) -> pd.DataFrame:
        """Return the rows marked in `kept`, shape (rows,), and count the others under `reason`."""
        self.dropped[reason] = int(len(kept) - kept.sum())
        return table if kept.all() else table.loc[kept].reset_index(drop=True)


def pair_keys(ratings: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Return one integer for each (user, movie) pair, ordered as the pairs are, shape (rows,)."""
    keys: npt.NDArray[np.int64] = (ratings[USER_ID].to_numpy(dtype=np.int64) << 32) + ratings[MOVIE_ID].to_numpy()
    return keys


def clean_ratings(
    raw: RawRatings,
    *,
    rating_scale: Scale | Literal["auto"] = "auto",
    unrated: float | None = None,
    duplicates: Duplicates = "auto",
    sample_fraction: float,
    min_user_ratings: int,
    min_movie_ratings: int,
    iterate: bool,
    max_bad_fraction: float,
    rng: np.random.Generator,
) -> tuple[pd.DataFrame, CleanReport]:
    """Drop what cannot be trained on, and say how much of it there was.

    Parameters
    ----------
    raw : RawRatings
        The readable rows in the file's order, and counts of the others.
    rating_scale : Scale or "auto"
        Ratings outside it are bad. By default the range of what occurs, less strays (see `find_core`, with
        `max_bad_fraction`).
    unrated : float, optional
        Rating that stands for none; such rows are dropped. So are, of implicit feedback, counts of 0 and below.
    duplicates : {"auto", "last", "first", "mean", "sum"}
        What becomes of several ratings of a pair: by time, and by place in the file among equals, the last or first
        stays; or their mean or sum, with the last one's time. ``auto`` is the last, and of implicit feedback the sum.
    sample_fraction : float
        Share of the valid ratings to keep, drawn without replacement; in (0, 1].
    min_user_ratings, min_movie_ratings : int
        A user or movie with fewer is dropped with all its ratings; first users, then movies.
    iterate : bool
        Repeat both until nothing changes; otherwise one pass, after which users may fall short again.
    max_bad_fraction : float
        Largest share of broken and off-scale rows and of those with a negative timestamp to accept; in [0, 1].
    rng : numpy.random.Generator
        Draws the sample.

    Returns
    -------
    ratings : DataFrame
        Obeys `RATINGS_SCHEMA`.
    report : CleanReport
        The counts.

    Raises
    ------
    MovierecError
        If too many rows are bad, or fewer than `FEWEST_RATINGS` remain.
    """
    report = CleanReport(len(raw.table) + sum(raw.broken.values()), dict(raw.broken))
    ratings = _drop_unrated(raw.table, report, unrated, is_implicit=raw.is_implicit)
    ratings = _drop_strays(ratings, report, rating_scale, max_bad_fraction, is_implicit=raw.is_implicit)
    if TIMESTAMP in ratings:
        ratings = report.keep(ratings, ratings[TIMESTAMP].to_numpy() >= 0, "negative_timestamp")
    bad = sum(count for reason, count in report.dropped.items() if reason != "unrated")
    _refuse_bad_data(report, bad, max_bad_fraction, raw.first_broken_line)
    kind = ("sum" if raw.is_implicit else "last") if duplicates == "auto" else duplicates
    ratings = _merge_duplicates(ratings, report, kind)
    drawn = np.ones(len(ratings), dtype=bool)
    if sample_fraction < 1:
        drawn[rng.permutation(len(ratings))[round(sample_fraction * len(ratings)) :]] = False
    ratings = report.keep(ratings, drawn, "not_sampled")
    enough = _enough_ratings(ratings, min_user_ratings, min_movie_ratings, iterate=iterate)
    ratings = report.keep(ratings, enough, "too_few_ratings")
    if len(ratings) < FEWEST_RATINGS:
        raise MovierecError(
            f"only {len(ratings)} of {report.rows_in} ratings are left after cleaning (at least {FEWEST_RATINGS} are "
            "needed): lower clean.min_user_ratings or clean.min_movie_ratings, or raise clean.sample_fraction",
        )
    if kind == "sum":
        report.scale = Scale.detect(ratings[RATING].to_numpy())
    return RATINGS_SCHEMA.validate(ratings), report


def _drop_unrated(
    ratings: pd.DataFrame, report: CleanReport, unrated: float | None, *, is_implicit: bool
) -> pd.DataFrame:
    value = ratings[RATING].to_numpy()
    kept = value > 0 if is_implicit else np.ones(len(value), dtype=bool)
    if unrated is not None:
        kept &= value != np.float32(unrated)
    return report.keep(ratings, kept, "unrated")


def _drop_strays(
    ratings: pd.DataFrame,
    report: CleanReport,
    scale: Scale | Literal["auto"],
    stray_share: float,
    *,
    is_implicit: bool,
) -> pd.DataFrame:
    """Settle the scale, and drop what lies outside."""
    seen = pl.Series(ratings[RATING].to_numpy()).value_counts(name="count").sort("")
    value, count = seen[""].to_numpy(), seen["count"].to_numpy()
    if scale == "auto" and len(value):
        low, high = (value[0], value[-1]) if is_implicit else find_core(value, count, stray_share)
        scale = Scale.detect(value[(value >= low) & (value <= high)])
    elif scale == "auto":
        return report.keep(ratings, np.ones(0, dtype=bool), "outside_scale")
    else:
        low, high = scale.low, scale.high
    report.scale = scale
    stars = ratings[RATING].to_numpy()
    return report.keep(ratings, (stars >= np.float32(low)) & (stars <= np.float32(high)), "outside_scale")


def _refuse_bad_data(report: CleanReport, bad: int, max_bad_fraction: float, first_broken_line: int | None) -> None:
    if bad > max_bad_fraction * report.rows_in:
        counts = {reason: count for reason, count in report.dropped.items() if count and reason != "unrated"}
        reasons = ", ".join(f"{reason} {count}" for reason, count in counts.items())
        where = f"; the first unreadable one is line {first_broken_line}" if first_broken_line else ""
        raise MovierecError(
            f"{bad} of {report.rows_in} rows of the ratings file are bad ({reasons}{where}), more than "
            f"clean.max_bad_fraction {max_bad_fraction:g} allows: mend the file or raise the limit",
        )


def _merge_duplicates(ratings: pd.DataFrame, report: CleanReport, kind: str) -> pd.DataFrame:
    """Sort by pair, and keep or make one rating of each."""
    key = pair_keys(ratings)
    if not (np.diff(key) > 0).all():
        times = [ratings[TIMESTAMP].to_numpy()] if TIMESTAMP in ratings else []
        order = np.lexsort((*times, key))
        ratings, key = ratings.iloc[order].reset_index(drop=True), key[order]
    is_first = np.append(True, key[1:] != key[:-1])[: len(key)]
    is_last = np.append(key[1:] != key[:-1], True)[: len(key)]
    kept = report.keep(ratings, is_first if kind == "first" else is_last, "duplicate")
    if kind in {"mean", "sum"} and report.dropped["duplicate"]:
        start = np.flatnonzero(is_first)
        total = np.add.reduceat(ratings[RATING].to_numpy(dtype=np.float64), start)
        size = np.diff(np.append(start, len(key)))
        kept[RATING] = (total / size if kind == "mean" else total).astype(np.float32)
    return kept


def _enough_ratings(
    ratings: pd.DataFrame,
    min_user: int,
    min_movie: int,
    *,
    iterate: bool,
) -> npt.NDArray[np.bool_]:
    """Mark the ratings whose user and movie have enough of them."""
    kept = np.ones(len(ratings), dtype=bool)
    groups = [(pd.factorize(ratings[USER_ID])[0], min_user), (pd.factorize(ratings[MOVIE_ID])[0], min_movie)]
    while True:
        before = kept.sum()
        for row, minimum in groups:
            count = np.bincount(row[kept], minlength=row.max(initial=-1) + 1)
            kept &= count[row] >= minimum
        if not iterate or kept.sum() == before:
            return kept
