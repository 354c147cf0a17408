"""A new user or movie met by a fitted Bayesian factorisation: its distribution given its ratings, nothing refitted."""

from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from movierec.models.base import Array, Rows
from movierec.models.gibbs.bags import scale_bags
from movierec.models.gibbs.side_information import describe_counts
from movierec.models.posterior_predictive import PosteriorPredictive

NOISE_ROUNDS: Final = 3  # of finding the row's own noise and its factors in turn

Side = Literal["user", "movie"]


@dataclass(frozen=True)
class FoldedRow:
    """Normal distributions of a new row's bias and factors, one for each stored draw of the other side.

    Attributes
    ----------
    model : PosteriorPredictive
        Fitted.
    side : {"user", "movie"}
        What the row is.
    mean : ndarray of float64, shape (samples, 1 + factors)
        Conditional means.
    covariance : ndarray of float64, shape (samples, 1 + factors, 1 + factors)
        Conditional covariances.
    noise : float
        Variance of the row's ratings, relative to the common one.
    rated : ndarray of int32, shape (ratings,)
        Known rows of the other side, in the order given.
    pulls : ndarray of float64, shape (samples, ratings, 1 + factors)
        What each rating adds to the right-hand side of the equations of the means.
    """

    model: PosteriorPredictive
    side: Side
    mean: Array
    covariance: Array
    noise: float
    rated: Rows
    pulls: Array

    def score(self, rows: Rows) -> Array:
        """Return the unclipped predictions alone, by which to rank: far faster than `predict`; shape (n,)."""
        design, bias = _split(getattr(self.model, f"{_other(self.side)}_draws")[:, rows])
        scores: Array = self.model.mean + (bias + (design @ self.mean[:, :, None])[:, :, 0]).mean(axis=0)
        return scores

    def predict(self, rows: Rows) -> tuple[Array, Array]:
        """Predict ratings between this row and rows of the other side.

        Parameters
        ----------
        rows : ndarray of int, shape (n,)
            Of the model's movies for a user, of its users for a movie.

        Returns
        -------
        predicted, deviation : ndarray of float64, shape (n,)
            In stars: the prediction on the training ratings' scale, and a rating's standard deviation around it.
        """
        other = _other(self.side)
        design, bias = _split(getattr(self.model, f"{other}_draws")[:, rows])
        scores = bias + (design @ self.mean[:, :, None])[:, :, 0]
        uncertainty = np.einsum("sne,sne->n", design @ self.covariance, design) / len(scores)
        noise = self.model.noise * self.noise * getattr(self.model, f"{other}_noise")[rows]
        variance = scores.var(axis=0) + uncertainty + noise
        predicted = np.clip(self.model.mean + scores.mean(axis=0), *self.model.scale)
        return predicted, np.sqrt(variance)

    def explain(self, rows: Rows) -> Array:
        """Part the scores among the ratings: the means are linear in them, given the noise.

        A rating counts by its stars and by having been given at all, which moves the mean that the row has before its
        stars are seen. What is left of a score is that of the mean row with as many ratings.

        Parameters
        ----------
        rows : ndarray of int, shape (n,)
            Of the other side.

        Returns
        -------
        ndarray of float64, shape (n, ratings)
            In stars, of any sign.
        """
        design, _ = _split(getattr(self.model, f"{_other(self.side)}_draws")[:, rows])
        effects = design @ self.covariance  # (samples, n, 1 + factors)
        parts: Array = (effects @ self.pulls.transpose(0, 2, 1)).mean(axis=0)
        stored = vars(self.model)
        if f"{self.side}_bags_projection" in stored:
            before = effects @ stored[f"{self.side}_precision"]
            directions = (before @ stored[f"{self.side}_bags_coefficients"].transpose(0, 2, 1)).mean(axis=0)
            bags = stored[f"{self.side}_bags_projection"][self.rated].astype(np.float64)
            parts += directions @ bags.T * scale_bags([len(self.rated)])[0]
        return parts


class Raters(NamedTuple):
    """Rows of the other side that a row has ratings with.

    Attributes
    ----------
    draws : ndarray, shape (samples, ratings, 1 + factors)
        Biases and factors.
    noise : ndarray of float, shape (ratings,)
        Variances of the rows' ratings, relative to the common one.
    rows : ndarray of int32, shape (ratings,)
        Their places in the model; empty where it does not hold them.
    """

    draws: npt.NDArray[Any]
    noise: npt.NDArray[Any]
    rows: Rows


class Prior(NamedTuple):
    """A normal distribution for each draw: `mean` of shape (samples, 1 + factors), and `precision`, squares of them."""

    mean: Array
    precision: Array


