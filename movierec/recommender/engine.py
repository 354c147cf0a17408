"""Answers from the loaded models: recommendations, similar movies, predicted stars; reads no file."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from movierec import seeds
from movierec.errors import MovierecError
from movierec.ids import OwnId, find_rows
from movierec.models.base import Rows
from movierec.models.gibbs.day_effects import SECONDS_A_DAY
from movierec.models.rerank import rerank_by_mmr
from movierec.models.top_k import top_k_rows
from movierec.recommender.answers import Answer, Reason, Recommendation, Strategy, name_reasons
from movierec.recommender.artifacts import Artifacts
from movierec.recommender.catalogue import Mask, Movie
from movierec.recommender.profiles import Profile
from movierec.recommender.scorer import Expectation, Predicted, Scorer, Shares, Taste
from movierec.recommender.scorers import make_scorer
from movierec.roster import EXPLORING, POPULARITY
from movierec.text import find_nearest

__all__ = ["POPULARITY", "Answer", "Engine", "Reason", "Recommendation", "Strategy"]

Values = npt.NDArray[np.floating[Any]]
CANDIDATES: Final = 50  # that a varied list is picked from
_NO_EXCLUSION: Final = np.zeros(2, dtype=np.int32)
_NOTHING: Final = np.empty(0, dtype=np.int32)


class Engine:
    """All answers from one set of artifacts; any number of threads may ask at once.

    Parameters
    ----------
    artifacts : Artifacts
        What the pipeline made, perhaps with an amended catalogue.
    scorers : mapping of str to Scorer, optional
        Of the artifacts' models, by name; made of them by default.

    Attributes
    ----------
    scorers : mapping of str to Scorer
        Those.
    """

    def __init__(self, artifacts: Artifacts, scorers: Mapping[str, Scorer[Any]] | None = None) -> None:
        self.artifacts = artifacts
        self._catalogue = artifacts.catalogue
        self.scorers = scorers or {name: make_scorer(model) for name, model in artifacts.models.items()}
        self._scorers = dict(self.scorers)
        self._scorers |= {name: self._scorers[model] for name, model in EXPLORING.items() if model in self._scorers}
        self._places = {name: self._catalogue.rows(scorer.movie_ids) for name, scorer in self._scorers.items()}
        self._rated = self._catalogue.ratings > 0
        for kind in (np.float32, np.float64):  # compiled now: the first to ask shall not wait for it
            _choose(np.zeros(1, dtype=kind), np.ones(1, dtype=bool), 1)

    @property
    def model_names(self) -> tuple[str, ...]:
        """What `recommend` and `predict` take for a model."""
        return (*self._scorers, POPULARITY)

    def recommend(
        self,
        profile: Profile,
        k: int,
        *,
        model: str | None = None,
        genre: str | None = None,
        decade: int | None = None,
        exclude_seen: bool = True,
        explain: bool = False,
        diversity: float = 0.0,
        now_s: int = 0,
    ) -> Answer:
        """Recommend movies to a user.

        Parameters
        ----------
        profile : Profile
            The user. A trained one without new ratings is answered by the fit's vectors, anyone else who rated a movie
            that the model knows by vectors solved from all their ratings, and all others by the Bayesian average.
        k : int
            How many, at least 1.
        model : str, optional
            One of `model_names` instead of the champion; ``popularity`` ranks by number of ratings, and an exploring
            one by a draw from what its model believes (see `Scorer.explore`).
        genre, decade : optional
            Only such movies; see `Catalogue.rows_of`.
        exclude_seen : bool
            Leave out what the profile rated.
        explain : bool
            Give the ratings that speak most for each movie, at most 3. They are parts of the folded-in
            score, which for a trained user differs a little from the score given, and from that of an exploring model.
            A score of 0 or less has no reasons.
        diversity : float
            In [0, 1): above 0 the list is picked from a longer one so that its genres vary; see `rerank_by_mmr`.
        now_s : int
            Seconds since 1970 (UTC): an exploring model draws anew for each user and day.

        Returns
        -------
        Answer
            Equal scores by ascending movie id.

        Raises
        ------
        MovierecError
            If the model, genre or decade is unknown.
        """
        allowed = self._catalogue.rows_of(genre, decade)
        if exclude_seen:
            seen = self._catalogue.rows(profile.movie_ids)
            allowed[seen[seen >= 0]] = False
        name = self._name_model(model)
        strategy, taste = self._see(name, profile)
        if taste is None:
            quality = self._catalogue.ratings if model == POPULARITY else self._catalogue.means
            places, scores = _choose(quality.astype(np.float64), allowed & self._rated, k)
            items = self._describe(places, scores, self._expect(profile), None)
            return Answer(strategy, POPULARITY, self.artifacts.version, items)
        scorer, rows = self._scorers[name], self._places[name]
        wanted = max(k, CANDIDATES) if diversity else k
        chosen, scores = _choose(self._score(name, taste, profile.user_id, now_s), allowed[rows], wanted)
        if diversity:
            picked = self._vary(rows[chosen], scores, k, diversity)
            chosen, scores = chosen[picked], scores[picked]
        shares = scorer.explain(profile, taste, chosen) if explain else None
        rater = self.artifacts.rating_model
        expected = taste if rater and scorer is self._scorers[rater] else self._expect(profile)
        return Answer(strategy, name, self.artifacts.version, self._describe(rows[chosen], scores, expected, shares))

    def similar(self, movie_id: OwnId, k: int) -> list[tuple[Movie, float]]:
        """Find the movies whose factors in the champion point the same way.

        Parameters
        ----------
        movie_id : int or str
            A movie's own id.
        k : int
            How many, at least 1.

        Returns
        -------
        list of (Movie, float)
            Without the movie itself, the highest cosine (-1 to 1) first, equals by ascending id; empty for a movie of
            the catalogue that the model does not know.

        Raises
        ------
        MovierecError
            If there is no such movie.
        """
        if self._catalogue.get(movie_id) is None:
            raise MovierecError(f"there is no movie {movie_id}: search by title")
        name = self.artifacts.champion
        row = int(find_rows(self._scorers[name].movie_ids, self._catalogue.ids.find_all([movie_id]))[0])
        if row < 0:
            return []
        cosines = self._scorers[name].compare(row)
        allowed = self._catalogue.rows_of()[self._places[name]]
        allowed[row] = False
        chosen, found = _choose(cosines, allowed, k)
        movies = [self._catalogue.at(place) for place in self._places[name][chosen]]
        return list(zip(movies, found.tolist(), strict=True))

    def predict(self, profile: Profile, movie_ids: Sequence[OwnId], model: str | None = None) -> Predicted:
        """Predict a user's ratings, with their intervals where the model states any.

        Parameters
        ----------
        profile : Profile
            The user, seen as in `recommend`; an unknown one is the average one.
        movie_ids : sequence of int or str
            Any movies' own ids; of one that the model does not know the user's mean is predicted.
        model : str, optional
            One of `model_names` instead of the artifacts' rating model; ``popularity`` gives the Bayesian averages, and
            an exploring one what its model expects.

        Returns
        -------
        Predicted
            In the order of the movies.

        Raises
        ------
        MovierecError
            If the model is unknown, or the data has no ratings.
        """
        if self.artifacts.implicit:
            raise MovierecError("there is no rating to predict: the data has events alone, such as likes or plays")
        name = self._name_model(model or self.artifacts.rating_model)
        codes = self._catalogue.find_codes(movie_ids)
        if name == POPULARITY:
            return Predicted(self._catalogue.average(codes))
        predicted: Predicted = self._scorers[name].predict(self._see(name, profile)[1], codes)
        return predicted

    def _name_model(self, model: str | None) -> str:
        name = model or self.artifacts.champion
        if name not in self.model_names:
            raise MovierecError(f"there is no model {name!r}: did you mean {find_nearest(name, self.model_names)!r}?")
        return name

    def _see(self, name: str, profile: Profile) -> tuple[Strategy, Taste | None]:
        if name == POPULARITY:
            return "popular", None
        scorer = self._scorers[name]
        if not profile.changed and (taste := scorer.recall(profile.user_id)):
            return "personal", taste
        taste = scorer.fold_in(profile)
        return ("folded_in", taste) if taste else ("popular", None)

    def _expect(self, profile: Profile) -> Taste | None:
        """Return the user as the rating model sees them, if there is one."""
        rater = self.artifacts.rating_model
        return self._see(rater, profile)[1] if rater else None

    def _score(self, name: str, taste: Taste, user_id: int, now_s: int) -> Values:
        scorer = self._scorers[name]
        if name not in EXPLORING:
            return scorer.score(taste)
        return scorer.explore(taste, seeds.rng(user_id, "explore", f"day {now_s // SECONDS_A_DAY}"))

    def _vary(self, places: Rows, scores: Values, k: int, diversity: float) -> Rows:
        """Pick which of some movies, best first, make a list of varied genres; return their places among them."""
        genres = [set(self._catalogue.at(place).genres) for place in places]
        names = sorted(set[str]().union(*genres))
        order = np.arange(len(places), dtype=np.int32)
        if not names:
            return order[:k]
        vectors = np.array([[name in each for name in names] for each in genres], dtype=np.float32)
        picked: Rows = rerank_by_mmr(order[None], scores[None], vectors, min(k, len(order)), diversity)[0]
        return picked

    def _describe(
        self, places: Rows, scores: Values, taste: Taste | None, shares: Shares | None
    ) -> tuple[Recommendation, ...]:
        """Describe movies; the taste is the rating model's."""
        movies = [self._catalogue.at(place) for place in places]
        stars: list[Expectation] = [(None, None, None)] * len(movies)
        if taste and self.artifacts.rating_model:
            rater = self._scorers[self.artifacts.rating_model]
            stars = rater.predict(taste, self._catalogue.movie_ids[places]).by_movie()
        return tuple(
            Recommendation(movie, score, *stars[at], name_reasons(shares, at, self._catalogue.ids) if shares else ())
            for at, (movie, score) in enumerate(zip(movies, scores.tolist(), strict=True))
        )


def _choose(scores: Values, allowed: Mask, k: int) -> tuple[Rows, Values]:
    """Return the k best allowed places, best first, and their scores."""
    candidates = np.where(allowed, scores, scores.dtype.type(-np.inf))
    top = top_k_rows(candidates[None], _NO_EXCLUSION, _NOTHING, k)
    found = top.columns[0] >= 0
    return top.columns[0][found], top.scores[0][found]
