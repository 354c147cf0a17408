"""Where a new movie belongs in each kind of model: by its content, and by who rated it how; nothing is refitted.

Content gives a first row, from the ALS's own map or from a ridge regression of the known rows on their content. Ratings
then move it as a user's ratings move a user: in closed form, given the raters' vectors.
"""

import copy
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from movierec.errors import MovierecError
from movierec.models.als import ALS
from movierec.models.base import Array, Recommender
from movierec.models.bayes import Bayes
from movierec.models.bayes_new_movies import DrawnMovie, MovieDraws
from movierec.models.bias import Bias
from movierec.models.blend import Blend
from movierec.models.content_prior import ContentPrior, mix_movies
from movierec.models.ease import EASE
from movierec.models.mixed_blend import MixedBlend
from movierec.models.mixed_ease import MixedEASE
from movierec.models.svd import SVD
from movierec.recommender.fold_in import PRIOR_PENALTY, with_ones
from movierec.recommender.profiles import Profile
from movierec.recommender.scorer import Codes, Scorer
from movierec.recommender.scorer_bayes import BayesScorer
from movierec.recommender.scorer_blend import BlendScorer
from movierec.recommender.scorer_ease import EaseScorer
from movierec.recommender.scorers import AlsScorer, SvdScorer

Floats = npt.NDArray[np.float32]


class Raters(NamedTuple):
    """Who rated a movie: profiles, none of whom rated nothing else that a model knows, and their stars."""

    profiles: Sequence[Profile]
    stars: Array


class Placer(ABC):
    """One model, ready to take in new movies; never changed."""

    @abstractmethod
    def place(self, described: Floats, raters: Raters, rng: np.random.Generator) -> Any:  # noqa: ANN401  # of its kind
        """Return what the model holds of a movie with these content factors, shape (size,), and ratings."""

    @abstractmethod
    def extend(self, codes: Codes, placed: Sequence[Any]) -> Scorer[Any]:
        """Return a scorer of the model with such movies behind its own; codes ascend, above all others."""


class _FactorPlacer(Placer):
    """Rows of a bias and factors."""

    def __init__(self, model: ALS | SVD, scorer: AlsScorer | SvdScorer, content: Floats) -> None:
        self._model, self._scorer = model, scorer
        self._prior = ContentPrior(content, np.column_stack([model.movie_bias, model.movie_factors]))

    def _see(self, raters: Raters) -> tuple[Array, Array, Array]:
        """Return the biases, factors and stars of the raters of whom something is known."""
        tastes = [self._scorer.see(profile) for profile in raters.profiles]
        known = [taste for taste in tastes if taste]
        factors = np.array([taste.factors for taste in known]).reshape(len(known), self._model.movie_factors.shape[1])
        stars = raters.stars[[taste is not None for taste in tastes]]
        return np.array([taste.bias for taste in known]), factors, stars

    def _add_rows(self, placed: Sequence[Array]) -> Any:  # noqa: ANN401  # a model of its kind
        rows = np.array(placed)
        model: Any = copy.copy(self._model)
        model.movie_bias = np.concatenate([model.movie_bias, rows[:, 0].astype(model.movie_bias.dtype)])
        model.movie_factors = np.vstack([model.movie_factors, rows[:, 1:].astype(model.movie_factors.dtype)])
        return model


class AlsPlacer(_FactorPlacer):
    """The ALS: whoever has not rated the movie counts as content expects, not as 0, as they had no chance to.

    With m from content and X of all users the factors are ``m + inv(X'X + regularization I + sum(c x x')) sum(c (1 - x
    . m) x)``, sums over the raters: a rating moves the movie as far as in the fit.
    """

    def __init__(self, model: ALS, scorer: AlsScorer, content: Floats) -> None:
        super().__init__(model, scorer, content)
        users = model.user_factors.astype(np.float64)
        self._gram = users.T @ users + model.regularization * np.eye(users.shape[1])

    def place(self, described: Floats, raters: Raters, rng: np.random.Generator) -> Array:
        """Return bias and factors; see `Placer.place`."""
        del rng
        model: Any = self._model
        expected = self._prior.expect(described)
        if len(model.content_map):
            expected[1:] = described @ model.content_map
        biases, users, stars = self._see(raters)
        penalty = Bias().movie_penalty
        bias = (penalty * expected[0] + (stars - model.mean - biases).sum()) / (penalty + len(stars))
        if not len(stars):
            return expected
        confidence = model.confidence(stars.astype(np.float32)).astype(np.float64)  # its half
        system = self._gram + (users.T * confidence) @ users
        moved = np.linalg.solve(system, users.T @ (confidence * (1 - users @ expected[1:])))
        return np.concatenate([[bias], expected[1:] + moved])

    def extend(self, codes: Codes, placed: Sequence[Array]) -> AlsScorer:
        """Return an ALS's scorer; see `Placer.extend`."""
        return AlsScorer(self._add_rows(placed), codes)

    def extend_model(self, placed: Sequence[Array]) -> ALS:
        """Return the ALS with rows for new movies."""
        model: ALS = self._add_rows(placed)
        return model


