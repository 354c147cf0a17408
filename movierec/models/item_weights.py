"""The closed form of a linear autoencoder without self-similarity (EASE); what its inputs mean is decided elsewhere."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from movierec.compiled import njit
from movierec.errors import MovierecError

Floats = npt.NDArray[np.float32]
_TILE = 512  # rows and columns of a triangle mirrored at a time, to stay in the cache


class ItemWeights(NamedTuple):
    """A matrix B of weights from movies to movies, whole or as the product of two thin ones.

    ``B = inputs @ outputs - diag(own)``; where `inputs` is empty, ``B = outputs``.

    Attributes
    ----------
    inputs : ndarray of float32, shape (movies, rows) or (0, 0)
        From movies to the rows that the equations were solved among.
    outputs : ndarray of float32, shape (rows, movies) or (movies, movies)
        From there to movies.
    own : ndarray of float32, shape (movies,)
        What a movie's weight to itself would be; zeros where `inputs` is empty.
    """

    inputs: Floats
    outputs: Floats
    own: Floats

    def score(self, rated: sp.csr_array) -> Floats:
        """Return ``rated @ B``, shape (users, movies)."""
        if not self.inputs.size:
            return rated @ self.outputs
        scores: Floats = (rated @ self.inputs) @ self.outputs
        user = np.repeat(np.arange(rated.shape[0]), np.diff(rated.indptr))
        scores[user, rated.indices] -= rated.data * self.own[rated.indices]
        return scores

    def between(self, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64]) -> Floats:
        """Return entries of B, shape (rows, columns)."""
        if not self.inputs.size:
            return self.outputs[np.ix_(rows, columns)]
        return np.where(rows[:, np.newaxis] == columns, 0, self.inputs[rows] @ self.outputs[:, columns])

    def correlate(self, column: int) -> Floats:
        """Return each movie's partial correlation with one, given all others: shape (movies,), -1 to 1, 1 with itself.

        B holds it twice: with P as in `solve_item_weights`, ``B_ij B_ji = P_ij^2 / (P_ii P_jj)``.
        """
        one, every = np.array([column]), np.arange(self.outputs.shape[1])
        there, back = self.between(one, every)[0], self.between(every, one)[:, 0]
        correlations: Floats = np.copysign(np.sqrt(np.clip(there * back, 0, 1)), there)
        correlations[column] = 1
        return correlations


def weigh_voters(rated: sp.csr_array, activity: npt.NDArray[np.integer[Any]], power: float) -> sp.csr_array:
    """Return the users' rows times the root of ``activity ** -power``, their votes, which are 1 in the mean."""
    votes = activity ** -float(power)
    voted = rated.copy()
    voted.data *= np.repeat(np.sqrt(votes / votes.mean()), np.diff(rated.indptr)).astype(np.float32)
    return voted


def penalize_movies(voted: sp.csr_array, regularization: float, dropout: float) -> Floats:
    """Return what `solve_item_weights` charges for each movie's weights, shape (movies,): more for the often rated."""
    squares = np.bincount(voted.indices, weights=voted.data.astype(np.float64) ** 2, minlength=voted.shape[1])
    return np.asarray(regularization + dropout / (1 - dropout) * squares, dtype=np.float32)


def solve_item_weights(ratings: sp.csr_array, penalty: Floats, content: Floats) -> ItemWeights:
    """Find the weights that rebuild each column from the others.

    Minimises ``|A - A B|^2 + sum_i penalty_i |B_i|^2`` with a zero diagonal of B, where A is `ratings` with `content`
    below it. Steck (2019), "Embarrassingly shallow autoencoders for sparse data", eq. 8: with
    ``P = inv(A' A + diag(penalty))``, ``B_ij = -P_ij / P_jj``. Where A has no more rows than columns, P comes from
    the matrix-inversion lemma, and neither P nor B is ever made.

    Parameters
    ----------
    ratings : sparse CSR of float32, shape (users, movies)
        Sorted indices.
    penalty : ndarray of float32, shape (movies,)
        Above 0.
    content : ndarray of float32, shape (n, movies)
        Further rows; n may be 0 (Jeunen, Van Balen & Goethals 2020, "Closed-form models for collaborative filtering
        with side-information").

    Returns
    -------
    ItemWeights
        Solved among rows if ``users + n <= movies``, else among movies. Memory: 8 bytes for each entry of A, and of a
        square of the rows; or 4 for each entry of B.

    Raises
    ------
    MovierecError
        If the equations have no unique solution in float32: too little penalty.
    """
    users, movies = ratings.shape
    if users + len(content) <= movies:
        return _solve_among_rows(np.vstack([ratings.toarray(), content]), penalty)
    return _solve_among_movies(ratings, penalty, content)


