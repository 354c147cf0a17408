"""From parameters to searches."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from movierec.data.content import Content
from movierec.settings import Section, TuneParams
from movierec.tuning.als import AlsObjective, FitAls
from movierec.tuning.bayes import BayesObjective
from movierec.tuning.objective import Objective
from movierec.tuning.sample import draw_users
from movierec.tuning.search import GridSearch
from movierec.tuning.svd import SvdObjective
from movierec.tuning.tpe import TpeSearch

Kind = tuple[Objective, Mapping[str, Section], Objective | None]  # trials, what to try, who fits the winner on all


def plan_searches(
    tune: TuneParams,
    relevance_threshold: float,
    train: pd.DataFrame,
    validation: pd.DataFrame,
    seed: int,
    content: Content | None = None,
    movies: pd.DataFrame | None = None,
    *,
    counts: bool = False,
    fit_als: FitAls | None = None,
) -> list[GridSearch]:
    """Set up the search of each kind of model.

    Parameters
    ----------
    tune : TuneParams
        How to search, and the configurations.
    relevance_threshold : float
        Stars from which a validation rating makes its movie relevant.
    train, validation : DataFrame
        What to fit on and what to score on.
    seed : int
        Of every fit and of the proposals.
    content : Content, optional
        Of the movies.
    movies : DataFrame, optional
        Their genres and years.
    counts : bool
        Whether ratings are counts of events.
    fit_als : callable, optional
        Who fits the winning ALS on all ratings after trials on a sample; see `AlsObjective`.

    Returns
    -------
    list of GridSearch
        For the ALS; for the SVD and the Bayesian factorisation, too, unless there are counts alone.
    """
    whole = train, validation
    sample = draw_users(*whole, tune.most_ratings, seed)
    sampled = len(sample[0]) < len(train)
    ranked: dict[str, Any] = {"relevance_threshold": relevance_threshold, "content": content, "counts": counts}
    final_als = AlsObjective(*whole, seed, **ranked, fit=fit_als) if sampled else None
    kinds: list[Kind] = [(AlsObjective(*sample, seed, **ranked), tune.als, final_als)]
    if not counts:
        final_svd = SvdObjective(*whole, seed, "parallel") if sampled else None
        bayes = BayesObjective(*whole, seed, movies)  # which draws a sample of its own
        kinds = [(SvdObjective(*sample, seed), tune.svd, final_svd), *kinds, (bayes, tune.bayes, None)]
    if tune.search == "grid":
        return [GridSearch(*each) for each in kinds]
    return [TpeSearch(objective, listed, tune.trials, seed, final) for objective, listed, final in kinds]
