"""Intervals, fold-in and exploration of a Bayesian factorisation in the service, by hand and against the model."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from movierec import seeds
from movierec.ids import IdIndex, OwnId
from movierec.models.base import Array
from movierec.models.bayes import Bayes
from movierec.models.bayes_fold_in import fold_in_user
from movierec.recommender.artifacts import Artifacts
from movierec.recommender.engine import Answer, Engine
from movierec.recommender.scorer import INTERVAL_COVERAGE, Predicted
from movierec.recommender.scorer_bayes import BayesScorer, BayesTaste

STRANGER = 999_999
NOON, DAY = 1_700_049_600, 86_400  # 2023-11-15 12:00 UTC


@pytest.fixture(scope="module")
def model(artifacts: Artifacts) -> Bayes:
    found = artifacts.models["bayes"]
    assert isinstance(found, Bayes)
    return found


@pytest.fixture(scope="module")
def scorer(model: Bayes) -> BayesScorer:
    return BayesScorer(model)


def flatten(predicted: Predicted) -> Array:
    """Return all stars, then all lows, then all highs."""
    assert predicted.low is not None
    assert predicted.high is not None
    return np.concatenate([predicted.stars, predicted.low, predicted.high])


def make_by_hand() -> Bayes:
    """Return a model of user 7, who rated movie 10; movie 20 has no ratings; there is one factor and two draws."""
    model = Bayes()
    model.users, model.movies, model.unrated_ids = IdIndex([7]), IdIndex([10]), np.array([20], np.int32)
    model.mean, model.scale = np.array(3.0), np.array([0.5, 5.0])
    model.user_mean = np.array([[0.5, 1], [0, 0]], np.float32)
    model.movie_mean = np.array([[0.25, 0.5], [-1, 0], [0, 0]], np.float32)
    model.user_offset = np.array([0.125, 0], np.float32)
    model.user_draws = np.array([[[0.5, 1], [0, 0]]] * 2, np.float16)
    model.movie_draws = np.array([[[0.25, 0.5], [-1, 0], [0, 0]], [[0, 0.5], [-1, 0], [0, 0]]], np.float16)
    model.user_noise, model.movie_noise = np.array([1, 2], np.float32), np.array([1, 1, 3], np.float32)
    model.noise, model.day_spread, model.precision = np.array(0.46875), np.array(0.0), np.ones(2)
    return model


def test_intervals_by_hand() -> None:
    scorer = BayesScorer(make_by_hand())
    # 3 + 0.5 + 0.25 + 1 * 0.5 = 4.25; the draws' scores are 1.25 and 1, of variance 0.03125; with the noise 0.5.
    # 80 % of a normal distribution lie within 1.28155 deviations: 1.28155 * sqrt(0.5) = 0.90619.
    known = scorer.predict(scorer.recall(7), [10])
    np.testing.assert_allclose(flatten(known), [4.25, 4.25 - 0.90619, 5], atol=1e-5)
    # Movie 20: 3 + 0.5 + 0.125 - 1 = 2.625, reach 1.28155 * sqrt(0.46875) = 0.87742; of a stranger 2, and twice the
    # variance.
    np.testing.assert_allclose(flatten(scorer.predict(scorer.recall(7), [20])), [2.625, 1.74758, 3.50242], atol=1e-5)
    np.testing.assert_allclose(flatten(scorer.predict(None, [20])), [2, 0.75914, 3.24086], atol=1e-5)
    # Nothing known: the mean, reach 1.28155 * sqrt(0.46875 * 2 * 3) = 2.14923.
    np.testing.assert_allclose(flatten(scorer.predict(None, [30])), [3, 0.85077, 5], atol=1e-5)


def test_intervals_of_trained_users_and_strangers_are_the_models(model: Bayes, scorer: BayesScorer) -> None:
    movie_ids = [*model.movies.ids[:30].tolist(), *model.unrated_ids[:2].tolist(), 500_000]
    for user_id in (*model.users.ids[:5].tolist(), STRANGER):
        users = [user_id] * len(movie_ids)
        found = scorer.predict(scorer.recall(user_id), movie_ids)
        np.testing.assert_array_equal(found.stars, model.predict(users, movie_ids))
        np.testing.assert_allclose(
            flatten(found)[len(movie_ids) :],
            np.concatenate(model.predict_interval(users, movie_ids, INTERVAL_COVERAGE)),
        )


def test_new_ratings_are_folded_in_through_the_stored_draws(
    artifacts: Artifacts, engine: Engine, model: Bayes, scorer: BayesScorer
) -> None:
    user_id, movie_ids = int(model.users.ids[3]), model.movies.ids[:40].tolist()
    profile = artifacts.profiles.find(user_id, {int(model.movies.ids[0]): 0.5, 500_000: 5.0})
    folded = fold_in_user(model, profile.movie_ids, profile.stars)
    stars, deviation = folded.predict(np.arange(40, dtype=np.int32))
    found = engine.predict(profile, movie_ids, "bayes")
    np.testing.assert_allclose(found.stars, stars)
    low, high = flatten(found)[40:80], flatten(found)[80:]
    np.testing.assert_allclose(low, np.maximum(stars - 1.2815516 * deviation, 0.5), rtol=1e-6)
    np.testing.assert_allclose(high, np.minimum(stars + 1.2815516 * deviation, 5), rtol=1e-6)
    taste = scorer.fold_in(profile)
    assert taste
    every = np.arange(len(model.movies), dtype=np.int32)
    np.testing.assert_allclose(scorer.score(taste), folded.score(every), rtol=1e-5)


def test_the_less_is_known_the_wider(model: Bayes, scorer: BayesScorer, artifacts: Artifacts) -> None:
    known, stranger = int(model.users.ids[0]), artifacts.profiles.find(STRANGER, {int(model.movies.ids[5]): 4.0})
    rated = model.movies.ids.tolist()

    def width(taste: BayesTaste | None, movie_ids: list[int]) -> float:
        low, high = flatten(scorer.predict(taste, movie_ids)).reshape(3, -1)[1:]
        return float(np.mean(high - low))

    widths = [width(taste, rated) for taste in (scorer.recall(known), scorer.fold_in(stranger), None)]
    assert widths == sorted(widths)
    assert width(scorer.recall(known), [500_000]) > widths[0]


def test_a_folded_in_user_is_drawn_from_their_distribution(
    model: Bayes, scorer: BayesScorer, artifacts: Artifacts
) -> None:
    taste = scorer.fold_in(artifacts.profiles.find(STRANGER, {int(model.movies.ids[0]): 5.0}))
    assert taste
    assert taste.folded
    rng = np.random.default_rng(0)
    drawn = np.array([scorer.explore(taste, rng) for _ in range(4000)], np.float64)
    np.testing.assert_allclose(drawn.mean(axis=0), scorer.score(taste), atol=0.1)
    every = np.arange(len(model.movies), dtype=np.int32)
    noise = model.noise * taste.folded.noise * model.movie_noise[every]
    belief = np.sqrt(taste.folded.predict(every)[1] ** 2 - noise)  # without the scatter of single ratings
    np.testing.assert_allclose(drawn.std(axis=0), belief, rtol=0.1)


def test_a_user_of_the_fit_is_drawn_jointly_with_the_movies(model: Bayes, engine: Engine, artifacts: Artifacts) -> None:
    user_id = int(model.users.ids[2])
    answer = engine.recommend(artifacts.profiles.find(user_id), 9, model="bayes_explore", now_s=NOON)
    draw = int(seeds.rng(user_id, "explore", f"day {NOON // DAY}").integers(8))
    assert (answer.strategy, answer.model) == ("personal", "bayes_explore")
    scores = model.at_draw(draw).score_rows(np.array([2], np.int32))[0]
    found = model.movies.rows([item.movie.movie_id for item in answer.items])
    np.testing.assert_allclose([item.score for item in answer.items], scores[found], rtol=1e-5)


def test_exploration_depends_on_user_and_day_alone(model: Bayes, engine: Engine, artifacts: Artifacts) -> None:
    rated = {int(model.movies.ids[4]): 4.5}

    def ask(user_id: int, now_s: int) -> tuple[OwnId, ...]:
        answer = engine.recommend(artifacts.profiles.find(user_id, rated), 10, model="bayes_explore", now_s=now_s)
        assert answer.strategy == "folded_in"
        return tuple(item.movie.movie_id for item in answer.items)

    lists = {user_id: ask(user_id, NOON) for user_id in range(STRANGER, STRANGER + 20)}
    assert all(ask(user_id, NOON + DAY // 2 - 1) == found for user_id, found in lists.items())
    assert len(set(lists.values())) > 10
    assert sum(ask(user_id, NOON + DAY // 2) != found for user_id, found in lists.items()) > 10


def test_an_exploring_model_predicts_and_explains_as_its_model(engine: Engine, artifacts: Artifacts) -> None:
    profile = artifacts.profiles.find(1)
    assert engine.predict(profile, [1, 2], "bayes_explore").by_movie() == engine.predict(profile, [1, 2]).by_movie()
    answer = engine.recommend(profile, 5, model="bayes_explore", explain=True)
    assert all(item.reasons for item in answer.items)
    assert all(item.low is not None for item in answer.items)


def test_many_threads_get_the_answers_of_one(engine: Engine, artifacts: Artifacts, model: Bayes) -> None:
    users = [*model.users.ids[:20].tolist(), STRANGER] * 3
    stored = [{}, {2: 4.0}, {3: 0.5}]

    def ask(at: int) -> tuple[Answer, list[tuple[float | None, ...]]]:
        profile, name = artifacts.profiles.find(users[at], stored[at % 3]), ("bayes", "bayes_explore")[at % 2]
        answer = engine.recommend(profile, 10, model=name, explain=True, now_s=NOON)
        return answer, [*engine.predict(profile, [1, 2, 3], name).by_movie()]

    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(ask, range(len(users))))
    assert together == [ask(at) for at in range(len(users))]


def test_likeness_is_the_cosine_of_the_means_factors(model: Bayes, scorer: BayesScorer) -> None:
    factors = model.movie_mean[: len(model.movies), 1:]
    one, other = factors[4], factors[9]
    found = scorer.compare(4)
    assert found[9] == pytest.approx(one @ other / np.linalg.norm(one) / np.linalg.norm(other), rel=1e-4)
    assert found[4] == pytest.approx(1)
    bare = make_by_hand()
    bare.movie_mean[0, 1] = 0
    assert not BayesScorer(bare).compare(0).any()


def test_models_without_uncertainty_give_no_interval(engine: Engine, artifacts: Artifacts) -> None:
    for name in ("als", "svd", "popularity"):
        found = engine.predict(artifacts.profiles.find(1), [1, 2], name)
        assert (found.low, found.high) == (None, None)
        assert [each[1:] for each in found.by_movie()] == [(None, None)] * 2
