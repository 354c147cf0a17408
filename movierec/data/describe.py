"""Descriptions of a table of ratings: its size, its distribution of stars, its long tail."""

import numpy as np
import pandas as pd

from movierec.columns import MOVIE_ID, USER_ID
from movierec.data import guessing
from movierec.data.readers import RawRatings
from movierec.data.tally import Tally
from movierec.scales import Scale

LONG_TAIL_POINTS = 200
MOST_BARS = 50


def describe_ratings(tally: Tally) -> dict[str, float]:
    """Count ratings, users and movies, and give the sparsity and the mean.

    Parameters
    ----------
    tally : Tally
        Of at least one rating; unique pairs.

    Returns
    -------
    dict
        ``ratings``, ``users``, ``movies``; ``sparsity``, the share of all pairs that is not rated, in [0, 1];
        ``mean_rating`` in stars.
    """
    users, movies = len(tally.users), len(tally.movies)
    total = (tally.stars.distinct.astype(np.float64) * tally.stars.numbers).sum()
    return {
        "ratings": tally.ratings,
        "users": users,
        "movies": movies,
        "sparsity": 1 - tally.ratings / (users * movies),
        "mean_rating": float(total / tally.ratings),
    }


def describe_reading(raw: RawRatings, scale: Scale) -> str:
    """Say in one line what was read as what.

    Parameters
    ----------
    raw : RawRatings
        Knows its source.
    scale : Scale
        Of the ratings or counts.

    Returns
    -------
    str
        Such as ``read user_id as the user, item_id as the item; no timestamps; ratings from 1 to 10 in steps of 1``.
    """
    roles = raw.source.roles if raw.source else {guessing.USER: USER_ID, guessing.ITEM: MOVIE_ID}
    read = [f"{roles[guessing.USER]} as the user", f"{roles[guessing.ITEM]} as the item"]
    column = roles.get(guessing.RATING, "")
    if column not in {"", "rating"}:
        read.append(f"{column} as the {'count' if raw.is_implicit else 'rating'}")
    if raw.time_form:
        read.append(f"{roles[guessing.TIMESTAMP]} as the time in {raw.time_form}")
    notes = "" if raw.time_form else "; no timestamps"
    notes += f"; {raw.source.ratings.name}" if raw.source and raw.has_parts else ""
    if not raw.is_implicit:
        return f"read {', '.join(read)}{notes}; ratings {scale.describe()}"
    counts = f"counts from {scale.low:g} to {scale.high:g}" if column or scale.high > 1 else "each row is one event"
    return f"read {', '.join(read)}{notes}; no ratings: {counts}"


def count_stars(tally: Tally) -> pd.DataFrame:
    """Count the ratings of each number of stars.

    Returns
    -------
    DataFrame
        ``stars`` and ``ratings``, ascending. Of more than `MOST_BARS` different ratings, the middles of as many equal
        parts of their range and the ratings in each that holds any.
    """
    stars, count = tally.stars.distinct.astype(np.float64), tally.stars.numbers
    if len(stars) > MOST_BARS:
        count, edges = np.histogram(stars, MOST_BARS, weights=count)
        filled = count > 0
        stars, count = ((edges[1:] + edges[:-1]) / 2)[filled], count[filled].astype(np.int64)
    return pd.DataFrame({"stars": stars, "ratings": count})


def trace_long_tail(tally: Tally) -> pd.DataFrame:
    """Trace what share of all ratings the most-rated movies hold.

    Parameters
    ----------
    tally : Tally
        Of at least one rating.

    Returns
    -------
    DataFrame
        ``movie_share`` and ``rating_share``, both cumulative from the most-rated movie, in [0, 1]; at most
        `LONG_TAIL_POINTS` + 1 rows, from (0, 0) to (1, 1).
    """
    counts = np.sort(tally.movies.numbers)[::-1]
    cumulative = np.concatenate(([0], np.cumsum(counts)))
    points = np.unique(np.linspace(0, len(counts), LONG_TAIL_POINTS + 1).round().astype(int))
    return pd.DataFrame({"movie_share": points / len(counts), "rating_share": cumulative[points] / cumulative[-1]})
