"""Movies added while serving: how well they are placed by content and a few ratings, against a fit that knows these.

A tenth of the movies with at least 20 ratings is held out whole, on two real data sets and four splits. Models are
fitted on the other movies; each new movie is then placed as the service does it, with 0, 3 or 10 of its ratings, drawn
at random. The refit has these ratings in train. All are judged on the same ratings, those that no placing was given,
and on how they rank the new movies among themselves. Writes benchmarks/results/new_movies.json.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from benchmarks.data import load_dataset, load_tags
from movierec import seeds
from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.data.content import Content, describe_movies
from movierec.data.split import split_ratings
from movierec.data.tags import drop_held_out_tags
from movierec.errors import run_command
from movierec.evaluation.cold_movies import rank_cold_movies
from movierec.ids import IdIndex, find_rows
from movierec.io import write_json
from movierec.metrics.rating import rmse
from movierec.models.als import ALS
from movierec.models.base import Recommender
from movierec.models.bayes import Bayes
from movierec.models.blend import Blend
from movierec.models.ease import EASE
from movierec.models.svd import SVD
from movierec.recommender.placing import Raters, make_placer
from movierec.recommender.profiles import Profiles
from movierec.recommender.scorer import Scorer
from movierec.recommender.scorers import make_scorer

RESULT: Final = Path(__file__).parent / "results/new_movies.json"
DATASETS: Final = ("ml-100k", "ml-latest-small")
SEEDS: Final = (0, 1, 2, 3)
GIVEN: Final = (0, 3, 10)
FEWEST_RATINGS: Final = 20
FIRST_CODE: Final = 2**31
RATERS_OF_STARS: Final = ("svd", "bayes")
Models = dict[str, Recommender]


def main() -> None:
    """Measure every data set and seed, print and store the means."""
    results: dict[str, Any] = {}
    for dataset in DATASETS:
        raw, movies = load_dataset(dataset)
        ratings = raw.table[raw.table.groupby(MOVIE_ID)[USER_ID].transform("size") >= FEWEST_RATINGS]
        found = [measure(ratings, movies, load_tags(dataset), seed) for seed in SEEDS]
        results[dataset] = pd.DataFrame(found).mean().to_dict()
        print(dataset, {name: round(value, 4) for name, value in results[dataset].items()}, flush=True)
    write_json(results, RESULT)


def measure(ratings: pd.DataFrame, movies: pd.DataFrame, tags: pd.DataFrame, seed: int) -> dict[str, float]:
    """Hold out movies, and place them with ever more of their ratings."""
    ordered = ratings.sort_values([USER_ID, MOVIE_ID], ignore_index=True)
    parts = split_ratings(ordered, "cold_movies", 0.05, 0.1, seed)
    train = pd.concat([parts["train"], parts["validation"]]).sort_values([USER_ID, MOVIE_ID], ignore_index=True)
    shuffled = parts["test"].sample(frac=1, random_state=seed)
    place = shuffled.groupby(MOVIE_ID).cumcount()
    judged = shuffled[place >= max(GIVEN)]
    judged = judged[judged[USER_ID].isin(train[USER_ID])].sort_values([USER_ID, MOVIE_ID], ignore_index=True)
    content = describe_movies(movies[movies[MOVIE_ID].isin(ordered[MOVIE_ID])], drop_held_out_tags(tags, parts["test"]))
    models, found = fit(train, movies, content, seed), dict[str, float]()
    for n in GIVEN:
        given = shuffled[place < n]
        for name, model in models.items():
            found |= judge(f"{name}_placed_{n}", place_movies(model, train, given, judged, content), judged, train)
        if n:
            known = pd.concat([train, given]).sort_values([USER_ID, MOVIE_ID], ignore_index=True)
            for name, model in fit(known, movies, content, seed).items():
                found |= judge(f"{name}_refit_{n}", make_scorer(model), judged, known)
    return found


def fit(train: pd.DataFrame, movies: pd.DataFrame, content: Content, seed: int) -> Models:
    """Fit every kind of model that the service places movies in; the blend's weight is half."""
    ease = EASE().fit(train, content=content)
    als = ALS(factors=64, regularization=40.0, alpha=1.5, content_weight=0.05, seed=seed).fit(train, content=content)
    svd, bayes = SVD(factors=50, seed=seed).fit(train), Bayes(seed=seed).fit(train, movies=movies)
    return {"svd": svd, "bayes": bayes, "als": als, "ease": ease, "blend": Blend(weight=0.5).adopt(ease, als)}


def place_movies(
    model: Recommender, train: pd.DataFrame, given: pd.DataFrame, judged: pd.DataFrame, content: Content
) -> Scorer[Any]:
    """Place the judged movies, with what of their ratings is given, behind those of train; their codes are row numbers.

    The service does the same in `recommender.amendments`.
    """
    scorer = make_scorer(model)
    placer, profiles = make_placer(model, scorer, content.of(model.movies.ids)), Profiles(train, model.users)
    placed = []
    for movie in np.unique(judged[MOVIE_ID]):
        ratings = given[(given[MOVIE_ID] == movie) & given[USER_ID].isin(model.users.ids)]
        raters = Raters([profiles.find(user) for user in ratings[USER_ID].tolist()], ratings[RATING].to_numpy())
        placed.append(placer.place(content.of([movie])[0], raters, seeds.rng(0, "new movie", str(movie))))
    return placer.extend(FIRST_CODE + np.arange(len(placed), dtype=np.int64), placed)


def judge(name: str, scorer: Scorer[Any], judged: pd.DataFrame, train: pd.DataFrame) -> dict[str, float]:
    """Return the RMSE of a model of stars, or the NDCG@10 of a ranking of the judged movies among themselves."""
    movies = np.unique(judged[MOVIE_ID])
    known = find_rows(scorer.movie_ids, movies)
    codes = movies if (known >= 0).all() else FIRST_CODE + np.arange(len(movies), dtype=np.int64)
    columns, users = find_rows(scorer.movie_ids, codes), np.unique(judged[USER_ID])
    profiles = Profiles(train, IdIndex(np.unique(train[USER_ID])))
    tastes = {user: scorer.see(profiles.find(user)) for user in users.tolist()}
    if name.startswith(RATERS_OF_STARS):
        at = codes[np.searchsorted(movies, judged[MOVIE_ID])]
        predicted, own = np.empty(len(judged)), judged[USER_ID].to_numpy()
        for user, taste in tastes.items():
            predicted[own == user] = scorer.predict(taste, at[own == user]).stars
        return {f"{name}_rmse": rmse(judged[RATING], predicted)}
    scores = np.array([scorer.score(tastes[user])[columns] for user in users.tolist()])
    return {f"{name}_ndcg@10": rank_cold_movies(scores, users, judged, 4.0)}


if __name__ == "__main__":
    run_command(main)
