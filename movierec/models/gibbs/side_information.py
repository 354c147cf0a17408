"""What is known of users and movies beside the stars, in orthogonal directions: counts, genres and decades."""

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from movierec.columns import GENRES, MOVIE_ID, YEAR

_LEAST_SHARE: Final = 1e-6  # of the largest singular value: below it a direction is rounding error

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Basis:
    """Centred features of rows as ``scores * scale``, their singular value decomposition without the last factor.

    Attributes
    ----------
    scores : ndarray of float32, shape (rows, directions)
        Orthonormal columns.
    scale : ndarray of float64, shape (directions,)
        Singular values, falling.
    projection : ndarray of float32, shape (features, directions)
        ``(features - mean) @ projection`` is ``scores * scale``, for old rows and new.
    mean : ndarray of float32, shape (features,)
        Of the rows.
    """

    scores: Floats
    scale: Array
    projection: Floats
    mean: Floats

    def extend(self, features: Array) -> "Basis":
        """Return the basis with new rows of these features below the old ones; they are not orthonormal any more."""
        new = (features - self.mean) @ self.projection.astype(np.float64) / self.scale
        return replace(self, scores=np.vstack([self.scores, new.astype(np.float32)]))

    def extend_by_mean(self, rows: int, weights: npt.NDArray[Any]) -> "Basis":
        """Return the basis with new rows of which nothing is known, at the weighted mean of the old ones."""
        mean = np.average(self.scores[: len(weights)], axis=0, weights=weights).astype(np.float32)
        return replace(self, scores=np.vstack([self.scores, np.tile(mean, (rows, 1))]))


def decompose_features(features: Array) -> Basis:
    """Decompose a small dense matrix of features, shape (rows, features)."""
    mean = features.mean(axis=0)
    scores, scale, directions = np.linalg.svd(features - mean, full_matrices=False)
    kept = int((scale > max(_LEAST_SHARE * float(scale.max(initial=0)), 1e-12)).sum())
    return Basis(
        scores[:, :kept].astype(np.float32),
        scale[:kept],
        directions[:kept].T.astype(np.float32),
        mean.astype(np.float32),
    )


def describe_counts(counts: npt.ArrayLike) -> Array:
    """Return features of the numbers of ratings, shape (rows, 2): half their logarithm, and its square around 2."""
    logarithm = np.log1p(np.asarray(counts, dtype=np.float64)) / 2
    return np.column_stack([logarithm, (logarithm - 2) ** 2])


def weigh_rows(counts: npt.NDArray[np.integer[Any]]) -> Array:
    """Return how much each rated row counts for what is expected of one without ratings, shape (rows,).

    All the same: a movie that nobody rated is more like those that hardly anybody rated than like the popular ones.
    """
    return (counts > 0).astype(np.float64)


def describe_content(movies: pd.DataFrame, ids: npt.NDArray[np.int32]) -> Array:
    """Return flags of genres and decades, shape (ids, flags); all 0 for a movie that is not listed.

    Parameters
    ----------
    movies : DataFrame
        Columns ``movie_id``, ``genres`` (lists) and, where known, ``year``.
    ids : ndarray of int32, shape (n,)
        The movies to describe.
    """
    row = pd.Index(ids).get_indexer(pd.Index(movies[MOVIE_ID]))
    counts = movies[GENRES].map(len).to_numpy()
    flags = [_flag(np.repeat(row, counts), movies[GENRES].explode().dropna(), len(ids))]
    if YEAR in movies:
        known = movies[YEAR].notna().to_numpy()
        flags.append(_flag(row[known], movies.loc[known, YEAR].astype(np.int64) // 10, len(ids)))
    return np.hstack(flags)


def _flag(row: npt.NDArray[np.intp], values: "pd.Series[Any]", rows: int) -> Array:
    """Return a column of flags for each distinct value in ascending order, shape (rows, values); row -1 is nobody's."""
    names, column = np.unique(values.to_numpy(), return_inverse=True)
    flags = np.zeros((rows + 1, len(names)))
    flags[row, column] = 1
    return flags[:-1]
