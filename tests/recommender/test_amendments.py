"""New movies in every model: placed by content, moved by their ratings, and let go when a model holds them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from movierec.data.described_movie import DescribedMovie
from movierec.errors import MovierecError
from movierec.models.als import ALS
from movierec.models.content_prior import ContentPrior
from movierec.models.svd import SVD
from movierec.recommender.amended_catalogue import FIRST_NEW_CODE, NewMovie
from movierec.recommender.amendments import Amender
from movierec.recommender.artifacts import Artifacts
from movierec.recommender.engine import Engine
from movierec.recommender.placing import make_placer

OWN = 1_000_000_000
DRAMA = DescribedMovie(OWN, "Zebra", 1999, ("Drama", "War"), ("slow",))
MODELS = ("als", "als_tuned", "svd", "svd_tuned", "ease", "blend", "bayes")


@pytest.fixture
def amender(engine: Engine) -> Amender:
    return Amender(engine)


def users_of(artifacts: Artifacts, n: int) -> list[int]:
    return [int(user) for user in artifacts.models["als"].users.ids[:n]]


def score_of(engine: Engine, user: int, model: str) -> float:
    answer = engine.recommend(engine.artifacts.profiles.find(user), 250, model=model)
    return next(item.score for item in answer.items if item.movie.movie_id == OWN)


def rank_of(engine: Engine, user: int, model: str) -> int:
    answer = engine.recommend(engine.artifacts.profiles.find(user), 250, model=model)
    return [item.movie.movie_id for item in answer.items].index(OWN)


@pytest.mark.parametrize("model", MODELS)
def test_known_movies_keep_their_scores_and_the_new_one_has_all_that_others_have(
    engine: Engine, amender: Amender, artifacts: Artifacts, model: str
) -> None:
    amended = amender.amend([NewMovie(DRAMA)], [])
    for user in users_of(artifacts, 3):
        before, after = (
            each.recommend(each.artifacts.profiles.find(user), 250, model=model) for each in (engine, amended)
        )
        rest = {item.movie.movie_id: item.score for item in after.items if item.movie.movie_id != OWN}
        scale = 0.05 if model == "blend" else 1e-5  # whose parts are standardised over all movies
        assert rest == pytest.approx({item.movie.movie_id: item.score for item in before.items}, abs=scale, rel=1e-4)
        assert len(after.items) == len(before.items) + 1
    stars = amended.predict(amended.artifacts.profiles.find(1), [OWN], model)
    assert 0.5 <= stars.stars[0] <= 5
    similar = replace(artifacts, champion=model)
    assert len(Engine(replace(similar, catalogue=amended.artifacts.catalogue), amended.scorers).similar(OWN, 5)) == 5


@pytest.mark.parametrize("model", ["als", "svd"])
def test_without_ratings_it_is_what_content_suggests(artifacts: Artifacts, amender: Amender, model: str) -> None:
    alike = artifacts.catalogue.at(3)
    content, fitted = artifacts.content, artifacts.models[model]
    assert content
    assert isinstance(fitted, ALS | SVD)
    prior = ContentPrior(content.of(fitted.movies.ids), fitted.movie_factors)
    copy = DescribedMovie(OWN, alike.title, alike.year, alike.genres)
    scorer: Any = amender.amend([NewMovie(copy)], []).scorers[model]
    assert scorer._movie_factors[-1] == pytest.approx(prior.expect(content.of([alike.movie_id])[0]), abs=1e-5)


@pytest.mark.parametrize("model", ["als", "als_tuned", "svd", "svd_tuned", "blend", "bayes"])
def test_ratings_move_it_towards_those_who_like_it(amender: Amender, artifacts: Artifacts, model: str) -> None:
    *raters, fan = users_of(artifacts, 25)
    plain = amender.amend([NewMovie(DRAMA)], [])
    liked = amender.amend([NewMovie(DRAMA, tuple((user, 5.0) for user in [*raters, fan]))], [])
    assert rank_of(liked, fan, model) < rank_of(plain, fan, model)
    if model not in {"als", "als_tuned", "blend"}:  # to which a low rating tells that the movie was watched
        hated = amender.amend([NewMovie(DRAMA, tuple((user, 0.5) for user in [*raters, fan]))], [])
        assert score_of(hated, fan, model) < score_of(plain, fan, model) < score_of(liked, fan, model)
    stars = [each.predict(each.artifacts.profiles.find(fan), [OWN], model).stars[0] for each in (plain, liked)]
    assert stars[0] < stars[1]


def test_the_als_s_movie_solves_its_equation(artifacts: Artifacts, amender: Amender) -> None:
    model: Any = artifacts.models["als"]
    users = users_of(artifacts, 6)
    stars = [5.0, 4.0, 1.0, 4.5, 2.0, 5.0]
    plain: Any = amender.amend([NewMovie(DRAMA)], []).scorers["als"]
    expected = plain._movie_factors[-1].astype(np.float64)
    moved: Any = amender.amend([NewMovie(DRAMA, tuple(zip(users, stars, strict=True)))], []).scorers["als"]
    every = model.user_factors.astype(np.float64)
    confidence = np.zeros(len(every))
    confidence[model.users.rows(users)] = [each if each >= 4 else 1 for each in stars]
    # (sum over all of x x' (1 + c) + regularization I) v = sum of x (m.x + c), where c is 0 for who did not rate
    system = every.T @ every + (every.T * confidence) @ every + model.regularization * np.eye(every.shape[1])
    right = every.T @ (every @ expected + confidence) + model.regularization * expected
    assert moved._movie_factors[-1] == pytest.approx(np.linalg.solve(system, right), abs=1e-5)


def test_it_is_a_reason_and_has_reasons(amender: Amender, artifacts: Artifacts) -> None:
    amended = amender.amend([NewMovie(DRAMA)], [])
    profile = amended.artifacts.profiles.find(5_000, {OWN: 5.0})
    assert profile.movie_ids.tolist() == [FIRST_NEW_CODE]
    for model in MODELS:
        answer = amended.recommend(profile, 3, model=model, explain=True)
        assert answer.strategy == "folded_in"
        assert OWN not in [item.movie.movie_id for item in answer.items]
        assert {reason.movie_id for item in answer.items for reason in item.reasons} <= {OWN}
    fan = amended.artifacts.profiles.find(users_of(artifacts, 1)[0])
    answer = amended.recommend(fan, 250, model="ease", explain=True)
    reasons = next(item.reasons for item in answer.items if item.movie.movie_id == OWN)
    assert {reason.movie_id for reason in reasons} <= set(fan.movie_ids.tolist())
    assert reasons


def test_only_what_is_new_is_placed_and_nothing_new_is_the_same_engine(
    amender: Amender, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert amender.amend([], []) is engine
    first = amender.amend([NewMovie(DRAMA)], [])
    assert amender.amend([NewMovie(DRAMA)], []) is first
    placed = list[int]()
    place = amender._place

    def count_placed(movies: Sequence[NewMovie], find: Any) -> Any:
        placed.append(len(movies))
        return place(movies, find)

    monkeypatch.setattr(amender, "_place", count_placed)
    amender.amend([NewMovie(DRAMA), NewMovie(replace(DRAMA, movie_id=OWN + 1))], [])
    amender.amend([NewMovie(DRAMA)], [1])
    assert placed == [1, 0]


def test_a_movie_that_the_models_hold_is_let_go(amender: Amender, artifacts: Artifacts) -> None:
    held = int(artifacts.models["als"].movies.ids[0])
    amended = amender.amend([NewMovie(replace(DRAMA, movie_id=held), ((1, 5.0),))], [])
    before, after = artifacts.catalogue.get(held), amended.artifacts.catalogue.get(held)
    assert before
    assert after == replace(before, title="Zebra", year=1999, genres=("Drama", "War"))
    assert len(amended.artifacts.catalogue) == len(artifacts.catalogue)
    assert amended.scorers is amender.engine.scorers


def test_a_listed_movie_that_no_model_holds_is_placed(amender: Amender, artifacts: Artifacts) -> None:
    listed = set(artifacts.catalogue.movie_ids.tolist()) - set(artifacts.models["als"].movies.ids.tolist())
    own = min(listed)
    amended = amender.amend([NewMovie(replace(DRAMA, movie_id=own))], [])
    found = amended.artifacts.catalogue
    assert (found.get(own), len(found)) == (found.at(len(found) - 1), len(artifacts.catalogue) + 1)
    assert int(found.rows_of().sum()) == len(artifacts.catalogue)
    assert [movie.movie_id for movie, _ in found.search("zebra 1999", 5)][:1] == [own]


def test_new_raters_are_seen_by_their_other_ratings(amender: Amender, artifacts: Artifacts) -> None:
    movies = artifacts.models["als"].movies.ids[:5].tolist()

    def find(user: Any) -> Any:
        return artifacts.profiles.find(user, dict.fromkeys(movies, 5.0) if user == 90_001 else {})

    moved: Any = amender.amend([NewMovie(DRAMA, ((90_001, 5.0), (90_002, 5.0)))], [], find).scorers["svd"]
    alone: Any = amender.amend([NewMovie(DRAMA, ((90_001, 5.0),))], [], find).scorers["svd"]
    plain: Any = amender.amend([NewMovie(DRAMA)], []).scorers["svd"]
    assert moved._movie_factors[-1] == pytest.approx(alone._movie_factors[-1])
    assert not np.allclose(plain._movie_factors[-1], alone._movie_factors[-1])


def test_without_content_nothing_can_be_placed(artifacts: Artifacts, engine: Engine) -> None:
    amender = Amender(Engine(replace(artifacts, content=None), engine.scorers))
    with pytest.raises(MovierecError, match="nothing is known of the movies' content"):
        amender.amend([NewMovie(DRAMA)], [])
    with pytest.raises(MovierecError, match="cannot take in new movies"):
        make_placer(type("Other", (), {"name": "other"})(), None, np.zeros((1, 1), np.float32))
