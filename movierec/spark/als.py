"""The ALS on Spark: the local engine's blocks of rows, solved by its kernel where their ratings lie."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.data.content import Content
from movierec.ids import IdIndex
from movierec.models.als import ALS
from movierec.models.als_sides import Equations, Floats, solve_block, split_side, sum_confidences
from movierec.models.base import Array
from movierec.models.bias import Bias, average_stars, sum_residuals
from movierec.spark.blocks import Block, BlockedRatings, block_ratings, count_by, rows_of_movies, rows_of_users
from movierec.spark.cluster import Cluster
from movierec.spark.session import open_cluster

Confidence = Callable[[npt.NDArray[np.floating[Any]]], Floats]


class SparkSide:
    """A side whose ratings lie on the workers; see `movierec.models.als_sides.Side`.

    Parameters
    ----------
    blocks : BlockedRatings
        With stars.
    confidence : callable
        Turns stars into confidences.
    """

    def __init__(self, blocks: BlockedRatings, confidence: Confidence) -> None:
        self.blocks, self.indptr, self._confidence = blocks, blocks.indptr, confidence

    @property
    def total(self) -> float:
        """The sum of all confidences: of each block's, then of the blocks'."""
        found = self.blocks.compute(partial(_sum_confidences, self._confidence), "total double")
        return float(sum(row["total"] for row in found))

    def solve(self, equations: Equations, out: Floats, pool: ThreadPoolExecutor) -> float:
        """Overwrite `out`; return the sum of ``x . b`` over its rows: in each block, then over the blocks."""
        del pool  # the workers have their own
        with self.blocks.cluster.share(equations, np.array(self.blocks.bounds)) as shared:
            return float(sum(self.blocks.gather(partial(_solve, shared, self._confidence), out)))


def fit_als_on_spark(train: Path, settings: dict[str, Any], **options: Any) -> ALS:  # noqa: ANN401  # see `fit_als`
    """Fit the ALS by `fit_als` in a session of its own."""
    with open_cluster() as cluster:
        return fit_als(cluster, train, settings, **options)


def fit_als(
    cluster: Cluster,
    train: Path,
    settings: dict[str, Any],
    on_sweep: Callable[[float], object] = lambda _: None,
    content: Content | None = None,
) -> ALS:
    """Fit the ALS as `ALS.fit` does, to the bit, without the ratings in this process.

    Parameters
    ----------
    cluster : Cluster
        Keeps the ratings.
    train : Path
        The train part, as the split stage wrote it.
    settings : dict
        The arguments of `ALS`.
    on_sweep, content
        As for `ALS.fit`.

    Returns
    -------
    ALS
        Fitted, not calibrated.

    Raises
    ------
    MovierecError
        As `ALS.fit` does.
    """
    model, ratings = ALS(**settings), cluster.read_ratings(train)
    user_ids, user_counts = count_by(ratings, USER_ID)
    movie_ids, movie_counts = count_by(ratings, MOVIE_ID)
    model.users, model.movies = IdIndex(user_ids), IdIndex(movie_ids)
    ids = model.users, model.movies
    divide = partial(split_side, factors=model.factors)
    with (
        block_ratings(cluster, ratings, **rows_of_users(*ids), counts=user_counts, divide=divide) as users,
        block_ratings(cluster, ratings, **rows_of_movies(*ids), counts=movie_counts, divide=divide) as movies,
    ):
        model.adopt_bias(_fit_bias(users, movies, *count_by(ratings, RATING)))
        unfitted = ALS(**settings)  # all that the workers need of it
        unfitted.scale = model.scale
        by_user, by_movie = (SparkSide(side, unfitted.confidence) for side in (users, movies))
        return model.fit_sides(by_user, by_movie, on_sweep, content)


def _fit_bias(users: BlockedRatings, movies: BlockedRatings, stars: npt.NDArray[Any], counts: npt.NDArray[Any]) -> Bias:
    bias = Bias()
    bias.mean = np.asarray(average_stars(stars, counts))
    bias.scale = np.array([stars[0], stars[-1]], dtype=np.float64)
    sums = (partial(_sum_residuals_by_block, side, bias.mean) for side in (users, movies))
    return bias.alternate(np.diff(users.indptr), np.diff(movies.indptr), *sums)


def _sum_residuals_by_block(side: BlockedRatings, mean: Array, other_bias: Array) -> Array:
    sums = np.zeros(len(side.indptr) - 1)
    with side.cluster.share(mean, other_bias) as shared:
        side.gather(partial(_sum_residuals, shared), sums)
    return sums


def _sum_residuals(shared: Any, block: Block) -> dict[str, Any]:  # noqa: ANN401  # a broadcast
    mean, other_bias = shared.value
    indptr, indices, stars = block.ratings
    rows = len(indptr) - 1
    row = np.repeat(np.arange(rows, dtype=np.int32), np.diff(indptr))
    return {"rows": sum_residuals(row, indices, stars - mean, other_bias, rows).tobytes(), "part": 0.0}


def _sum_confidences(confidence: Confidence, block: Block) -> dict[str, Any]:
    own = block.ratings._replace(stars=confidence(block.ratings.stars))
    return {"total": sum_confidences(own, 0, len(own.indptr) - 1)}


def _solve(shared: Any, confidence: Confidence, block: Block) -> dict[str, Any]:  # noqa: ANN401  # a broadcast
    equations, bounds = shared.value
    own = block.ratings._replace(stars=confidence(block.ratings.stars))
    first, last = bounds[block.number], bounds[block.number + 1]
    out = np.zeros((last - first, equations.other.shape[1]), dtype=np.float32)
    part = solve_block(own, equations._replace(pull=equations.pull[first:last]), out, 0, last - first)
    return {"rows": out.tobytes(), "part": part}