def fold_in_user(model: PosteriorPredictive, movie_ids: npt.ArrayLike, stars: npt.ArrayLike) -> FoldedRow:
    """Meet a new user.

    Parameters
    ----------
    model : PosteriorPredictive
        Fitted.
    movie_ids : array_like of int, shape (ratings,)
        Distinct; movies that the model has no ratings of are left out. Without any, the user is the mean one.
    stars : array_like of float, shape (ratings,)
        Their ratings.

    Returns
    -------
    FoldedRow
        In milliseconds.
    """
    return _fold_in(model, "user", model.movies.rows(movie_ids), np.asarray(stars, dtype=np.float64))


def fold_in_user_rows(model: PosteriorPredictive, movie_rows: Rows, stars: npt.ArrayLike) -> FoldedRow:
    """Meet a new user by rows of movies, all known, instead of ids; see `fold_in_user`."""
    return _fold_in(model, "user", movie_rows, np.asarray(stars, dtype=np.float64))


def fold_in_movie(model: PosteriorPredictive, user_ids: npt.ArrayLike, stars: npt.ArrayLike) -> FoldedRow:
    """Meet a new movie by its ratings, whatever its genres; parameters as in `fold_in_user`."""
    return _fold_in(model, "movie", model.users.rows(user_ids), np.asarray(stars, dtype=np.float64))


def _fold_in(model: PosteriorPredictive, side: Side, rows: Rows, stars: Array) -> FoldedRow:
    """Take the sampler's conditional distribution of a row, with its weight at its mean given the factors."""
    rows, stars = rows[rows >= 0], stars[rows >= 0]
    other = _other(side)
    raters = Raters(getattr(model, f"{other}_draws")[:, rows], getattr(model, f"{other}_noise")[rows], rows)
    prior = Prior(_prior_mean(model, side, rows), getattr(model, f"{side}_precision").astype(np.float64))
    return solve_row(model, side, raters, stars, prior)


def solve_row(model: PosteriorPredictive, side: Side, raters: Raters, stars: Array, prior: Prior) -> FoldedRow:
    """Find the distribution of a row's bias and factors given ratings by, or of, some rows of the other side.

    Parameters
    ----------
    model : PosteriorPredictive
        Fitted.
    side : {"user", "movie"}
        What the row is.
    raters : Raters
        The other side's rows; perhaps none.
    stars : ndarray of float64, shape (ratings,)
        The ratings.
    prior : Prior
        What is known of the row without them.
    """
    design, bias = _split(raters.draws)
    targets = stars - model.mean - bias  # (samples, ratings)
    expected = prior.precision @ prior.mean[:, :, None]
    precision = model.precision[:, None] / raters.noise
    degrees, weight = getattr(model, f"{side}_degrees"), np.ones(len(model.precision))
    for _ in range(NOISE_ROUNDS):
        weighted = design * (weight[:, None] * precision)[:, :, None]
        system = prior.precision + weighted.transpose(0, 2, 1) @ design
        mean = np.linalg.solve(system, expected + weighted.transpose(0, 2, 1) @ targets[:, :, None])
        squares = (precision * (targets - (design @ mean)[:, :, 0]) ** 2).sum(axis=1)
        weight = (degrees + len(stars)) / (degrees + squares)
    noise = (degrees + squares) / (degrees + len(stars) - 2)  # the mean of 1 / weight
    pulls = weighted * targets[:, :, None]
    return FoldedRow(model, side, mean[:, :, 0], np.linalg.inv(system), float(noise.mean()), raters.rows, pulls)


def _prior_mean(model: PosteriorPredictive, side: Side, rows: Rows) -> Array:
    """Return the mean that a row with these ratings has before their stars are seen, shape (samples, 1 + factors)."""
    mean: Array = getattr(model, f"{side}_centre").astype(np.float64)
    if len(rows) == 0:
        return mean
    stored = vars(model)
    if f"{side}_bags_projection" in stored:
        bag = stored[f"{side}_bags_projection"][rows].sum(axis=0, dtype=np.float64) * scale_bags([len(rows)])[0]
        mean = mean + (bag - stored[f"{side}_bags_mean"]) @ stored[f"{side}_bags_coefficients"]
    if f"{side}_counts_projection" in stored:
        count = (describe_counts([len(rows)]) @ stored[f"{side}_counts_projection"].astype(np.float64))[0]
        mean = mean + (count - stored[f"{side}_counts_mean"]) @ stored[f"{side}_counts_coefficients"]
    return mean


def _other(side: Side) -> Side:
    users, movies = get_args(Side)
    other: Side = movies if side == users else users
    return other


def _split(draws: npt.NDArray[Any]) -> tuple[Array, Array]:
    """Part rows into what the new row's bias and factors are multiplied by, and the bias."""
    design = draws.astype(np.float64)
    bias = design[:, :, 0].copy()
    design[:, :, 0] = 1
    return design, bias
