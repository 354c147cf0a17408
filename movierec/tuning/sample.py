"""Fewer users for the trials, where there are many ratings."""

import numpy as np
import pandas as pd

from movierec import seeds
from movierec.columns import USER_ID


def draw_users(
    train: pd.DataFrame, validation: pd.DataFrame, most: int, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw users until they have so many training ratings, and return all ratings of theirs in both parts.

    Parameters
    ----------
    train, validation : DataFrame
        Column ``user_id``, among others.
    most : int
        Training ratings to keep at most, but for one user; with fewer, the tables are returned as they are.
    seed : int
        Of the draw: with less to keep, a part of the same users is drawn.
    """
    if len(train) <= most:
        return train, validation
    users, counts = np.unique(train[USER_ID], return_counts=True)
    order = seeds.rng(seed, "tune", "users").permutation(len(users))
    fits = np.cumsum(counts[order]) <= most
    fits[0] = True
    chosen = users[order[fits]]
    sampled, held_out = (part[part[USER_ID].isin(chosen)].reset_index(drop=True) for part in (train, validation))
    return sampled, held_out
