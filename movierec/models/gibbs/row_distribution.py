"""The distribution that a side's rows share, drawn given the rows: mean, precision, linear maps of side information."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from movierec.models.gibbs.row_blocks import RowBlocks
from movierec.models.gibbs.side_information import Basis

MEAN_STRENGTH: Final = 2.0  # prior observations of the mean, beta_0 of Salakhutdinov & Mnih
GROUP: Final = 8  # neighbouring directions that share one scale
_SCALE_RATE: Final = 0.01

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]


@dataclass
class LinearMap:
    """The coefficients of one basis and what they contribute to each row's mean.

    Attributes
    ----------
    basis : Basis
        Of the rows.
    coefficients : ndarray of float64, shape (directions, active)
        Effect of each direction on the row's bias and factors.
    precision : ndarray of float64, shape (directions,)
        Of the coefficients, in units of the rows' own precision; one for each `GROUP` of directions.
    contribution : ndarray of float32, shape (rows, active)
        ``basis.scores * basis.scale @ coefficients``.
    """

    basis: Basis
    coefficients: Array
    precision: Array
    contribution: Floats


class RowDistribution:
    """Rows are normal around ``mean + sum of linear maps``, with a common precision matrix.

    Rows without ratings get a mean, and teach nothing.

    Simm et al. (2017), "Macau: scalable Bayesian factorization with high-dimensional side information using MCMC", with
    orthogonal features, whose coefficients can be drawn one direction at a time, and a scale for each group of them.

    Parameters
    ----------
    blocks : RowBlocks
        Of the rows.
    rated, active : int
        Rows with ratings, which come first, and columns without padding.
    bases : dict of str to Basis
        Side information by name.
    """

    def __init__(self, blocks: RowBlocks, rated: int, active: int, bases: dict[str, Basis]) -> None:
        self.blocks, self.rated = blocks, rated
        rows = blocks.rows
        self.mean = np.zeros(active)
        self.precision = np.eye(active) * 4
        self.inverse_root = np.eye(active) / 2  # z @ inverse_root has the rows' covariance
        self.explained = np.zeros((rows, active), np.float32)
        self.maps = {
            name: LinearMap(
                basis,
                np.zeros((len(basis.scale), active)),
                np.ones(len(basis.scale)),
                np.zeros((rows, active), np.float32),
            )
            for name, basis in bases.items()
            if len(basis.scale)
        }

    def draw(self, rows: Floats, rng: np.random.Generator) -> None:
        """Draw precision, mean and coefficients given the rows, shape (rows, active)."""
        self._draw_mean_and_precision(rows, rng)
        for linear in self.maps.values():
            self._draw_coefficients(linear, rows, rng)

    def _draw_mean_and_precision(self, rows: Floats, rng: np.random.Generator) -> None:
        """Draw from the normal-Wishart posterior (Salakhutdinov & Mnih 2008, eq. 14)."""
        n, active = self.rated, rows.shape[1]
        residuals = rows - self.explained
        average: Array = residuals[:n].mean(axis=0, dtype=np.float64)
        residuals -= average.astype(np.float32)
        residuals[n:] = 0
        scatter: Array = np.eye(active) + self.blocks.multiply_transposed(residuals, residuals)
        scatter += MEAN_STRENGTH * n / (MEAN_STRENGTH + n) * np.outer(average, average)
        degrees = active + n
        for linear in self.maps.values():
            scatter += (linear.coefficients * linear.precision[:, None]).T @ linear.coefficients
            degrees += len(linear.precision)
        root = draw_wishart_root(scatter, degrees, rng)
        self.precision = root @ root.T
        self.inverse_root = np.asarray(np.linalg.inv(root), dtype=np.float64)
        noise = rng.standard_normal(active) @ self.inverse_root
        self.mean = (n * average + np.sqrt(MEAN_STRENGTH + n) * noise) / (MEAN_STRENGTH + n)

    def _draw_coefficients(self, linear: LinearMap, rows: Floats, rng: np.random.Generator) -> None:
        basis, active = linear.basis, rows.shape[1]
        self.explained -= linear.contribution
        residuals = rows - self.explained - self.mean.astype(np.float32)
        residuals[self.rated :] = 0
        weight = basis.scale**2 + linear.precision
        noise = rng.standard_normal((len(weight), active)) @ self.inverse_root
        fitted = self.blocks.multiply_transposed(basis.scores, residuals) * basis.scale[:, None]
        linear.coefficients = fitted / weight[:, None] + noise / np.sqrt(weight)[:, None]
        size = ((linear.coefficients @ self.precision) * linear.coefficients).sum(axis=1)
        starts = np.arange(0, len(size), GROUP)
        members = np.diff([*starts, len(size)])
        scale = rng.gamma(1 + members * active / 2, 1 / (_SCALE_RATE + np.add.reduceat(size, starts) / 2))
        linear.precision = np.repeat(scale, members)
        effects = (basis.scale[:, None] * linear.coefficients).astype(np.float32)
        linear.contribution = self.blocks.multiply(basis.scores, effects)
        self.explained += linear.contribution


def draw_wishart_root(scatter: Array, degrees: float, rng: np.random.Generator) -> Array:
    """Draw a root ``A`` of a precision matrix ``A @ A.T`` from the Wishart distribution with scale ``inv(scatter)``.

    Bartlett's decomposition: Smith & Hocking (1972), "Wishart variate generator", algorithm AS 53.

    Parameters
    ----------
    scatter : ndarray of float64, shape (n, n)
        Symmetric, positive definite.
    degrees : float
        Degrees of freedom, at least n.
    rng : numpy.random.Generator
        Source of the draw.

    Returns
    -------
    ndarray of float64, shape (n, n)
        Not triangular. The mean of ``A @ A.T`` is ``degrees * inv(scatter)``.
    """
    n = len(scatter)
    bartlett = np.tril(rng.standard_normal((n, n)), -1)
    bartlett[np.diag_indices(n)] = np.sqrt(rng.chisquare(degrees - np.arange(n)))
    root: Array = np.linalg.solve(np.linalg.cholesky(scatter).T, bartlett)
    return root
