"""Movies added while serving: how well they are placed by content and a few ratings, against a fit that knows these.

A tenth of the movies with at least 20 ratings is held out whole, on two real data sets and four splits. Models are
fitted on the other movies; each new movie is then placed as the service does it, with 0, 3 or 10 of its ratings, drawn
at random. The refit has these ratings in train. All are judged on the same ratings, those that no placing was given,
and on how they rank the new movies among themselves. Writes benchmarks/results/new_movies.json.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.data import hold_out_movies, load_dataset, load_tags
from benchmarks.ranking_quality import ALS_CONTENT
from movierec import seeds
from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.data.content import Content, describe_movies
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
from movierec.recommender.amended_catalogue import FIRST_NEW_CODE
from movierec.recommender.placing import Raters, make_placer
from movierec.recommender.profiles import Profiles
from movierec.recommender.scorer import Scorer
from movierec.recommender.scorers import make_scorer

RESULT: Final = Path(__file__).parent / "results/new_movies.json"
DATASETS: Final = ("ml-100k", "ml-latest-small")
SEEDS: Final = (0, 1, 2, 3)
GIVEN: Final = (0, 3, 10)
FEWEST_RATINGS: Final = 20
OF_STARS: Final = frozenset({"svd", "bayes"})
Ids = npt.NDArray[np.integer[Any]]


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
    bed = hold_out_movies(ratings, movies, seed)
    shuffled = bed.test.sample(frac=1, random_state=seed)
    place = shuffled.groupby(MOVIE_ID).cumcount()
    judged = shuffled[(place >= max(GIVEN)) & shuffled[USER_ID].isin(bed.train[USER_ID])]
    judged = judged.sort_values([USER_ID, MOVIE_ID], ignore_index=True)
    listed = movies[movies[MOVIE_ID].isin(ratings[MOVIE_ID])]
    content = describe_movies(listed, drop_held_out_tags(tags, bed.test))
    models, profiles, new = (
        fit(bed.train, movies, content, seed),
        gather_profiles(bed.train),
        np.unique(judged[MOVIE_ID]),
    )
    found: dict[str, float] = {}
    for n in GIVEN:
        given = shuffled[place < n]
        for name, model in models.items():
            scorer = place_movies(model, new, given, profiles, content)
            figures = judge(scorer, FIRST_NEW_CODE + np.arange(len(new)), judged, profiles, stars=name in OF_STARS)
            found |= {f"{name}_placed_{n}_{metric}": value for metric, value in figures.items()}
        if n:
            known = pd.concat([bed.train, given]).sort_values([USER_ID, MOVIE_ID], ignore_index=True)
            knowing = gather_profiles(known)
            for name, model in fit(known, movies, content, seed).items():
                figures = judge(make_scorer(model), new, judged, knowing, stars=name in OF_STARS)
                found |= {f"{name}_refit_{n}_{metric}": value for metric, value in figures.items()}
    return found


def gather_profiles(train: pd.DataFrame) -> Profiles:
    """Return who rated what, all of whom the models know."""
    return Profiles(train, IdIndex(np.unique(train[USER_ID])))


def fit(train: pd.DataFrame, movies: pd.DataFrame, content: Content, seed: int) -> dict[str, Recommender]:
    """Fit every kind of model that the service places movies in; the blend's weight is half."""
    ease, als = EASE().fit(train, content=content), ALS(**ALS_CONTENT, seed=seed).fit(train, content=content)
    svd, bayes = SVD(factors=50, seed=seed).fit(train), Bayes(seed=seed).fit(train, movies=movies)
    return {"svd": svd, "bayes": bayes, "als": als, "ease": ease, "blend": Blend(weight=0.5).adopt(ease, als)}


def place_movies(
    model: Recommender, new: Ids, given: pd.DataFrame, profiles: Profiles, content: Content
) -> Scorer[Any]:
    """Place new movies, with the ratings given of them, behind the model's own, as `recommender.amendments` does."""
    scorer = make_scorer(model)
    placer, placed = make_placer(model, scorer, content.of(model.movies.ids)), []
    for movie in new:
        ratings = given[(given[MOVIE_ID] == movie) & given[USER_ID].isin(model.users.ids)]
        raters = Raters([profiles.find(user) for user in ratings[USER_ID].tolist()], ratings[RATING].to_numpy())
        placed.append(placer.place(content.of([movie])[0], raters, seeds.rng(0, "new movie", str(movie))))
    return placer.extend(FIRST_NEW_CODE + np.arange(len(placed), dtype=np.int64), placed)


def judge(
    scorer: Scorer[Any], codes: Ids, judged: pd.DataFrame, profiles: Profiles, *, stars: bool
) -> dict[str, float]:
    """Return the RMSE, or the NDCG@10 of the judged movies, which have these codes, ranked among themselves."""
    own, at = judged[USER_ID].to_numpy(), codes[np.unique(judged[MOVIE_ID], return_inverse=True)[1]]
    tastes = {user: scorer.see(profiles.find(user)) for user in np.unique(own).tolist()}
    if stars:
        predicted = np.empty(len(judged))
        for user, taste in tastes.items():
            predicted[own == user] = scorer.predict(taste, at[own == user]).stars
        return {"rmse": rmse(judged[RATING], predicted)}
    columns = find_rows(scorer.movie_ids, codes)
    scores = np.array([scorer.score(taste)[columns] for taste in tastes.values()])
    return {"ndcg@10": rank_cold_movies(scores, list(tastes), judged, 4.0)}


if __name__ == "__main__":
    run_command(main)
