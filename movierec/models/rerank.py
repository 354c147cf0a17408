"""Lists made more varied: candidates of any model picked one by one so that they resemble each other less."""

import numpy as np
import numpy.typing as npt

from movierec.models.base import Rows

Floats = npt.NDArray[np.float32]
_BLOCK_CELLS = 8_000_000  # numbers of the candidates' vectors held at a time: 32 MB


def rerank_by_mmr(candidates: Rows, scores: Floats, vectors: Floats, k: int, strength: float) -> Rows:
    """Pick movies that score well and are unlike those picked before.

    Maximal marginal relevance (Carbonell & Goldstein 1998): each pick has the highest
    ``(1 - strength) * score - strength * (largest cosine with a movie picked before)``, with scores scaled to
    0 to 1 within the user's candidates.

    Parameters
    ----------
    candidates : ndarray of int32, shape (users, n)
        Rows of `vectors`, best first, -1 where a list has ended.
    scores : ndarray of float32, shape (users, n)
        Their scores; not read where a list has ended.
    vectors : ndarray of float32, shape (movies, d)
        By which movies resemble each other, such as content or factors; zeros resemble nothing.
    k : int
        How many to pick, from 1 to n.
    strength : float
        In [0, 1); 0 keeps the order of the candidates.

    Returns
    -------
    ndarray of int32, shape (users, k)
        Movies picked, in order; of equal ones the earlier candidate first. -1 where there is none.

    Raises
    ------
    ValueError
        If `k` or `strength` is out of range.

    Examples
    --------
    >>> alike = np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32)
    >>> best_first, scores = np.array([[0, 1, 2]], dtype=np.int32), np.array([[3, 2.9, 1]], dtype=np.float32)
    >>> rerank_by_mmr(best_first, scores, alike, k=2, strength=0.6).tolist()
    [[0, 2]]
    """
    if not 1 <= k <= candidates.shape[1]:
        raise ValueError(f"k is {k}, must be in [1, {candidates.shape[1]}], the number of candidates")
    if not 0 <= strength < 1:
        raise ValueError(f"strength is {strength}, must be in [0, 1)")
    lengths = np.sqrt(np.square(vectors).sum(axis=1, keepdims=True))
    units = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    step = max(1, _BLOCK_CELLS // max(1, candidates.shape[1] * vectors.shape[1]))
    blocks = [slice(start, start + step) for start in range(0, len(candidates), step)]
    picked = [_pick(candidates[block], scores[block], units, k, strength) for block in blocks]
    return np.concatenate([np.empty((0, k), dtype=np.int32), *picked])


def _pick(candidates: Rows, scores: Floats, units: Floats, k: int, strength: float) -> Rows:
    there = candidates >= 0
    gains = (1 - strength) * _scale(scores, there)
    gains[~there] = -np.inf
    vectors = units[candidates]  # (users, n, d)
    nearest = np.full(gains.shape, -np.inf)
    user = np.arange(len(candidates))
    picked = np.empty((len(candidates), k), dtype=np.int32)
    for place in range(k):
        best = np.argmax(gains - strength * nearest if place else gains, axis=1)
        picked[:, place] = np.where(np.isfinite(gains[user, best]), candidates[user, best], -1)
        gains[user, best] = -np.inf
        nearest = np.maximum(nearest, np.einsum("und,ud->un", vectors, vectors[user, best]))
    return picked


def _scale(scores: Floats, there: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Map each row's lowest score to 0 and its highest to 1; equal scores to 0."""
    kept = np.where(there, scores, np.nan).astype(np.float64)
    kept[~there.any(axis=1)] = 0.0
    low = np.nanmin(kept, axis=1, keepdims=True)
    spread = np.nanmax(kept, axis=1, keepdims=True) - low
    return np.where(there, np.divide(kept - low, spread, out=np.zeros_like(kept), where=spread > 0), 0.0)
