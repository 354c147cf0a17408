"""From parameters to searches."""

from collections.abc import Callable, Mapping

import pandas as pd

from movierec.data.content import Content
from movierec.settings import Section, TuneParams
from movierec.tuning.als import AlsObjective
from movierec.tuning.bayes import BayesObjective
from movierec.tuning.objective import Objective
from movierec.tuning.sample import draw_users
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
    whole = train, validation
    sample = draw_users(*whole, tune.most_ratings, seed)

    def pair(make: Callable[..., Objective]) -> tuple[Objective, Objective | None]:
        return make(*sample), make(*whole) if len(sample[0]) < len(train) else None

    def make_als(train: pd.DataFrame, validation: pd.DataFrame) -> Objective:
        return AlsObjective(train, validation, seed, relevance_threshold, content, counts=counts)

    def make_svd(train: pd.DataFrame, validation: pd.DataFrame) -> Objective:
        return SvdObjective(train, validation, seed)

    kinds: list[tuple[tuple[Objective, Objective | None], Mapping[str, Section]]] = [(pair(make_als), tune.als)]
    if not counts:
        bayes = BayesObjective(*whole, seed, movies), None  # which draws a sample of its own
        kinds = [(pair(make_svd), tune.svd), *kinds, (bayes, tune.bayes)]
    if tune.search == "grid":
        return [GridSearch(objective, listed, final) for (objective, final), listed in kinds]
    return [TpeSearch(objective, listed, tune.trials, seed, final) for (objective, final), listed in kinds]
