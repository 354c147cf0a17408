"""The networks learn, and their losses are what the papers write; run by `make jax`, since CI does without JAX."""

from typing import Literal

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from benchmarks.networks.mult_vae import MultVAE
from benchmarks.networks.neumf import NeuMF
from benchmarks.networks.training import Network, Tree
from movierec.metrics.relevance import Relevance

KINDS = (
    (MultVAE, {"latent": 4, "batch": 10, "learning_rate": 0.02, "epochs": 60, "check": 20}),
    (NeuMF, {"factors": 4, "width": 4, "batch": 50, "learning_rate": 0.02, "epochs": 60, "check": 20}),
)


@pytest.fixture(scope="module", params=KINDS, ids=["mult_vae", "neumf"])
def networks(request: pytest.FixtureRequest) -> tuple[Network, Network]:
    """Fit the same network twice."""
    kind, settings = request.param
    return kind(**settings).fit(make_tastes()), kind(**settings).fit(make_tastes())


def make_tastes() -> pd.DataFrame:
    """Let users 0 to 19 like seven of movies 0 to 9, the others seven of movies 10 to 19, a different seven each."""
    pairs = [(user, (user + n) % 10 + 10 * (user // 20)) for user in range(40) for n in range(7)]
    return pd.DataFrame(pairs, columns=["user_id", "movie_id"]).assign(rating=5.0).sort_values(["user_id", "movie_id"])


def zero(network: Tree) -> Tree:
    if isinstance(network, dict):
        return {name: zero(part) for name, part in network.items()}
    return [zero(part) for part in network] if isinstance(network, list) else jnp.zeros_like(network)


def test_a_network_recommends_what_others_of_the_same_taste_like(networks: tuple[Network, Network]) -> None:
    lists = networks[0].recommend(range(40), 3, exclude=make_tastes()).movie_ids
    same = lists // 10 == np.arange(40)[:, None] // 20
    assert same.mean() > 0.5  # at random 3 / 13: an unrated movie of the own taste is a negative, too


def test_a_seed_fixes_the_scores(networks: tuple[Network, Network]) -> None:
    np.testing.assert_array_equal(networks[0].scores, networks[1].scores)


def test_movies_that_are_not_modelled_come_last() -> None:
    ratings = pd.concat([make_tastes(), pd.DataFrame({"user_id": [0], "movie_id": [20], "rating": [5.0]})])
    network = MultVAE(latent=4, epochs=1, max_movies=20).fit(ratings)
    assert (network.scores.argmin(axis=1) == 20).all()


def test_training_ends_when_validation_gets_no_better() -> None:
    ratings = make_tastes()
    missed = pd.DataFrame({"user_id": range(40), "movie_id": [(u + 8) % 10 + 10 * (u // 20) for u in range(40)]})
    network = MultVAE(latent=4, batch=10, learning_rate=0.02, epochs=1000, check=10, patience=20)
    network.fit(ratings, Relevance(ratings, missed.assign(rating=5.0), 4.0))
    assert 10 <= network.best_epoch <= 900


def test_mult_vae_without_knowledge_pays_the_logarithm_of_the_movies_for_each_rating() -> None:
    rows = np.array([[1, 1, 0, 0], [1, 0, 0, 0]], dtype=np.float32)
    model = MultVAE(hidden=3, latent=2)
    network = zero(model._initialize(jnp.zeros(2, dtype=jnp.uint32), sp.csr_array(rows)))
    loss = model._measure_loss(network, rows, jnp.zeros(2, dtype=jnp.uint32), 0.5)
    assert float(loss) == pytest.approx(
        1.5 * np.log(4)
    )  # a user's ratings are 1.5 on average; no divergence from N(0, 1)


@pytest.mark.parametrize(("loss", "expected"), [("log", 4 * np.log(2)), ("bpr", np.log(2))])
def test_neumf_without_knowledge_tosses_a_coin_for_each_movie(loss: Literal["log", "bpr"], expected: float) -> None:
    model = NeuMF(factors=2, width=2, loss=loss, negatives=3)
    key = jnp.zeros(2, dtype=jnp.uint32)
    network = zero(model._initialize(key, sp.csr_array((2, 5))))
    users, movies = np.array([0, 1]), np.array([[0, 1, 2, 3], [4, 1, 2, 3]])
    found = model._measure_loss(network, users, movies, np.ones(2), np.ones((2, 3)), key)
    assert float(found) == pytest.approx(expected)
