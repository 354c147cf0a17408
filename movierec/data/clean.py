"""From ratings as read to ratings to train on: what is dropped, why, and the contract of what remains."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.pandas as pa

from movierec.columns import MOVIE_ID, RATING, RATING_COLUMNS, TIMESTAMP, USER_ID
from movierec.data.readers import RawRatings
from movierec.errors import MovierecError

MIN_STARS, MAX_STARS = 0.5, 5.0
FEWEST_RATINGS = 100

RATINGS_SCHEMA = pa.DataFrameSchema(
    {
        USER_ID: pa.Column("int32", pa.Check.gt(0)),
        MOVIE_ID: pa.Column("int32", pa.Check.gt(0)),
        RATING: pa.Column("float32", pa.Check.in_range(MIN_STARS, MAX_STARS)),
        TIMESTAMP: pa.Column("int64", pa.Check.ge(0)),
    },
    checks=pa.Check(lambda table: bool((np.diff(pair_keys(table)) > 0).all()), error="pairs sorted and unique"),
    strict=True,
    ordered=True,
)


@dataclass
class CleanReport:
    """What cleaning did.

    Attributes
    ----------
    rows_in : int
        Rows of the ratings file, broken ones included.
    dropped : dict of str to int
        Rows dropped, by reason.
    """

    rows_in: int
    dropped: dict[str, int] = field(default_factory=dict)

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
        Obeys `RATINGS_SCHEMA`. Of a pair rated twice the latest rating stays, the last in the file among equals.
    report : CleanReport
        The counts.

    Raises
    ------
    MovierecError
        If too many rows are bad, or fewer than `FEWEST_RATINGS` remain.
    """
    report = CleanReport(len(raw.table) + sum(raw.broken.values()), dict(raw.broken))
    stars = raw.table[RATING].to_numpy()
    ratings = report.keep(raw.table, (stars >= MIN_STARS) & (stars <= MAX_STARS), "outside_scale")
    ratings = report.keep(ratings, ratings[TIMESTAMP].to_numpy() >= 0, "negative_timestamp")
    _refuse_bad_data(report, max_bad_fraction, raw.first_broken_line)
    ratings = _keep_latest(ratings, report)
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
    return RATINGS_SCHEMA.validate(ratings), report


def _refuse_bad_data(report: CleanReport, max_bad_fraction: float, first_broken_line: int | None) -> None:
    bad = sum(report.dropped.values())
    if bad > max_bad_fraction * report.rows_in:
        reasons = ", ".join(f"{reason} {count}" for reason, count in report.dropped.items() if count)
        where = f"; the first unreadable one is line {first_broken_line}" if first_broken_line else ""
        raise MovierecError(
            f"{bad} of {report.rows_in} rows of the ratings file are bad ({reasons}{where}), more than "
            f"clean.max_bad_fraction {max_bad_fraction:g} allows: mend the file or raise the limit",
        )


def _keep_latest(ratings: pd.DataFrame, report: CleanReport) -> pd.DataFrame:
    """Sort by pair and keep the latest rating of each."""
    key = pair_keys(ratings)
    if not (np.diff(key) > 0).all():
        order = np.lexsort((ratings[TIMESTAMP].to_numpy(), key))
        ratings, key = ratings.iloc[order].reset_index(drop=True), key[order]
    last_of_pair = np.append(key[1:] != key[:-1], True)[: len(key)]
    return report.keep(ratings[list(RATING_COLUMNS)], last_of_pair, "duplicate")


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
