"""Movies that nobody has rated: how well their content ranks and rates them, on two real data sets and four splits.

`split_ratings` holds out all ratings of 10 % of the movies for test and of 5 % for validation, which joins train here,
as all settings are fixed. Once all movies take part, once those with at least 5 ratings: among movies rated once, even
a perfect taste finds few hits. Every tag that a user with a held-out rating gave the movie is dropped, so that next to
none of a cold movie's tags is left. The Bayesian factorisation knows genres and years alone. Writes
benchmarks/results/cold_movies.json.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from benchmarks.data import load_dataset, load_tags
from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.data.content import SIZE_FOR_COLD_MOVIES, describe_movies
from movierec.data.split import split_ratings
from movierec.data.tags import drop_held_out_tags
from movierec.errors import run_command
from movierec.evaluation.cold_movies import judge_cold_movies
from movierec.evaluation.judge import TestBed
from movierec.evaluation.uncertainty import state_uncertainty
from movierec.io import write_json
from movierec.metrics.rating import rmse
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
    parts = split_ratings(ratings, "cold_movies", 0.05, 0.1, seed)
    train = pd.concat([parts["train"], parts["validation"]]).sort_values([USER_ID, MOVIE_ID], ignore_index=True)
    listed = movies[movies[MOVIE_ID].isin(ratings[MOVIE_ID])]
    content = describe_movies(listed, drop_held_out_tags(tags, parts["test"]), size=SIZE_FOR_COLD_MOVIES)
    found = judge_cold_movies(TestBed(train, parts["validation"], parts["test"], movies, 4.0), content, seed)
    return found | judge_bayes(train, parts["test"], movies, seed)


def judge_bayes(train: pd.DataFrame, test: pd.DataFrame, movies: pd.DataFrame, seed: int) -> dict[str, float]:
    """Return the RMSE of the Bayesian factorisation, and how many ratings its intervals hold and how wide they are."""
    model = Bayes(seed=seed).fit(train, movies=movies)
    stated = state_uncertainty(model, test).judge(test[RATING].to_numpy(dtype=np.float64))
    error = rmse(test[RATING], model.predict(test[USER_ID], test[MOVIE_ID]))
    return {"bayes_rmse": error} | {f"bayes_{name}": value for name, value in stated.items()}


if __name__ == "__main__":
    run_command(main)
