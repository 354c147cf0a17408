"""From ratings as read to ratings to train on: what is dropped, why, and the contract of what remains."""

import warnings
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd

from movierec import seeds
from movierec.columns import MOVIE_ID, RATING, TIMESTAMP, USER_ID
from movierec.data.buckets import Buckets, UserHistogram, Workspace
from movierec.data.duplicates import merge_duplicates, pair_keys
from movierec.data.keyed_hash import hash_ids
from movierec.data.limits import CleanReport, Limits
from movierec.data.minimum_counts import Minimum, find_few
from movierec.data.parts import Run
from movierec.data.ranks import Keys, come_before, find_at_rank
from movierec.data.readers import RawRatings
from movierec.data.tally import Counts
from movierec.errors import MovierecError
from movierec.scales import Scale

# where pyspark is installed pandera tries to import its pandas, which fails with pandas 3, and warns each time
warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
import pandera.pandas as pa  # noqa: E402

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


class CleanRatings:
    """The ratings that remain, bucket by bucket, as often as they are asked for.

    Parameters
    ----------
    buckets : Buckets
        Sorted and free of duplicates.
    """

    def __init__(self, buckets: Buckets) -> None:
        self.buckets = buckets
        self.sample: tuple[int, tuple[int, int]] | None = None  # key of the hash, first one that is not drawn
        self.minimum: Minimum | None = None

    @property
    def has_times(self) -> bool:
        """Whether the ratings have times."""
        return TIMESTAMP in self.buckets.columns

    def __iter__(self) -> Iterator[pd.DataFrame]:
        """Yield tables that obey `RATINGS_SCHEMA`, with whole users in each, in the order of users."""
        return (RATINGS_SCHEMA.validate(table) for table in self.read())

    def read(self, columns: Iterable[str] | None = None) -> Iterator[pd.DataFrame]:
        """Yield the same, or some columns, user and movie among them."""
        for number, table in enumerate(self.buckets.read_all(columns)):
            kept = np.ones(len(table), dtype=bool)
            if self.sample:
                key, end = self.sample
                kept &= come_before(draw_keys(table, key), end)
            if self.minimum:
                kept &= self.minimum.mark(number, table)
            yield table if kept.all() else table.loc[kept].reset_index(drop=True)


