"""Mult-VAE, a variational autoencoder of what a user rated (Liang, Krishnan, Hoffman and Jebara 2018)."""

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import scipy.sparse as sp

from benchmarks.networks.training import Network, Tree, apply_layer, descend, draw_layer, drop


@dataclass(kw_only=True)
class MultVAE(Network):
    """A row of weighted ratings is encoded as a normal distribution, and decoded into the odds of every movie.

    The loss is the multinomial log-likelihood of the row (eq. 2) plus `beta` times the divergence from N(0, 1) (eq. 6).

    Parameters
    ----------
    hidden : int
        Width of the layer on either side of the latent one; 0 for none.
    latent : int
        Dimensions of the latent layer.
    dropout : float
        Share of the input that is hidden while training.
    beta : float
        Weight of the divergence once it has risen, linearly from 0, for `annealing` epochs (section 2.2.2).
    penalty : float
        L2 penalty of the weights.
    """

    name: ClassVar[str] = "mult_vae"

    hidden: int = 0
    latent: int = 100
    dropout: float = 0.5
    beta: float = 0.2
    annealing: int = 30
    penalty: float = 1e-3
    learning_rate: float = 2e-3
    batch: int = 100
    epochs: int = 200
    check: int = 4
    patience: int = 16

    def _initialize(self, key: Tree, rated: sp.csr_array) -> Tree:
        hidden = [self.hidden] if self.hidden else []
        widths = {
            "encoder": [rated.shape[1], *hidden, 2 * self.latent],
            "decoder": [self.latent, *hidden, rated.shape[1]],
        }
        keys = iter(jax.random.split(key, 4))
        return {name: [draw_layer(next(keys), *size) for size in pairwise(part)] for name, part in widths.items()}

    def _make_epoch(self, optimizer: Tree, rated: sp.csr_array) -> Tree:
        rows, steps = jnp.asarray(rated.toarray()), -(-rated.shape[0] // self.batch)

        def run(state: Tree, key: Tree, epoch: Tree) -> Tree:
            order = jax.random.permutation(key, len(rows))
            batches = jnp.resize(order, (steps, self.batch))  # the last one is filled up from the first
            beta = self.beta * jnp.minimum(1.0, epoch / self.annealing)

            def step(state: Tree, given: Tree) -> Tree:
                batch, key = given
                return descend(optimizer, state, self._measure_loss, rows[batch], key, beta), None

            return jax.lax.scan(step, state, (batches, jax.random.split(key, steps)))[0]

        return run

    def _measure_loss(self, network: Tree, rows: Tree, key: Tree, beta: Tree) -> Tree:
        of_input, of_latent = jax.random.split(key)
        mean, log_variance = self._encode(network, drop(of_input, normalize(rows), self.dropout))
        latent = mean + jnp.exp(log_variance / 2) * jax.random.normal(of_latent, mean.shape)
        likelihood = (rows * jax.nn.log_softmax(decode(network, latent))).sum(1).mean()
        divergence = (mean**2 + jnp.exp(log_variance) - log_variance - 1).sum(1).mean() / 2
        squares = sum((layer["weights"] ** 2).sum() for part in network.values() for layer in part)
        return beta * divergence - likelihood + self.penalty * squares

    def _encode(self, network: Tree, inputs: Tree) -> tuple[Tree, Tree]:
        for layer in network["encoder"][:-1]:
            inputs = jnp.tanh(apply_layer(layer, inputs))
        mean, log_variance = jnp.split(apply_layer(network["encoder"][-1], inputs), 2, axis=1)
        return mean, log_variance

    def _make_scorer(self, rated: sp.csr_array) -> Tree:
        inputs = normalize(jnp.asarray(rated.toarray().astype(np.float32)))
        return lambda network: decode(network, self._encode(network, inputs)[0])


def normalize(rows: Tree) -> Tree:
    """Scale rows to length 1; a row of zeros stays."""
    return rows / jnp.maximum(jnp.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def decode(network: Tree, latent: Tree) -> Tree:
    """Return the logits of every movie."""
    for layer in network["decoder"][:-1]:
        latent = jnp.tanh(apply_layer(layer, latent))
    return apply_layer(network["decoder"][-1], latent)
