from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from movierec import io, paths
from movierec.columns import MOVIE_ID, USER_ID
from movierec.errors import MovierecError
from movierec.models.als import ALS
from movierec.models.bayes import Bayes
from movierec.models.bayes_fold_in import fold_in_user
from movierec.models.ease import EASE
from movierec.models.popularity import Popularity
from movierec.models.svd import SVD
from movierec.recommender.artifacts import Artifacts
from movierec.recommender.engine import POPULARITY, Answer, Engine
from movierec.recommender.profiles import Profile
from movierec.roster import STORED

STRANGER = 999_999


@pytest.fixture(scope="module")
def ratings(shop: Path) -> pd.DataFrame:
    return io.read_parquet(shop / paths.CLEAN_RATINGS)


def ids_of(answer: Answer) -> list[int]:
    return [int(item.movie.movie_id) for item in answer.items]


def profile_of(movie_ids: list[int], stars: list[float], user_id: int = STRANGER) -> Profile:
    return Profile(user_id, np.array(movie_ids, np.int32), np.array(stars, np.float32), trained=False, changed=True)


@pytest.mark.parametrize("name", STORED)
def test_trained_users_get_exactly_what_the_evaluated_model_recommends(
    engine: Engine, artifacts: Artifacts, ratings: pd.DataFrame, name: str
) -> None:
    model = artifacts.models[name]
    lists, scores = model.recommend(model.users.ids, 10, exclude=ratings)
    for at, user_id in enumerate(model.users.ids.tolist()):
        answer = engine.recommend(artifacts.profiles.find(user_id), 10, model=name)
        assert (answer.strategy, answer.model, answer.version) == ("personal", name, artifacts.version)
        assert ids_of(answer) == lists[at].tolist()
        np.testing.assert_allclose([item.score for item in answer.items], scores[at], rtol=1e-5, atol=1e-6)


def test_seen_movies_are_recommended_on_demand(engine: Engine, artifacts: Artifacts) -> None:
    model = artifacts.models["als_tuned"]
    lists, _ = model.recommend(model.users.ids[:5], 10)
    for at, user_id in enumerate(model.users.ids[:5].tolist()):
        assert ids_of(engine.recommend(artifacts.profiles.find(user_id), 10, exclude_seen=False)) == lists[at].tolist()


@pytest.mark.parametrize("model", [*STORED, POPULARITY])
def test_nothing_that_was_rated_is_recommended(engine: Engine, artifacts: Artifacts, model: str) -> None:
    user_id = int(artifacts.models["als"].users.ids[0])
    stored = {ids_of(engine.recommend(artifacts.profiles.find(user_id), 1, model=model))[0]: 0.5}
    profile = artifacts.profiles.find(user_id, stored)
    found = ids_of(engine.recommend(profile, 1000, model=model))
    assert set(found).isdisjoint(profile.movie_ids.tolist())
    assert len(found) == len(set(found)) > 100


def test_new_ratings_fold_the_user_in(engine: Engine, artifacts: Artifacts) -> None:
    user_id = int(artifacts.models["als"].users.ids[0])
    before = engine.recommend(artifacts.profiles.find(user_id), 20)
    after = engine.recommend(artifacts.profiles.find(user_id, dict.fromkeys(ids_of(before)[5:10], 5.0)), 20)
    assert (before.strategy, after.strategy) == ("personal", "folded_in")
    assert ids_of(after)[:10] != ids_of(before)[:10]


def test_a_strangers_first_rating_makes_them_known(engine: Engine, artifacts: Artifacts) -> None:
    profile = artifacts.profiles.find(STRANGER, {int(artifacts.models["als"].movies.ids[0]): 5.0})
    answer = engine.recommend(profile, 5)
    assert (answer.strategy, answer.model) == ("folded_in", "als_tuned")
    assert all(item.predicted_rating is not None for item in answer.items)


def test_a_user_outside_train_is_folded_in(engine: Engine) -> None:
    known = profile_of([1, 2], [4.0, 5.0])
    unchanged = Profile(STRANGER, known.movie_ids, known.stars, trained=False, changed=False)
    assert engine.recommend(unchanged, 3) == engine.recommend(known, 3)


