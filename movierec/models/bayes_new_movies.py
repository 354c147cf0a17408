"""New movies in a fitted Bayesian factorisation: drawn given their content and ratings, then rows like all others."""

import copy
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from movierec.models.base import Array
from movierec.models.bayes_fold_in import Prior, Raters, solve_row
from movierec.models.content_prior import ContentPrior
from movierec.models.posterior_predictive import PosteriorPredictive

_LEAST_VARIANCE: Final = 1e-4  # of a row around what content says of it

Floats = npt.NDArray[np.float32]


class DrawnMovie(NamedTuple):
    """A new movie as the model stores one: `draws` (samples, 1 + factors), `mean` (64,) and relative `noise`."""

    draws: npt.NDArray[np.float16]
    mean: Floats
    noise: float


class MovieDraws:
    """Draws new movies.

    What a movie is before its ratings comes from the known ones: in each stored draw their rows are regressed on their
    content, and scatter around that. Ratings then move it as `fold_in_movie` does.

    Parameters
    ----------
    model : PosteriorPredictive
        Fitted.
    content : ndarray of float32, shape (movies, size)
        Content factors of the model's movies.
    """

    def __init__(self, model: PosteriorPredictive, content: Floats) -> None:
        self._model = model
        draws = model.movie_draws[:, : len(model.movies)].astype(np.float64)
        samples, movies, width = draws.shape
        self._prior = ContentPrior(content, draws.transpose(1, 0, 2).reshape(movies, samples * width))
        self._shape = samples, width
        residuals = self._prior.residuals.reshape(movies, samples, width).transpose(1, 0, 2)
        covariance = residuals.transpose(0, 2, 1) @ residuals / movies + _LEAST_VARIANCE * np.eye(width)
        self._precision = np.linalg.inv(covariance)
        self._learn_mean()

    def _learn_mean(self) -> None:
        """Prepare the regression of a movie's mean scores, over all users, on the users' rows of the mean."""
        model = self._model
        users = model.user_mean.astype(np.float64)
        inputs = np.column_stack([np.ones(len(users)), users[:, 1:]])
        self._inverse = np.linalg.pinv(inputs.T @ inputs)
        draws = model.user_draws
        self._crossed = np.stack([inputs.T @ draw[:, 1:].astype(np.float64) for draw in draws])
        self._ones = inputs.sum(axis=0)
        self._biases = inputs.T @ (draws[:, :, 0].mean(axis=0, dtype=np.float64) - users[:, 0])

    def draw(self, described: Floats, raters: Raters, stars: Array, rng: np.random.Generator) -> DrawnMovie:
        """Draw a movie.

        Parameters
        ----------
        described : ndarray of float32, shape (size,)
            Its content factors.
        raters, stars
            Who rated it, and how; see `solve_row`.
        rng : numpy.random.Generator
            Of the draws around the means.
        """
        prior = Prior(self._prior.expect(described).reshape(self._shape), self._precision)
        folded = solve_row(self._model, "movie", raters, stars, prior)
        roots = np.linalg.cholesky(folded.covariance)
        draws = folded.mean + (roots @ rng.standard_normal((*self._shape, 1)))[:, :, 0]
        scores = (self._crossed @ folded.mean[:, 1:, None])[:, :, 0].mean(axis=0)
        mean = self._inverse @ (self._biases + self._ones * folded.mean[:, 0].mean() + scores)
        return DrawnMovie(draws.astype(np.float16), mean.astype(np.float32), folded.noise)

    def extend(self, codes: npt.NDArray[np.int64], drawn: list[DrawnMovie]) -> PosteriorPredictive:
        """Return the model with new movies behind the rated ones; they count as without ratings in its fit."""
        model, at = copy.copy(self._model), len(self._model.movies)
        model.movie_draws = _insert(model.movie_draws, at, np.stack([each.draws for each in drawn], axis=1), axis=1)
        model.movie_mean = _insert(model.movie_mean, at, np.stack([each.mean for each in drawn]))
        model.movie_noise = _insert(model.movie_noise, at, np.array([each.noise for each in drawn], dtype=np.float32))
        model.unrated_ids = np.concatenate([codes, model.unrated_ids])
        if "user_bags_projection" in vars(model):  # who rated them tells nothing more of a user
            bags = vars(model)["user_bags_projection"]
            vars(model)["user_bags_projection"] = _insert(bags, at, np.zeros((len(drawn), bags.shape[1]), bags.dtype))
        return model


def _insert(rows: npt.NDArray[Any], at: int, new: npt.NDArray[Any], axis: int = 0) -> npt.NDArray[Any]:
    before, after = np.split(rows, [at], axis=axis)
    return np.concatenate([before, new.astype(rows.dtype), after], axis=axis)
