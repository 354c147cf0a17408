"""Descriptions of a table of ratings: its size, its distribution of stars, its long tail."""

import numpy as np
import pandas as pd

from movierec.columns import MOVIE_ID, RATING, USER_ID

LONG_TAIL_POINTS = 200


def describe_ratings(ratings: pd.DataFrame) -> dict[str, float]:
    """Count ratings, users and movies, and give the sparsity and the mean.

    Parameters
    ----------
    ratings : DataFrame
        At least one rating; unique pairs.

    Returns
    -------
    dict
        ``ratings``, ``users``, ``movies``; ``sparsity``, the share of all pairs that is not rated, in [0, 1];
        ``mean_rating`` in stars.
    """
    users, movies = ratings[USER_ID].nunique(), ratings[MOVIE_ID].nunique()
    return {
        "ratings": len(ratings),
        "users": users,
        "movies": movies,
        "sparsity": 1 - len(ratings) / (users * movies),
        "mean_rating": float(ratings[RATING].to_numpy(dtype=np.float64).mean()),
    }


def count_stars(ratings: pd.DataFrame) -> pd.DataFrame:
    """Count the ratings of each number of stars: columns ``stars``, ``ratings``; ascending."""
    stars, count = np.unique(ratings[RATING].to_numpy(), return_counts=True)
    return pd.DataFrame({"stars": stars.astype(float), "ratings": count})


def trace_long_tail(ratings: pd.DataFrame) -> pd.DataFrame:
    """Trace what share of all ratings the most-rated movies hold.

    Parameters
    ----------
    ratings : DataFrame
        At least one rating.

    Returns
    -------
    DataFrame
        ``movie_share`` and ``rating_share``, both cumulative from the most-rated movie, in [0, 1]; at most
        `LONG_TAIL_POINTS` + 1 rows, from (0, 0) to (1, 1).
    """
    counts = np.sort(ratings[MOVIE_ID].value_counts().to_numpy())[::-1]
    cumulative = np.concatenate(([0], np.cumsum(counts)))
    points = np.unique(np.linspace(0, len(counts), LONG_TAIL_POINTS + 1).round().astype(int))
    return pd.DataFrame({"movie_share": points / len(counts), "rating_share": cumulative[points] / cumulative[-1]})
