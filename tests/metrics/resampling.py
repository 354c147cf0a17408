"""Bootstraps in one call, errors to resample, and how far two bootstraps may differ."""

import math

import numpy as np
import numpy.typing as npt
from scipy import stats

from movierec.metrics.bootstrap import SAMPLES, UserBootstrap
from movierec.metrics.intervals import Interval, bootstrap_errors, bootstrap_means
from movierec.metrics.rating import UserErrors, error_sums_by_user

FloatArray = npt.NDArray[np.float64]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def resample_means(
    values: dict[str, FloatArray], generator: np.random.Generator, samples: int = SAMPLES
) -> dict[str, Interval]:
    users = len(next(iter(values.values()), ()))
    return bootstrap_means(values, UserBootstrap(users, generator, samples))


def resample_errors(
    errors: dict[str, UserErrors], generator: np.random.Generator, samples: int = SAMPLES
) -> dict[str, dict[str, Interval]]:
    users = len(next(iter(errors.values())).count)
    return bootstrap_errors(errors, UserBootstrap(users, generator, samples))


def random_errors(seed: int, users: int) -> UserErrors:
    """Users with their own number of ratings (some none) and their own spread of errors."""
    generator = rng(seed)
    count = generator.integers(0, 12, users)
    user_idx = np.repeat(np.arange(users), count)
    errors = generator.normal(0, generator.gamma(2, 0.5, users)[user_idx])
    return error_sums_by_user(user_idx, np.zeros(len(errors)), errors, users)


def quantile_tolerance(values: FloatArray, samples: int) -> float:
    """Four standard errors of the difference of two bootstraps' 2.5 % quantiles.

    A quantile q of B normal draws has the standard error sd sqrt(q (1 - q) / B) / density(q).
    """
    error = values.std() / math.sqrt(len(values)) * math.sqrt(0.025 * 0.975 / samples) / stats.norm.pdf(1.96)
    return float(4 * math.sqrt(2) * error)
