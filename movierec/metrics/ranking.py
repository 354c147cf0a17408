"""Accuracy of ranked lists, user by user: precision, recall, NDCG, MAP, hit rate, MRR; no mean is taken here."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import sparse

FloatArray = npt.NDArray[np.float64]

KS: Final = (5, 10, 20)
_BLOCK: Final = 4096  # users looked up at a time, to stay in the cache


def ranking_metrics_by_user(
    recommended: npt.NDArray[np.integer[Any]],
    relevant: "sparse.csr_array[Any] | sparse.csr_matrix[Any]",
    n_relevant: npt.NDArray[np.integer[Any]] | None = None,
    ks: Sequence[int] = KS,
) -> dict[str, FloatArray]:
    """Judge each user's list against the movies relevant to the user; relevance is binary.

    With ``hit[r]`` 1 where the movie at rank r (from 1) is relevant and 0 elsewhere, and R the number of
    movies relevant to the user:

    - ``precision@k``: hits in the first k, divided by k, for shorter lists too.
    - ``recall@k``: hits in the first k, divided by R.
    - ``ndcg@k``: sum of ``hit[r] / log2(r + 1)`` over the first k, divided by the same sum for min(k, R)
      hits in the first places (Järvelin & Kekäläinen 2002, with the discount of Burges et al. 2005).
    - ``map@k``: sum over the hits in the first k of the precision at their rank, divided by min(k, R), so
      that a perfect list scores 1 for every R (McFee et al. 2012). trec_eval divides by R.
    - ``hit_rate@k``: 1 with a hit in the first k, else 0.
    - ``mrr``: 1 / rank of the first hit in the whole list of k_max, 0 without a hit (Voorhees 1999).

    Parameters
    ----------
    recommended : ndarray of int, shape (users, k_max)
        Movie rows, best first, no movie twice in a list; -1 where the list has ended.
    relevant : scipy.sparse CSR of bool, shape (users, movies)
        True where the movie is relevant to the user.
    n_relevant : ndarray of int, shape (users,), optional
        R, where more movies are relevant than `relevant` has columns for: movies that no model can
        recommend still count as missed. By default the row sums of `relevant`.
    ks : sequence of int, default (5, 10, 20)
        List lengths to judge, each in [1, k_max].

    Returns
    -------
    dict of str to ndarray of float64, shape (users,)
        Keys ``"precision@5"`` and so on, each value in [0, 1]; NaN in every metric of a user without a
        relevant movie, whom no list can serve. An empty list of any other user scores 0.

    Raises
    ------
    ValueError
        If the shapes do not fit, a k is out of range, a movie row does not exist or occurs twice in a
        list, or `n_relevant` is below a row sum of `relevant`.

    Examples
    --------
    >>> relevant = sparse.csr_array(np.array([[True, False, True, True]]))
    >>> metrics = ranking_metrics_by_user(np.array([[0, 1]]), relevant, ks=(2,))
    >>> {name: round(float(value[0]), 4) for name, value in metrics.items()}
    {'precision@2': 0.5, 'recall@2': 0.3333, 'ndcg@2': 0.6131, 'map@2': 0.5, 'hit_rate@2': 1.0, 'mrr': 1.0}
    """
    _check_lists(recommended, relevant.shape, ks)
    hits, reachable = find_hits(recommended, relevant)
    total = reachable if n_relevant is None else n_relevant
    if total.shape != reachable.shape or np.any(total < reachable):
        raise ValueError("n_relevant must hold, for each user, at least the number of relevant movies given")
    metrics: dict[str, FloatArray] = {}
    for k in ks:
        metrics |= {f"{name}@{k}": values for name, values in _metrics_at(k, hits[:, :k], total).items()}
    metrics["mrr"] = _where_relevant(_reciprocal_rank(hits), np.ones(len(hits)), total)
    return metrics


def _check_lists(recommended: npt.NDArray[np.integer[Any]], shape: tuple[int, ...], ks: Sequence[int]) -> None:
    users, movies = shape
    if recommended.ndim != 2 or len(recommended) != users:
        raise ValueError(f"recommended has shape {recommended.shape}, must be ({users}, k_max)")
    if not all(1 <= k <= recommended.shape[1] for k in ks):
        raise ValueError(f"every k of {tuple(ks)} must be in [1, {recommended.shape[1]}], the length of the lists")
    if recommended.size and not -1 <= recommended.min() <= recommended.max() < movies:
        raise ValueError(f"movie rows must be in [0, {movies}), or -1 where a list has ended")
    ordered = np.sort(recommended, axis=1)
    if np.any((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)):
        raise ValueError("a movie occurs twice in a list")


def find_hits(
    recommended: npt.NDArray[np.integer[Any]], relevant: "sparse.csr_array[Any] | sparse.csr_matrix[Any]"
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """Look up which recommended movies are relevant.

    Parameters
    ----------
    recommended, relevant
        As for `ranking_metrics_by_user`, which checks them.

    Returns
    -------
    hits : ndarray of bool, shape (users, k_max)
        Whether the movie at each place is relevant.
    reachable : ndarray of int64, shape (users,)
        Movies relevant to each user.
    """
    own = relevant.astype(bool, copy=True)
    own.sum_duplicates()
    own.eliminate_zeros()
    reachable = np.diff(own.indptr).astype(np.int64)
    hits = [_find_hits(recommended[n : n + _BLOCK], own[n : n + _BLOCK]) for n in range(0, len(recommended), _BLOCK)]
    return np.concatenate([np.empty((0, recommended.shape[1]), dtype=bool), *hits]), reachable


def _find_hits(
    recommended: npt.NDArray[np.integer[Any]], own: "sparse.csr_array[Any] | sparse.csr_matrix[Any]"
) -> npt.NDArray[np.bool_]:
    users, movies = own.shape
    rows = np.arange(users, dtype=np.int64)
    # One number a (user, movie) pair turns the lookup into a search in one sorted array.
    pairs = np.repeat(rows, np.diff(own.indptr)) * movies + own.indices
    wanted = rows[:, np.newaxis] * movies + recommended  # (users, k_max)
    found = np.append(pairs, -1)[np.searchsorted(pairs, wanted)] == wanted
    return np.asarray(found & (recommended >= 0))


def _metrics_at(k: int, hits: npt.NDArray[np.bool_], n_relevant: npt.NDArray[np.integer[Any]]) -> dict[str, FloatArray]:
    ranks = np.arange(1, k + 1)
    discounts = 1 / np.log2(ranks + 1)
    attainable = np.minimum(n_relevant, k)
    found = hits.sum(axis=1)
    gain = np.cumsum(hits * discounts, axis=1)[:, -1]  # summed in the order of the ideal, so 1 is exactly 1
    ideal = np.append(0.0, np.cumsum(discounts))[attainable]
    precision_at_hits = np.where(hits, np.cumsum(hits, axis=1) / ranks, 0.0).sum(axis=1)
    always = np.ones(len(hits))
    return {
        "precision": _where_relevant(found / k, always, n_relevant),
        "recall": _where_relevant(found, n_relevant, n_relevant),
        "ndcg": _where_relevant(gain, ideal, n_relevant),
        "map": _where_relevant(precision_at_hits, attainable, n_relevant),
        "hit_rate": _where_relevant(found > 0, always, n_relevant),
    }


def _reciprocal_rank(hits: npt.NDArray[np.bool_]) -> FloatArray:
    return np.where(hits.any(axis=1), 1 / (hits.argmax(axis=1) + 1), 0.0)


def _where_relevant(
    numerator: npt.NDArray[Any], denominator: npt.NDArray[Any], n_relevant: npt.NDArray[np.integer[Any]]
) -> FloatArray:
    values = np.full(len(numerator), np.nan)
    np.divide(numerator, denominator, out=values, where=n_relevant > 0)
    return values