class SvdPlacer(_FactorPlacer):
    """The SVD: a regression of the movie's ratings on its raters' factors, drawn to content; as `fold_in_svd`."""

    def place(self, described: Floats, raters: Raters, rng: np.random.Generator) -> Array:
        """Return bias and factors; see `Placer.place`."""
        del rng
        model: Any = self._model
        expected = self._prior.expect(described)
        biases, users, stars = self._see(raters)
        inputs = with_ones(users)
        residuals = stars - model.mean - biases - inputs @ expected
        penalty = len(stars) * model.regularization + PRIOR_PENALTY
        system = inputs.T @ inputs + penalty * np.eye(len(expected))
        return expected + np.linalg.solve(system, inputs.T @ residuals)

    def extend(self, codes: Codes, placed: Sequence[Array]) -> SvdScorer:
        """Return an SVD's scorer; see `Placer.extend`."""
        return SvdScorer(self._add_rows(placed), codes)


class EasePlacer(Placer):
    """EASE: a mix of the modelled movies by content; the movie's own ratings do not move it."""

    def __init__(self, model: EASE, content: Floats) -> None:
        self._model, self._content = model, content[model.modelled]

    def place(self, described: Floats, raters: Raters, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Return the mix and its reach, each of shape (modelled,); see `MixedEASE`."""
        del raters, rng
        mix = mix_movies(self._content, described).astype(np.float32)
        return mix, self._model.spread_weights(mix[np.newaxis])[0]

    def extend(self, codes: Codes, placed: Sequence[tuple[Floats, Floats]]) -> EaseScorer:
        """Return EASE's scorer; see `Placer.extend`."""
        return EaseScorer(self.extend_model(placed), codes)

    def extend_model(self, placed: Sequence[tuple[Floats, Floats]]) -> MixedEASE:
        """Return EASE with new movies as mixes."""
        mixes, reach = (np.array(side) for side in zip(*placed, strict=True))
        model = MixedEASE(self._model, mixes, reach)
        model.movie_bias = np.concatenate([model.movie_bias, np.zeros(len(mixes))])
        return model


class BlendPlacer(Placer):
    """A blend: each part by itself."""

    def __init__(self, model: Blend, content: Floats) -> None:
        self._model = model
        self._ease, self._als = EasePlacer(model.ease, content), AlsPlacer(model.als, AlsScorer(model.als), content)

    def place(self, described: Floats, raters: Raters, rng: np.random.Generator) -> tuple[Any, Array]:
        """Return what both parts hold; see `Placer.place`."""
        return self._ease.place(described, raters, rng), self._als.place(described, raters, rng)

    def extend(self, codes: Codes, placed: Sequence[tuple[Any, Array]]) -> BlendScorer:
        """Return the blend's scorer; see `Placer.extend`."""
        of_ease, of_als = zip(*placed, strict=True)
        parts = self._ease.extend_model(of_ease), self._als.extend_model(of_als)
        return BlendScorer(MixedBlend(self._model, *parts), codes)


class BayesPlacer(Placer):
    """The Bayesian factorisation: a draw for each stored one; see `MovieDraws`."""

    def __init__(self, model: Bayes, scorer: BayesScorer, content: Floats) -> None:
        self._scorer, self._draws = scorer, MovieDraws(model, content)

    def place(self, described: Floats, raters: Raters, rng: np.random.Generator) -> DrawnMovie:
        """Return draws; see `Placer.place`."""
        tastes = [self._scorer.see(profile) for profile in raters.profiles]
        stars = raters.stars[[taste is not None for taste in tastes]]
        known = self._scorer.describe_raters([taste for taste in tastes if taste])
        return self._draws.draw(described, known, stars, rng)

    def extend(self, codes: Codes, placed: Sequence[DrawnMovie]) -> BayesScorer:
        """Return the factorisation's scorer; see `Placer.extend`."""
        return BayesScorer(self._draws.extend(codes, list(placed)), codes)


def make_placer(model: Recommender, scorer: Any, content: Floats) -> Placer:  # noqa: ANN401  # of the model's kind
    """Return the placer of a fitted model of one of the kinds that are stored.

    Parameters
    ----------
    model : Recommender
        Fitted.
    scorer : Scorer
        Of it.
    content : ndarray of float32, shape (movies, size)
        Content factors of the model's movies.

    Raises
    ------
    MovierecError
        If it is another model.
    """
    if isinstance(model, ALS):
        return AlsPlacer(model, scorer, content)
    if isinstance(model, SVD):
        return SvdPlacer(model, scorer, content)
    if isinstance(model, Bayes):
        return BayesPlacer(model, scorer, content)
    if isinstance(model, EASE):
        return EasePlacer(model, content)
    if isinstance(model, Blend):
        return BlendPlacer(model, content)
    raise MovierecError(f"a model {model.name!r} cannot take in new movies: give it one that the pipeline stores")