@pytest.mark.parametrize("profile", [profile_of([], []), profile_of([500_000], [5.0])], ids=["nothing", "unknown"])
def test_a_stranger_gets_what_people_like_best(engine: Engine, artifacts: Artifacts, profile: Profile) -> None:
    answer = engine.recommend(profile, 1000, explain=True)
    assert (answer.strategy, answer.model) == ("popular", POPULARITY)
    means = [item.movie.mean or 0.0 for item in answer.items]
    assert means == sorted(means, reverse=True) == [item.score for item in answer.items]
    assert len(answer.items) == (artifacts.catalogue.ratings > 0).sum()
    assert all(item.predicted_rating is None and item.reasons == () for item in answer.items)


def test_popularity_ranks_by_number_of_ratings(engine: Engine, artifacts: Artifacts, ratings: pd.DataFrame) -> None:
    user_id = int(artifacts.models["als"].users.ids[0])
    answer = engine.recommend(artifacts.profiles.find(user_id), 10, model=POPULARITY)
    lists, counts = Popularity().fit(ratings).recommend([user_id], 10, exclude=ratings)
    assert ids_of(answer) == lists[0].tolist()
    assert [item.score for item in answer.items] == counts[0].tolist()
    assert (answer.strategy, answer.model) == ("popular", POPULARITY)
    assert answer.items[0].predicted_rating is not None, "the user is known all the same"