def _solve_among_rows(rows: Floats, penalty: Floats) -> ItemWeights:
    """With K = I + A D^-1 A' and M = K^-1 A, P = D^-1 - D^-1 A' M D^-1."""
    from scipy.linalg import lapack  # noqa: PLC0415  # takes a fifth of a second

    inputs = rows.T / penalty[:, np.newaxis]  # (movies, rows)
    kernel = rows @ inputs
    kernel[np.diag_indices_from(kernel)] += 1
    factor, failed = lapack.spotrf(kernel.T, lower=1, clean=0)
    _refuse(failed)
    solved = lapack.spotrs(factor, rows, lower=1)[0]  # (rows, movies)
    own = np.einsum("jr,rj->j", inputs, solved)
    if own.max(initial=0.0) >= 1:  # in exact arithmetic it is below
        _refuse(1)
    outputs = np.ascontiguousarray(solved / (1 - own))
    return ItemWeights(np.ascontiguousarray(inputs), outputs, own / (1 - own))


def _solve_among_movies(ratings: sp.csr_array, penalty: Floats, content: Floats) -> ItemWeights:
    from scipy.linalg import lapack  # noqa: PLC0415

    movies = ratings.shape[1]
    gram = content.T @ content if len(content) else np.zeros((movies, movies), dtype=np.float32)
    by_movie = ratings.tocsc()
    _add_gram(ratings.indptr, ratings.indices, ratings.data, by_movie.indptr, by_movie.indices, by_movie.data, gram)
    gram[np.diag_indices(movies)] += penalty
    # LAPACK counts by columns: the upper triangle of `gram` is the lower one of its transpose, which shares its memory.
    _, failed = lapack.spotrf(gram.T, lower=1, clean=0, overwrite_a=1)
    _refuse(failed)
    inverse, failed = lapack.spotri(gram.T, lower=1, overwrite_c=1)
    _refuse(failed)
    weights = inverse.T
    _mirror_upper(weights)
    weights /= -np.diag(weights).copy()
    np.fill_diagonal(weights, 0.0)
    return ItemWeights(np.zeros((0, 0), dtype=np.float32), weights, np.zeros(movies, dtype=np.float32))


def _refuse(failed: int) -> None:
    if failed:
        raise MovierecError("EASE has no unique solution: raise its regularization")


def _mirror_upper(square: Floats) -> None:
    """Copy the upper triangle onto the lower one."""
    for top in range(0, len(square), _TILE):
        tile = slice(top, top + _TILE)
        square[tile, tile] = np.triu(square[tile, tile]) + np.triu(square[tile, tile], 1).T
        for left in range(0, top, _TILE):
            other = slice(left, left + _TILE)
            square[tile, other] = square[other, tile].T


@njit()
def _add_gram(indptr, indices, values, column_starts, rows, column_values, gram):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Add A' A to the upper triangle of `gram`, summed in float64."""
    total = np.zeros(len(gram))
    for movie in range(len(gram)):
        total[movie:] = 0.0
        for place in range(column_starts[movie], column_starts[movie + 1]):
            row, value = rows[place], np.float64(column_values[place])
            for other in range(indptr[row + 1] - 1, indptr[row] - 1, -1):
                if indices[other] < movie:
                    break
                total[indices[other]] += value * values[other]
        for other in range(movie, len(gram)):
            gram[movie, other] += np.float32(total[other])
