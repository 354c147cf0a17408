"""Whether SVD++ beats SVD on real ratings: 80/10/10, epochs and settings chosen on validation, both judged on test.

The permutation is that of benchmarks/accuracy.py: its first tenth is the test, the second validation. The implicit
factors learn once a user, from the gradient summed over the user's ratings, which costs as much as SVD itself (Koren
2008, eq. 15, updates them after each rating). Writes benchmarks/results/svdpp.json.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numba
import numpy as np
import pandas as pd
import scipy.sparse as sp

from benchmarks.accuracy import DATASETS, take_parts
from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.data.download import fetch_dataset
from movierec.data.readers import read_ratings
from movierec.errors import run_command
from movierec.io import write_json
from movierec.metrics.rating import rmse
from movierec.models.base import index_ids
from movierec.models.svd import SVD

RESULT = Path(__file__).parent / "results/svdpp.json"
EPOCHS = 60
LEARNING_RATE = 0.005
SETTINGS = [(50, 0.08, 0.08), (50, 0.06, 0.02), (100, 0.1, 0.05)]  # factors, penalty, penalty of the implicit factors


def main() -> None:
    """Measure both models on both data sets, print and store the figures."""
    results: dict[str, Any] = {}
    for dataset in DATASETS:
        with TemporaryDirectory() as folder:
            fetch_dataset(dataset, Path(folder) / dataset)
            ratings = read_ratings(Path(folder) / dataset).table
        test, validation, train = take_parts(ratings, [0.1, 0.2])
        svd = SVD(100, 150, 0.005, 0.08, init_std_dev=0.005, patience=5).fit(train, validation)
        predicted = svd.predict(test[USER_ID], test[MOVIE_ID])
        best = min(fit_svdpp(train, validation, test, *settings) for settings in SETTINGS)
        results[dataset] = {
            "svd": {"validation_rmse": svd.best_epoch.validation_rmse, "rmse": rmse(test[RATING], predicted)},
            "svdpp": {"validation_rmse": best[0], "rmse": best[1]},
        }
        print(dataset, results[dataset])
    write_json(results, RESULT)


def fit_svdpp(
    train: pd.DataFrame, validation: pd.DataFrame, test: pd.DataFrame, factors: int, penalty: float, implicit: float
) -> tuple[float, float]:
    """Return validation and test RMSE of the epoch that is best on validation."""
    users, movies, user, movie = index_ids(train)
    stars = train[RATING].to_numpy(dtype=np.float64)
    starts = np.searchsorted(user, np.arange(len(users) + 1))
    rng = np.random.default_rng(0)
    shapes = ((len(users), factors), (len(movies), factors), (len(movies), factors))
    p, q, y = (rng.normal(0, 0.005, shape) for shape in shapes)
    user_bias, movie_bias, mean = np.zeros(len(users)), np.zeros(len(movies)), float(stars.mean())
    counts = np.diff(starts)
    history = sp.csr_array((np.repeat(counts**-0.5, counts), movie, starts), shape=(len(users), len(movies)))

    def measure(part: pd.DataFrame) -> float:
        u, i = users.rows(part[USER_ID]), movies.rows(part[MOVIE_ID])
        dot = np.einsum("nf,nf->n", (p + history @ y)[u], q[i])
        known_user, known_movie = u >= 0, i >= 0
        terms = np.where(known_user, user_bias[u], 0) + np.where(known_movie, movie_bias[i], 0)
        return rmse(part[RATING], np.clip(mean + terms + np.where(known_user & known_movie, dot, 0), 0.5, 5))

    best = (np.inf, np.inf)
    for _ in range(EPOCHS):
        run_epoch(starts, movie, stars, mean, user_bias, movie_bias, p, q, y, penalty, implicit)
        best = min(best, (measure(validation), measure(test)))
    return best


@numba.njit(nogil=True, error_model="numpy")
def run_epoch(starts, movie, stars, mean, user_bias, movie_bias, p, q, y, penalty, implicit):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, D103
    for u in range(len(starts) - 1):
        rated = movie[starts[u] : starts[u + 1]]
        scale = len(rated) ** -0.5
        taste, gradient = np.zeros(p.shape[1]), np.zeros(p.shape[1])
        for i in rated:
            taste += y[i] * scale
        for n in range(len(rated)):
            i = rated[n]
            error = stars[starts[u] + n] - (mean + user_bias[u] + movie_bias[i])
            for f in range(len(taste)):
                error -= q[i, f] * (p[u, f] + taste[f])
            user_bias[u] += LEARNING_RATE * (error - penalty * user_bias[u])
            movie_bias[i] += LEARNING_RATE * (error - penalty * movie_bias[i])
            for f in range(len(taste)):
                p_f, q_f = p[u, f], q[i, f]
                gradient[f] += error * q_f
                p[u, f] += LEARNING_RATE * (error * q_f - penalty * p_f)
                q[i, f] += LEARNING_RATE * (error * (p_f + taste[f]) - penalty * q_f)
        for i in rated:
            for f in range(len(taste)):
                y[i, f] += LEARNING_RATE * (scale * gradient[f] - implicit * y[i, f])


if __name__ == "__main__":
    run_command(main)
