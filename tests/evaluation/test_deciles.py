import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.evaluation.deciles import tabulate_by_activity, tabulate_by_popularity
from movierec.evaluation.judge import evaluate_model
from movierec.metrics.deciles import find_deciles
from movierec.models.bias import Bias
from movierec.models.popularity import Popularity
from tests.beds import Oracle, random_bed, resample, small_bed, stars_of

COLUMNS = ["model", "metric", "decile", "n_train", "users", "estimate", "low", "high"]


def by_decile(table: pd.DataFrame, metric: str) -> dict[int, Any]:
    """Map each decile to its mean train ratings, the users behind the figure and the figure."""
    rows = table.loc[table["metric"] == metric, ["decile", "n_train", "users", "estimate"]]
    return {decile: (train, users, value) for decile, train, users, value in rows.itertuples(index=False)}


def test_deciles_by_hand() -> None:
    # In rising order 1, 2, 2, 3, 4, 5, 6, 7, 8, 9: one a decile, equal ones as given, those without in none.
    train_ratings = np.array([5, 0, 1, 9, 8, 7, 6, 2, 2, 3, 4, 0])
    assert find_deciles(train_ratings).tolist() == [6, 0, 1, 10, 9, 8, 7, 2, 3, 4, 5, 0]


@given(hnp.arrays(np.int64, st.integers(0, 80), elements=st.integers(0, 12)))
def test_deciles_are_of_equal_size_and_in_order(train_ratings: npt.NDArray[np.int64]) -> None:
    decile, rated = find_deciles(train_ratings), train_ratings > 0
    assert ((decile > 0) == rated).all()
    sizes = np.bincount(decile[rated], minlength=11)[1:]
    assert len(sizes) == 10
    assert sizes.max() - sizes.min() <= 1
    assert (np.diff(train_ratings[np.lexsort((train_ratings, decile))]) >= 0).all()


def test_activity_by_hand() -> None:
    # Users 1 and 4 have 2 train ratings, 2 and 3 have 3: in this order deciles 1, 3, 6 and 8; user 9 has none.
    bed = small_bed()
    result = evaluate_model(Popularity().fit(bed.train), bed)
    table = tabulate_by_activity({"popularity": result}, bed, resample(bed))
    assert list(table) == COLUMNS
    assert set(table["model"]) == {"popularity"}
    of_user = np.sqrt(stars_of(result).errors.squared / stars_of(result).errors.count)  # users 1, 2, 3, 4, 9
    assert by_decile(table, "rmse") == {
        decile: (train, 1, pytest.approx(of_user[row]))
        for decile, train, row in [(0, 0, 4), (1, 2, 0), (3, 2, 3), (6, 3, 1), (8, 3, 2)]
    }
    second = 1 / math.log2(3)
    expected = {1: (2, 1, 1), 6: (3, 1, pytest.approx(second)), 8: (3, 1, pytest.approx(1 / (1 + second)))}
    assert by_decile(table, "ndcg@10") == expected  # users 4 and 9 are not ranked for


def test_popularity_by_hand() -> None:
    # Movies 4 and 5 have 1 train rating, 3 has 2, 1 and 2 have 3: in this order deciles 1, 3, 5, 7 and 9; 6 has none.
    bed = small_bed()
    result = evaluate_model(Popularity().fit(bed.train), bed)
    table = tabulate_by_popularity({"popularity": result}, bed, resample(bed))
    fours, fives = 3.6 + 0.4 / 11, 3.6 - 0.6 / 11  # predictions, see test_errors_of_popularity_by_hand
    expected = {
        0: (0, 1, 1.4),
        1: (1, 2, math.sqrt(((fours - 5) ** 2 + (fours - 1) ** 2) / 2)),
        3: (1, 2, math.sqrt(((fives - 2) ** 2 + (fives - 4) ** 2) / 2)),
        5: (2, 1, abs(3.6 - 0.2 / 12 - 3.5)),
        7: (3, 1, abs(3.6 + 1.2 / 13 - 5)),
        9: (3, 1, abs(3.6 - 0.8 / 13 - 4)),
    }
    assert by_decile(table, "rmse") == {
        decile: (train, users, pytest.approx(value, abs=1e-6)) for decile, (train, users, value) in expected.items()
    }
    assert by_decile(table, "recall@10") == {1: (1, 1, 1), 3: (1, 1, 1), 9: (3, 1, 1)}


def test_recall_counts_the_first_ten_of_the_whole_list() -> None:
    bed = random_bed(users=60, movies=40, ratings=1200, seed=4)
    result = evaluate_model(Bias().fit(bed.train), bed)
    decile = find_deciles(bed.popularity)
    table = by_decile(tabulate_by_popularity({"bias": result}, bed, resample(bed)), "recall@10")
    liked = bed.test[bed.test[RATING] >= 4].groupby(USER_ID)[MOVIE_ID].agg(set)
    for number in range(1, 11):
        own = set(bed.catalogue.ids[decile == number].tolist())
        shares = []
        for user, movies in liked.items():
            wanted = movies & own
            (row,) = np.flatnonzero(bed.users.ids == user)
            top = bed.catalogue.ids[result.lists[row, :10]]
            shares += [len(wanted & set(top.tolist())) / len(wanted)] if wanted else []
        assert table[number] == (bed.popularity[decile == number].mean(), len(shares), pytest.approx(np.mean(shares)))


def test_deciles_add_up_to_the_whole() -> None:
    bed = random_bed()
    models = {"bias": evaluate_model(Bias().fit(bed.train), bed), "popularity": None}
    models["popularity"] = evaluate_model(Popularity().fit(bed.train), bed)
    results = {name: result for name, result in models.items() if result}
    activity = find_deciles(bed.activity)[bed.users.rows(bed.test[USER_ID])]
    popularity = find_deciles(bed.popularity)[bed.catalogue.rows(bed.test[MOVIE_ID])]
    for tabulate, decile in ((tabulate_by_activity, activity), (tabulate_by_popularity, popularity)):
        table = tabulate(results, bed, resample(bed))
        ratings = np.bincount(decile)
        for name, result in results.items():
            found = by_decile(table[table["model"] == name], "rmse")
            squares = sum(ratings[number] * value**2 for number, (_, _, value) in found.items())
            whole = stars_of(result).errors.squared.sum()
            assert squares == pytest.approx(whole)


def test_intervals_enclose_their_figures_and_repeat_themselves() -> None:
    bed = random_bed()
    results = {"bias": evaluate_model(Bias().fit(bed.train), bed)}
    for tabulate in (tabulate_by_activity, tabulate_by_popularity):
        table = tabulate(results, bed, resample(bed, 1, 200))
        assert ((table["low"] <= table["estimate"]) & (table["estimate"] <= table["high"])).all()
        assert (table["low"] < table["high"]).mean() > 0.8
        pd.testing.assert_frame_equal(table, tabulate(results, bed, resample(bed, 1, 200)))
        assert not table["low"].equals(tabulate(results, bed, resample(bed, 2, 200))["low"])


def test_an_oracle_is_perfect_in_every_decile() -> None:
    bed = random_bed()
    results = {"oracle": evaluate_model(Oracle(bed.test).fit(bed.train), bed)}
    table = tabulate_by_activity(results, bed, resample(bed))
    assert set(table.loc[table["metric"] == "rmse", "estimate"]) == {0.0}
    assert set(table.loc[table["metric"] == "ndcg@10", "estimate"]) == {1.0}
