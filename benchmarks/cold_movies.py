"""Movies that nobody has rated: how well their content ranks and rates them, on two real data sets and four splits.

`hold_out_movies` takes a tenth of the movies for test. Once all movies take part, once those with at least 5 ratings:
among movies rated once, even a perfect taste finds few hits. Every tag that a user with a held-out rating gave the
movie is dropped, so that next to none of a cold movie's tags is left. The Bayesian factorisation knows genres and
years, and the days of the ratings. Writes benchmarks/results/cold_movies.json.
"""

from pathlib import Path
from typing import Any, Final

import pandas as pd

from benchmarks.accuracy import evaluate_intervals
from benchmarks.data import hold_out_movies, load_dataset, load_tags
from movierec.columns import MOVIE_ID, USER_ID
from movierec.data.content import SIZE_FOR_COLD_MOVIES, describe_movies
from movierec.data.tags import drop_held_out_tags
from movierec.errors import run_command
from movierec.evaluation.cold_movies import judge_cold_movies
from movierec.io import write_json
from movierec.models.bayes import Bayes

RESULT: Final = Path(__file__).parent / "results/cold_movies.json"
DATASETS: Final = ("ml-100k", "ml-latest-small")
FEWEST_RATINGS: Final = (1, 5)
SEEDS: Final = (0, 1, 2, 3)


def main() -> None:
    """Measure every data set and seed, print and store the figures."""
    results: dict[str, Any] = {}
    for dataset in DATASETS:
        raw, movies = load_dataset(dataset)
        ratings, tags = raw.table.sort_values([USER_ID, MOVIE_ID], ignore_index=True), load_tags(dataset)
        for fewest in FEWEST_RATINGS:
            enough = ratings[ratings.groupby(MOVIE_ID)[USER_ID].transform("size") >= fewest]
            by_seed = {seed: measure(enough.reset_index(drop=True), movies, tags, seed) for seed in SEEDS}
            mean = pd.DataFrame(by_seed).mean(axis=1).to_dict()
            results.setdefault(dataset, {})[f"at_least_{fewest}"] = {"mean": mean, "by_seed": by_seed}
            print(f"{dataset} at least {fewest}:", {name: round(value, 4) for name, value in mean.items()}, flush=True)
    write_json(results, RESULT)


def measure(ratings: pd.DataFrame, movies: pd.DataFrame, tags: pd.DataFrame, seed: int) -> dict[str, float]:
    """Hold out movies, fit on the others, judge on them."""
    bed = hold_out_movies(ratings, movies, seed)
    listed = movies[movies[MOVIE_ID].isin(ratings[MOVIE_ID])]
    content = describe_movies(listed, drop_held_out_tags(tags, bed.test), size=SIZE_FOR_COLD_MOVIES)
    bayes = evaluate_intervals(Bayes(seed=seed).fit(bed.train, movies=movies), bed.test)
    return judge_cold_movies(bed, content, seed) | {f"bayes_{name}": value for name, value in bayes.items()}


if __name__ == "__main__":
    run_command(main)