@pytest.mark.parametrize("user_id", [STRANGER, None])
def test_genre_and_decade_filter_without_another_order(
    engine: Engine, artifacts: Artifacts, user_id: int | None
) -> None:
    profile = artifacts.profiles.find(user_id or int(artifacts.models["als"].users.ids[3]))
    everything = engine.recommend(profile, 1000)
    drama = engine.recommend(profile, 1000, genre="drama", decade=1990)
    wanted = [item for item in everything.items if "Drama" in item.movie.genres and (item.movie.year or 0) // 10 == 199]
    assert drama.items == tuple(wanted)
    assert wanted


def test_what_is_unknown_is_refused_with_the_nearest(engine: Engine) -> None:
    profile = profile_of([], [])
    with pytest.raises(MovierecError, match="there is no model 'asl': did you mean 'als'"):
        engine.recommend(profile, 1, model="asl")
    with pytest.raises(MovierecError, match="there is no model 'bias': did you mean"):
        engine.predict(profile, [1], model="bias")
    with pytest.raises(MovierecError, match="did you mean 'Western'"):
        engine.recommend(profile, 1, genre="westren")
    with pytest.raises(MovierecError, match="there is no movie 999999"):
        engine.similar(999_999, 3)


@pytest.mark.parametrize("name", STORED)
def test_reasons_are_own_ratings_and_the_weightiest_parts(engine: Engine, artifacts: Artifacts, name: str) -> None:
    user_id = int(artifacts.models["als"].users.ids[2])
    profile = artifacts.profiles.find(user_id)
    own = dict(zip(profile.movie_ids.tolist(), profile.stars.tolist(), strict=True))
    answer = engine.recommend(profile, 5, model=name, explain=True)
    assert answer.items[0].reasons
    for item in answer.items:
        weights = [reason.weight for reason in item.reasons]
        assert len(weights) <= 3
        assert weights == sorted(weights, reverse=True)
        assert all(weight > 0 for weight in weights)
        assert all(own[reason.movie_id] == reason.rating for reason in item.reasons)


def test_explaining_changes_nothing_else(engine: Engine, artifacts: Artifacts) -> None:
    profile = artifacts.profiles.find(int(artifacts.models["als"].users.ids[2]))
    assert ids_of(engine.recommend(profile, 9, explain=True)) == ids_of(engine.recommend(profile, 9))


@pytest.mark.parametrize("name", [name for name in STORED if name != "blend"])  # its parts, `test_scorer_blend` checks
def test_the_only_rating_weighs_all_that_ratings_weigh(engine: Engine, artifacts: Artifacts, name: str) -> None:
    ease = artifacts.models["ease"]
    assert isinstance(ease, EASE)
    movie_id = int(ease.movies.ids[ease.modelled[7]])
    answer = engine.recommend(profile_of([movie_id], [5.0]), 1, model=name, explain=True)
    model, item = artifacts.models[name], answer.items[0]
    row = model.movies.rows([item.movie.movie_id])
    bias = model.mean + model.movie_bias[row][0] if isinstance(model, SVD) else 0
    if isinstance(model, Bayes):  # of a user whose one rating was neither seen nor told
        folded = fold_in_user(model, [movie_id], [5.0])
        bias = folded.score(row)[0] - folded.explain(row)[0, 0]
    assert [reason.movie_id for reason in item.reasons] == [movie_id]
    assert item.reasons[0].weight == pytest.approx((item.score - bias) / item.score, rel=1e-3)


def test_a_profile_without_a_known_movie_has_no_reasons(engine: Engine, artifacts: Artifacts) -> None:
    user_id = int(artifacts.models["als"].users.ids[0])
    hollow = Profile(user_id, np.empty(0, np.int32), np.empty(0, np.float32), trained=True, changed=False)
    for name in STORED:
        answer = engine.recommend(hollow, 3, model=name, explain=True)
        assert answer.strategy == "personal"
        assert [item.reasons for item in answer.items] == [(), (), ()]


@pytest.mark.parametrize("name", STORED)
def test_stars_of_trained_users_are_the_models(engine: Engine, artifacts: Artifacts, name: str) -> None:
    model = artifacts.models[name]
    movie_ids = [*model.movies.ids[:50].tolist(), 500_000]
    for user_id in model.users.ids[:10].tolist():
        found = engine.predict(artifacts.profiles.find(user_id), movie_ids, name).stars
        np.testing.assert_allclose(found, model.predict([user_id] * len(movie_ids), movie_ids), rtol=1e-6)
        np.testing.assert_allclose(
            engine.predict(artifacts.profiles.find(STRANGER), movie_ids, name).stars,
            model.predict([STRANGER] * len(movie_ids), movie_ids),
        )


def test_stars_come_from_the_rating_model(engine: Engine, artifacts: Artifacts) -> None:
    profile = artifacts.profiles.find(int(artifacts.models["als"].users.ids[0]), {1: 5.0})
    answer = engine.recommend(profile, 5)
    found = [(item.predicted_rating, item.low, item.high) for item in answer.items]
    assert found == engine.predict(profile, ids_of(answer), "bayes").by_movie()
    assert engine.predict(profile, [1]).by_movie() == engine.predict(profile, [1], "bayes").by_movie()


@pytest.mark.parametrize("name", [*STORED, POPULARITY])
@pytest.mark.parametrize("stars", [0.5, 5.0])
def test_stars_stay_on_the_scale(engine: Engine, artifacts: Artifacts, name: str, stars: float) -> None:
    movie_ids = artifacts.catalogue.movie_ids.tolist()
    found = engine.predict(profile_of(movie_ids, [stars] * len(movie_ids)), movie_ids, name).stars
    assert found.dtype == np.float64
    assert 0.5 <= found.min() <= found.max() <= 5.0
    assert engine.predict(profile_of([1], [stars]), [], name).by_movie() == []


def test_popularity_predicts_the_bayesian_average(engine: Engine, artifacts: Artifacts) -> None:
    movie = artifacts.catalogue.at(0)
    assert engine.predict(profile_of([], []), [movie.movie_id], POPULARITY).by_movie() == [(movie.mean, None, None)]


def test_similar_movies_have_the_highest_cosine_of_the_champions_factors(engine: Engine, artifacts: Artifacts) -> None:
    model = artifacts.models["als_tuned"]
    assert isinstance(model, ALS)
    directions = model.movie_factors / np.linalg.norm(model.movie_factors, axis=1, keepdims=True)
    movie_id = int(model.movies.ids[4])
    cosine: npt.NDArray[np.float32] = directions @ directions[4]
    order = [row for row in np.argsort(-cosine, kind="stable") if row != 4][:5]
    found = engine.similar(movie_id, 5)
    assert [movie.movie_id for movie, _ in found] == model.movies.ids[order].tolist()
    np.testing.assert_allclose([value for _, value in found], cosine[order], rtol=1e-5)
    assert len(engine.similar(movie_id, 1000)) == len(model.movies) - 1


def test_a_movie_that_no_model_knows_is_like_none(engine: Engine, artifacts: Artifacts, ratings: pd.DataFrame) -> None:
    unseen = sorted(set(artifacts.catalogue.movie_ids.tolist()) - set(ratings[MOVIE_ID].tolist()))
    assert unseen, "the tiny data has movies that nobody rated"
    assert engine.similar(unseen[0], 3) == []


def test_many_threads_get_the_answers_of_one(engine: Engine, artifacts: Artifacts, ratings: pd.DataFrame) -> None:
    users = ratings[USER_ID].unique().tolist() * 3
    stored = [{}, {2: 4.0}, {3: 0.5}]

    def ask(at: int) -> Answer:
        return engine.recommend(artifacts.profiles.find(users[at], stored[at % 3]), 10, explain=True)

    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(ask, range(len(users))))
    assert together == [ask(at) for at in range(len(users))]
