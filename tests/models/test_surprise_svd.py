"""The drop-in equals `surprise.SVD` bit for bit, whatever its parameters."""

import numpy as np
import pandas as pd
import pytest
import surprise
from hypothesis import given, settings
from hypothesis import strategies as st
from surprise.model_selection import GridSearchCV, cross_validate

from movierec import models
from movierec.models import SurpriseSVD

RATES = st.sampled_from([0.0, 0.002, 0.005, 0.03])
PENALTIES = st.sampled_from([0.0, 0.02, 0.3])


def make_data(seed: int, users: int, items: int, n: int, values: list[float]) -> surprise.Dataset:
    """Draw ratings in any order, with repeated pairs, as a user's own file may hold them."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {"user": rng.integers(users, size=n), "item": rng.integers(items, size=n), "rating": rng.choice(values, n)}
    )
    return surprise.Dataset.load_from_df(table, surprise.Reader(rating_scale=(1, 5)))


@given(
    seed=st.integers(0, 2**32 - 1),
    users=st.integers(1, 30),
    items=st.integers(1, 30),
    n=st.integers(1, 300),
    values=st.sampled_from([[3.0], [1.0, 5.0], [0.5, 1.7, 3.3, 5.0]]),
    parameters=st.fixed_dictionaries(
        {
            "n_factors": st.sampled_from([1, 2, 7, 50, 100]),
            "n_epochs": st.integers(0, 4),
            "biased": st.booleans(),
            "init_mean": st.sampled_from([0.0, -0.1, 0.5]),
            "init_std_dev": st.sampled_from([0.0, 0.05, 0.1]),
            **{f"lr_{name}": RATES for name in ("bu", "bi", "pu", "qi")},
            **{f"reg_{name}": PENALTIES for name in ("bu", "bi", "pu", "qi")},
        }
    ),
)
@settings(max_examples=100)
def test_equals_surprise_bit_for_bit(
    seed: int, users: int, items: int, n: int, values: list[float], parameters: dict[str, float]
) -> None:
    trainset = make_data(seed % 1000, users, items, n, values).build_full_trainset()
    theirs = surprise.SVD(random_state=seed, **parameters).fit(trainset)
    ours = SurpriseSVD(random_state=seed, **parameters).fit(trainset)
    for name in ("bu", "bi", "pu", "qi"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name), strict=True, err_msg=name)
    assert ours.predict(0, 0).est == theirs.predict(0, 0).est


def test_cross_validation_and_grid_search_give_the_same_scores() -> None:
    data = make_data(0, 20, 15, 400, [1.0, 2.0, 3.0, 4.0, 5.0])
    grid = {"n_factors": [2, 5], "reg_all": [0.02, 0.1], "random_state": [3]}
    scores, best = [], []
    for algorithm in (surprise.SVD, SurpriseSVD):
        folds = surprise.model_selection.KFold(3, random_state=1)
        scores.append(cross_validate(algorithm(random_state=0), data, cv=folds)["test_rmse"].tolist())
        search = GridSearchCV(algorithm, grid, cv=folds)
        search.fit(data)
        best.append((search.best_params, search.best_score))
    assert scores[0] == scores[1]
    assert best[0] == best[1]


def test_verbose_prints_each_epoch(capsys: pytest.CaptureFixture[str]) -> None:
    SurpriseSVD(n_epochs=2, verbose=True).fit(make_data(0, 3, 3, 9, [1.0, 4.0]).build_full_trainset())
    assert capsys.readouterr().out == "Processed epoch 0\nProcessed epoch 1\n"


def test_a_generator_as_random_state_is_taken_over() -> None:
    trainset = make_data(0, 5, 5, 20, [1.0, 4.0]).build_full_trainset()
    one, other = (kind(random_state=np.random.RandomState(7)).fit(trainset) for kind in (surprise.SVD, SurpriseSVD))
    np.testing.assert_array_equal(one.pu, other.pu)


def test_models_has_nothing_else() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'SurprisingSVD'"):
        _ = models.SurprisingSVD
