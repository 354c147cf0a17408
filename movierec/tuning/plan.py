"""From parameters to searches."""

from collections.abc import Mapping

import pandas as pd

from movierec.data.content import Content
from movierec.settings import Section, TuneParams
from movierec.tuning.als import AlsObjective
from movierec.tuning.bayes import BayesObjective
from movierec.tuning.objective import Objective
from movierec.tuning.search import GridSearch
from movierec.tuning.svd import SvdObjective
from movierec.tuning.tpe import TpeSearch


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

    Returns
    -------
    list of GridSearch
        For the ALS; for the SVD and the Bayesian factorisation, too, unless there are counts alone.
    """
    als = AlsObjective(train, validation, seed, relevance_threshold, content, counts=counts)
    kinds: list[tuple[Objective, Mapping[str, Section]]] = [(als, tune.als)]
    if not counts:
        svd, bayes = SvdObjective(train, validation, seed), BayesObjective(train, validation, seed, movies)
        kinds = [(svd, tune.svd), *kinds, (bayes, tune.bayes)]
    if tune.search == "grid":
        return [GridSearch(objective, configurations) for objective, configurations in kinds]
    return [TpeSearch(objective, configurations, tune.trials, seed) for objective, configurations in kinds]
