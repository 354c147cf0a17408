"""What lists offer beyond accuracy: coverage, concentration, diversity, novelty, popularity; no relevance here.

Shared by all functions: `recommended` is an integer array of shape (users, k), a list of movie rows in each
row, best first, with -1 where the list has ended; lists are judged whole, so pass ``recommended[:, :10]`` for
a metric at 10. `popularity` holds, for each movie, the number of users who rated it in train, shape (movies,).
A movie row that does not exist raises ValueError.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from movierec.metrics.blocks import map_blocks
from movierec.metrics.ratios import divide_or_nan

Lists = npt.NDArray[np.integer[Any]]
Counts = npt.NDArray[np.integer[Any]]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_BLOCK_ELEMENTS = 1_000_000  # numbers in a block's largest array, 8 MB


def exposure_counts(recommended: Lists, n_movies: int) -> npt.NDArray[np.int64]:
    """Count the lists in which each movie of the catalogue appears, shape (n_movies,)."""
    _check_rows(recommended, n_movies)
    return np.bincount(recommended[recommended >= 0], minlength=n_movies)


def coverage(recommended: Lists, n_movies: int) -> float:
    """Return the share of the catalogue that appears in at least one list, in [0, 1] (Ge et al. 2010).

    `n_movies` is the size of the catalogue, the movies that a model could recommend; ValueError if it is 0.

    Examples
    --------
    >>> coverage(np.array([[0, 1], [1, -1]]), n_movies=4)
    0.5
    """
    if n_movies < 1:
        raise ValueError("the catalogue is empty")
    return int(np.count_nonzero(exposure_counts(recommended, n_movies))) / n_movies


def gini(exposure: Counts) -> float:
    """Return the Gini coefficient of exposure (Fleder & Hosanagar 2009).

    With the n counts in rising order, ``sum((2 i - n - 1) x_i) / (n sum(x))``.

    Parameters
    ----------
    exposure : ndarray of int, shape (movies,)
        From `exposure_counts`: the zeros of movies never recommended belong to it.

    Returns
    -------
    float
        From 0, every movie equally often, to 1 - 1 / n, one movie alone; NaN if nothing is recommended.

    Raises
    ------
    ValueError
        If a count is negative.

    Examples
    --------
    >>> gini(np.array([2, 2, 2])), gini(np.array([0, 0, 0, 8]))
    (0.0, 0.75)
    """
    if np.any(exposure < 0):
        raise ValueError("exposure counts must not be negative")
    n, total = len(exposure), int(exposure.sum())
    if total == 0:
        return float("nan")
    weights = 2 * np.arange(1, n + 1) - n - 1
    return int(np.sum(weights * np.sort(exposure).astype(np.int64))) / (n * total)


def intra_list_diversity_by_genre(recommended: Lists, genres: BoolArray) -> FloatArray:
    """Return each list's mean of 1 - Jaccard similarity of genres over its pairs of movies.

    The intra-list diversity of Smyth & McClave (2001) and Ziegler et al. (2005).

    Parameters
    ----------
    genres : ndarray of bool, shape (movies, genres)
        True where the movie has the genre. A movie without any is of unknown content: its pairs are left out.

    Returns
    -------
    ndarray of float64, shape (users,)
        In [0, 1]; NaN for a list with fewer than two movies of known content.

    Examples
    --------
    >>> genres = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 1]], dtype=bool)
    >>> intra_list_diversity_by_genre(np.array([[0, 1], [0, 2], [1, -1]]), genres).tolist()
    [0.5, 1.0, nan]
    """
    size, words = genres.sum(axis=1), _pack_bits(genres)
    k = recommended.shape[1]
    first, second = np.triu_indices(k, 1)

    def mean_distance(block: Lists, usable: BoolArray) -> FloatArray:
        pairs, sets, sizes = usable[:, first] & usable[:, second], words[block], size[block]
        shared = np.bitwise_count(sets[:, first] & sets[:, second]).sum(axis=2, dtype=np.int64)
        either = sizes[:, first] + sizes[:, second] - shared
        similar = np.divide(shared, either, out=np.ones(pairs.shape), where=pairs)
        square = np.zeros((len(block), k, k))  # what NumPy's sums come to depends on the zeros between
        square[:, first, second] = 1 - similar
        return divide_or_nan(square.reshape(len(block), -1).sum(axis=1), pairs.sum(axis=1))

    return _by_block(recommended, size > 0, 2 * k * k, mean_distance)


def _pack_bits(sets: BoolArray) -> npt.NDArray[np.uint64]:
    """Return each row as the bits of numbers, shape (rows, numbers)."""
    packed = np.packbits(sets, axis=1)
    return np.pad(packed, [(0, 0), (0, -packed.shape[1] % 8)]).view(np.uint64)


def intra_list_diversity_by_factors(recommended: Lists, factors: npt.NDArray[np.floating[Any]]) -> FloatArray:
    """Return each list's mean of 1 - cosine of factor vectors over its pairs of movies.

    The n unit vectors of a list, with sum s, have the mean cosine ``(|s|^2 - n) / (n (n - 1))`` over their
    pairs, so no pair is visited.

    Parameters
    ----------
    factors : ndarray of float, shape (movies, factors)
        A model's movie factors, finite, else ValueError. The zero vector has no direction: its pairs are left out.

    Returns
    -------
    ndarray of float64, shape (users,)
        In [0, 2]; NaN for a list with fewer than two movies of nonzero factors.

    Examples
    --------
    >>> factors = np.array([[2.0, 0.0], [0.0, 1.0], [-3.0, 0.0]])
    >>> intra_list_diversity_by_factors(np.array([[0, 1], [0, 2]]), factors).tolist()
    [1.0, 2.0]
    """
    vectors = factors.astype(np.float64)
    if not np.all(np.isfinite(vectors)):
        raise ValueError("factors must be finite")
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    units = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)

    def mean_distance(block: Lists, usable: BoolArray) -> FloatArray:
        total = np.where(usable[:, :, np.newaxis], units[block], 0.0).sum(axis=1)  # (block, factors)
        n = usable.sum(axis=1)
        cosines = np.square(total).sum(axis=1) - n
        return np.clip(1 - divide_or_nan(cosines, n * (n - 1)), 0, 2)

    return _by_block(recommended, length[:, 0] > 0, recommended.shape[1] * factors.shape[1], mean_distance)


def novelty(recommended: Lists, popularity: Counts, n_users: int) -> FloatArray:
    """Return each list's mean self-information in bits, log2(users / raters of the movie) (Zhou et al. 2010).

    Parameters
    ----------
    popularity : ndarray of int, shape (movies,)
        A movie without raters counts as having one, for its surprise would be infinite.
    n_users : int
        Users in train.

    Returns
    -------
    ndarray of float64, shape (users,)
        In [0, log2(n_users)]; NaN for an empty list.

    Raises
    ------
    ValueError
        If `n_users` is below 1 or a count is outside [0, n_users].

    Examples
    --------
    >>> novelty(np.array([[0, 1], [2, -1]]), np.array([8, 2, 0]), n_users=8).tolist()
    [1.0, 3.0]
    """
    if n_users < 1 or popularity.min(initial=0) < 0 or popularity.max(initial=0) > n_users:
        raise ValueError(f"popularity must count users, between 0 and n_users = {n_users}")
    return _mean_over_list(recommended, np.log2(n_users / np.maximum(popularity, 1)))


def mean_popularity(recommended: Lists, popularity: Counts) -> FloatArray:
    """Return the mean number of raters of each list's movies, shape (users,); NaN for an empty list."""
    return _mean_over_list(recommended, popularity.astype(np.float64))


