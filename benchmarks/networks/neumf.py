"""NeuMF, matrix factorisation and a network over embeddings in one (He, Liao, Zhang, Nie, Hu and Chua 2017)."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import jax
import jax.numpy as jnp
import numpy as np
import scipy.sparse as sp

from benchmarks.networks.training import Network, Tree, apply_layer, descend, draw_layer, drop

SPREAD = 0.01  # standard deviation of embeddings at first, as in the authors' code


@dataclass(kw_only=True)
class NeuMF(Network):
    """Score a pair by one layer over a product of embeddings (GMF) and a tower over others (MLP); section 3.4.

    Both parts start from random weights, without the pre-training of section 3.4.1.

    Parameters
    ----------
    factors : int
        Width of the embeddings that are multiplied.
    width : int
        Of each embedding under the tower, whose layers have `width` and half of it; even.
    loss : {"log", "bpr"}
        Of a rated movie against `negatives` unrated ones, drawn anew each time: log loss of each (eq. 7), or of their
        differences (Rendle et al. 2009).
    negatives : int
        At least 1.
    dropout : float
        Share of the tower's inputs that is hidden while training.
    penalty : float
        L2 penalty of the embeddings of each pair.
    """

    name: ClassVar[str] = "neumf"

    factors: int = 32
    width: int = 32
    loss: Literal["log", "bpr"] = "log"
    negatives: int = 4
    dropout: float = 0.0
    penalty: float = 1e-2
    learning_rate: float = 3e-3
    batch: int = 2000
    epochs: int = 60
    check: int = 2
    patience: int = 6

    def _initialize(self, key: Tree, rated: sp.csr_array) -> Tree:
        keys = iter(jax.random.split(key, 8))

        def draw(rows: int, columns: int) -> Tree:
            return SPREAD * jax.random.normal(next(keys), (rows, columns))

        users, movies = rated.shape
        top = self.width // 2
        return {
            "user_factors": draw(users, self.factors),
            "movie_factors": draw(movies, self.factors),
            "user_inputs": draw(users, self.width),
            "movie_inputs": draw(movies, self.width),
            "tower": [draw_layer(next(keys), 2 * self.width, self.width), draw_layer(next(keys), self.width, top)],
            "output": draw_layer(next(keys), self.factors + top, 1),
        }

    def _make_epoch(self, optimizer: Tree, rated: sp.csr_array) -> Tree:
        known = jnp.asarray(rated.toarray() > 0)
        pairs = rated.tocoo()
        inside = np.flatnonzero(pairs.data > 0)
        user, movie, weight = (jnp.asarray(each[inside]) for each in (*pairs.coords, pairs.data))
        steps = -(-len(inside) // self.batch)

        def run(state: Tree, key: Tree, _: Tree) -> Tree:
            order = jax.random.permutation(key, len(inside))
            batches = jnp.resize(order, (steps, self.batch))  # the last one is filled up from the first

            def step(state: Tree, given: Tree) -> Tree:
                batch, key = given
                users, drawn = user[batch], jax.random.randint(key, (self.batch, self.negatives), 0, known.shape[1])
                movies = jnp.concatenate([movie[batch][:, None], drawn], axis=1)
                weights = weight[batch][:, None] * ~known[users[:, None], drawn]  # what has a weight is no negative
                return descend(optimizer, state, self._measure_loss, users, movies, weight[batch], weights, key), None

            return jax.lax.scan(step, state, (batches, jax.random.split(key, steps)))[0]

        return run

    def _measure_loss(self, network: Tree, users: Tree, movies: Tree, weight: Tree, weights: Tree, key: Tree) -> Tree:
        parts = {name: network[f"user_{name}"][users] for name in ("factors", "inputs")}
        others = {name: network[f"movie_{name}"][movies] for name in ("factors", "inputs")}
        scores = self._score(network, parts, others, key)
        rated, drawn = scores[:, :1], scores[:, 1:]
        if self.loss == "bpr":
            total = (weights * jax.nn.softplus(drawn - rated)).mean(1)
        else:
            total = weight * jax.nn.softplus(-rated[:, 0]) + (weights * jax.nn.softplus(drawn)).sum(1)
        squares = sum((each**2).sum() for each in (*parts.values(), *others.values()))
        return total.mean() + self.penalty * squares / len(users)

    def _score(self, network: Tree, user: Tree, movies: Tree, key: Tree | None = None) -> Tree:
        """Score movies, shape (n, m, width), for each of n users, shape (n, width)."""
        first, second = network["tower"]
        inputs, others = user["inputs"], movies["inputs"]
        if key is not None:
            of_user, of_movie = jax.random.split(key)
            inputs, others = drop(of_user, inputs, self.dropout), drop(of_movie, others, self.dropout)
        # The first layer of [user, movie] is a sum of two products, of which one is the same for all movies
        from_user = inputs @ first["weights"][: self.width]
        from_movie = others @ first["weights"][self.width :]
        hidden = jax.nn.relu(from_user[:, None] + from_movie + first["bias"])
        hidden = jax.nn.relu(apply_layer(second, hidden))
        product = user["factors"][:, None] * movies["factors"]
        return apply_layer(network["output"], jnp.concatenate([product, hidden], axis=2))[..., 0]

    def _make_scorer(self, rated: sp.csr_array) -> Tree:
        def score(network: Tree) -> Tree:
            movies = {name: network[f"movie_{name}"][None] for name in ("factors", "inputs")}

            def score_user(row: Tree) -> Tree:
                user = {name: network[f"user_{name}"][row][None] for name in ("factors", "inputs")}
                return self._score(network, user, movies)[0]

            return jax.lax.map(score_user, jnp.arange(rated.shape[0]))

        return score
