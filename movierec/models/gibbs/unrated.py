"""Rows without ratings: what content tells of them, and what a user's own choice of movies does."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from movierec.models.gibbs.chain import Chain, Side
from movierec.models.gibbs.kernels import Other, compute_residuals

PENALTY: Final = 10.0  # of the regression on content, in movies
STRENGTH: Final = 10.0  # ratings that a user's offset is drawn towards everybody's by
SHARE: Final = 0.8  # of a user's offset that holds for a movie which nobody has chosen so far

CONTENT: Final = "content"
Floats = npt.NDArray[np.float32]


def regress_rows(side: Side, rows: Floats) -> Floats:
    """Return what content alone says of each row, by a ridge regression of the rated rows on it.

    The sampler's own map of content holds for rows whose raters are known as well. Here content answers for all that
    goes with it, also for what the raters of such movies have in common.

    Parameters
    ----------
    side : Side
        Without content, each row gets the mean of the rated ones.
    rows : ndarray of float32, shape (rows, columns)
        A draw or a mean of the side's rows; those without ratings are not looked at.

    Returns
    -------
    ndarray of float32, shape (rows, columns)
        The expected row of a movie with such content.
    """
    rated = side.distribution.rated
    mean = rows[:rated].mean(axis=0, dtype=np.float64).astype(np.float32)
    expected = np.tile(mean, (len(rows), 1))
    if CONTENT in side.distribution.maps:
        basis = side.distribution.maps[CONTENT].basis
        residuals = rows - mean
        residuals[rated:] = 0
        kept = basis.scale**2 / (basis.scale**2 + PENALTY)
        effects = kept[:, None] * side.blocks.multiply_transposed(basis.scores, residuals)
        expected += side.blocks.multiply(basis.scores, effects.astype(np.float32))
    return expected


def draw_unrated(side: Side, rows: Floats, rng: np.random.Generator) -> Floats:
    """Return a draw of the rows in which those without ratings differ from what is expected as a rated one does.

    Without content, they get the side information of a rated row: its mean would leave out how much it varies.
    """
    rated, explained = side.distribution.rated, side.distribution.explained
    alike = rng.choice(rated, size=len(rows) - rated)
    if CONTENT not in side.distribution.maps:
        return np.vstack([rows[:rated], rows[rated:] + explained[alike] - explained[rated:]])
    expected = regress_rows(side, rows)
    return np.vstack([rows[:rated], expected[rated:] + rows[alike] - expected[alike]])


def offset_users(chain: Chain, user_rows: Floats, expected: Floats) -> Floats:
    """Return by how much more than content tells each user likes a movie that he chose, for movies without ratings.

    Users rate what they expect to like, some of them the popular and some the obscure; how popular a movie without
    ratings is going to be is not known, but who rates it is.

    Parameters
    ----------
    chain : Chain
        With the training ratings.
    user_rows : ndarray of float32, shape (users, columns)
        Biases in column 0, then factors; the number of columns is a multiple of eight.
    expected : ndarray of float32, shape (movies, columns)
        What content says of the movies: `regress_rows`.

    Returns
    -------
    ndarray of float32, shape (users,)
        In stars; of a user without ratings everybody's, which is shrunken as all are.
    """
    users, ratings = chain.users, chain.users.ratings
    design, residuals = user_rows.copy(), np.empty_like(chain.centred)
    design[:, 0] = 1
    held = Other(design, user_rows[:, 0].copy(), users.noise.weights)
    users.blocks.run(
        lambda first, last: compute_residuals(first, last, ratings, chain.centred, held, expected, residuals)
    )
    counts: npt.NDArray[Any] = np.diff(ratings.indptr)
    sums = np.bincount(np.repeat(np.arange(len(counts)), counts), residuals, len(counts))
    shrunken = (sums + STRENGTH * sums.sum() / len(residuals)) / (counts + STRENGTH)
    return np.asarray(SHARE * shrunken, dtype=np.float32)