def mean_profile_popularity(
    profiles: "sparse.csr_array[Any] | sparse.csr_matrix[Any]", popularity: Counts
) -> FloatArray:
    """Return the mean number of raters of the movies that each user rated in train.

    `profiles` is a CSR matrix of shape (users, movies) with an entry, whatever its value, for each rating; the
    result has shape (users,), with NaN for a user without ratings.
    """
    lengths = np.diff(profiles.indptr)
    user_idx = np.repeat(np.arange(len(lengths)), lengths)
    totals = np.bincount(user_idx, weights=popularity[profiles.indices], minlength=len(lengths))
    return divide_or_nan(totals, lengths)


def popularity_lift(lists: FloatArray, profiles: FloatArray) -> float:
    """Return by how much recommendations are more popular than what users chose (Abdollahpouri et al. 2020).

    The mean of `lists` (from `mean_popularity`) over the mean of `profiles` (from `mean_profile_popularity`),
    minus 1: 0 when both are equally popular, 1 when the recommendations are twice as popular. A user with a NaN
    in either is left out; NaN when no user remains.

    Examples
    --------
    >>> popularity_lift(np.array([30.0, 50.0, np.nan]), np.array([10.0, 30.0, 5.0]))  # 40 / 20 - 1
    1.0
    """
    both = np.isfinite(lists) & np.isfinite(profiles)
    if not both.any():
        return float("nan")
    return float(lists[both].mean() / profiles[both].mean() - 1)


def _check_rows(recommended: Lists, n_movies: int) -> None:
    if recommended.size and not -1 <= recommended.min() <= recommended.max() < n_movies:
        raise ValueError(f"movie rows must be in [0, {n_movies}), or -1 where a list has ended")


def _by_block(
    recommended: Lists, known: BoolArray, elements: int, mean: Callable[[Lists, BoolArray], FloatArray]
) -> FloatArray:
    _check_rows(recommended, len(known))
    step = max(1, _BLOCK_ELEMENTS // max(1, elements))
    blocks = (recommended[start : start + step] for start in range(0, len(recommended), step))
    return np.concatenate([np.empty(0), *map_blocks(lambda block: mean(block, (block >= 0) & known[block]), blocks)])


def _mean_over_list(recommended: Lists, values: FloatArray) -> FloatArray:
    def mean(block: Lists, usable: BoolArray) -> FloatArray:
        return _mean_where(values[block], usable)

    return _by_block(recommended, np.ones(len(values), dtype=bool), recommended.shape[1], mean)


def _mean_where(values: FloatArray, usable: BoolArray) -> FloatArray:
    return divide_or_nan(np.where(usable, values, 0.0).sum(axis=1), usable.sum(axis=1))