def draw_keys(ratings: pd.DataFrame, key: int) -> Keys:
    """Return by what ratings are drawn: the hash of user and movie, and then the pair itself."""
    return hash_ids(key, ratings[USER_ID].to_numpy(), ratings[MOVIE_ID].to_numpy()), pair_keys(ratings)


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
    seed: int,
    workspace: Workspace = Workspace(),  # noqa: B008  # immutable
    run: Run = map,
) -> tuple[CleanRatings, CleanReport]:
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
        Share of the valid ratings to keep, those that rank lowest by `draw_keys`; in (0, 1].
    min_user_ratings, min_movie_ratings : int
        A user or movie with fewer is dropped with all its ratings; first users, then movies.
    iterate : bool
        Repeat both until nothing changes; otherwise one pass, after which users may fall short again.
    max_bad_fraction : float
        Largest share of broken and off-scale rows and of those with a negative timestamp to accept; in [0, 1].
    seed : int
        Decides the sample.
    workspace : Workspace
        Where rows are kept meanwhile, and how many may be in memory; it decides nothing else.
    run : callable
        Sorts the buckets and frees them of duplicates, as `map` applies a function; on other machines it may be.

    Returns
    -------
    ratings : CleanRatings
        Tables that obey `RATINGS_SCHEMA`.
    report : CleanReport
        The counts.

    Raises
    ------
    MovierecError
        If too many rows are bad, or fewer than `FEWEST_RATINGS` remain.
    """
    report = CleanReport(0, dict(raw.broken))
    stars, histogram, columns = _survey(raw)
    report.rows_in = histogram.rows + sum(raw.broken.values())
    limits = Limits.settle(stars, report, rating_scale, unrated, max_bad_fraction, is_implicit=raw.is_implicit)
    buckets = Buckets(workspace, histogram, columns)
    _fill(buckets, raw, limits, report)
    bad = sum(count for reason, count in report.dropped.items() if reason != "unrated")
    _refuse_bad_data(report, bad, max_bad_fraction, raw)
    kind = ("sum" if raw.is_implicit else "last") if duplicates == "auto" else duplicates
    rows = merge_duplicates(buckets, report, kind, run)
    ratings = CleanRatings(buckets)
    rows = _draw_sample(ratings, rows, report, sample_fraction, seed)
    if max(min_user_ratings, min_movie_ratings) > 1:
        ratings.minimum = find_few(ratings.read, min_user_ratings, min_movie_ratings, iterate=iterate)
    left = sum(len(table) for table in ratings.read((USER_ID, MOVIE_ID))) if ratings.minimum else rows
    report.dropped["too_few_ratings"] = rows - left
    if left < FEWEST_RATINGS:
        raise MovierecError(
            f"only {left} of {report.rows_in} ratings are left after cleaning (at least {FEWEST_RATINGS} are "
            "needed): lower clean.min_user_ratings or clean.min_movie_ratings, or raise clean.sample_fraction",
        )
    if kind == "sum":
        report.scale = _detect_scale(ratings)
    return ratings, report


def _survey(raw: RawRatings) -> tuple[Counts, UserHistogram, list[str]]:
    """Look through all rows once; return the columns, too."""
    stars, histogram = Counts(), UserHistogram()
    columns = [USER_ID, MOVIE_ID, RATING]
    for table in raw.pieces:
        stars.add(table[RATING].to_numpy())
        histogram.add(table[USER_ID].to_numpy())
        columns = list(table.columns)
    return stars, histogram, columns


def _fill(buckets: Buckets, raw: RawRatings, limits: Limits, report: CleanReport) -> None:
    for table in raw.pieces:
        kept = limits.hold(table[RATING].to_numpy())
        if TIMESTAMP in table:
            early = kept & (table[TIMESTAMP].to_numpy() < 0)
            report.dropped["negative_timestamp"] = report.dropped.get("negative_timestamp", 0) + int(early.sum())
            kept &= ~early
        buckets.add(table if kept.all() else table.loc[kept])


def _refuse_bad_data(report: CleanReport, bad: int, max_bad_fraction: float, raw: RawRatings) -> None:
    if bad > max_bad_fraction * report.rows_in:
        counts = {reason: count for reason, count in report.dropped.items() if count and reason != "unrated"}
        reasons = ", ".join(f"{reason} {count}" for reason, count in counts.items())
        where = f"; the first unreadable one is line {raw.first_broken_line}" if raw.first_broken_line else ""
        where += f" of {raw.broken_in.path.name}" if raw.broken_in and raw.has_parts else ""
        raise MovierecError(
            f"{bad} of {report.rows_in} rows of the ratings file are bad ({reasons}{where}), more than "
            f"clean.max_bad_fraction {max_bad_fraction:g} allows: mend the file or raise the limit",
        )


def _draw_sample(ratings: CleanRatings, rows: int, report: CleanReport, fraction: float, seed: int) -> int:
    """Settle which ratings are drawn; return how many."""
    drawn = round(fraction * rows) if fraction < 1 else rows
    report.dropped["not_sampled"] = rows - drawn
    if drawn < rows:
        key = seeds.hash_key(seed, "clean", "sample")
        tables = partial(ratings.buckets.read_all, (USER_ID, MOVIE_ID))
        ratings.sample = key, find_at_rank(lambda visit: (visit(draw_keys(table, key)) for table in tables()), drawn)
    return drawn


def _detect_scale(ratings: CleanRatings) -> Scale:
    stars = Counts()
    for table in ratings.read():
        stars.add(table[RATING].to_numpy())
    return Scale.detect(stars.distinct)
