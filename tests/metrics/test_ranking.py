import math
from typing import Any

import ir_measures
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ir_measures import AP, RR, P, R, Success, nDCG
from scipy import sparse
from sklearn.metrics import ndcg_score

from movierec.metrics.ranking import KS, ranking_metrics_by_user

Lists = npt.NDArray[np.int64]
Relevance = npt.NDArray[np.bool_]
MOVIES = 30
seeds = st.integers(0, 2**32 - 1)


def random_case(seed: int, users: int = 12, movies: int = MOVIES, k_max: int = 20) -> tuple[Lists, Relevance]:
    """Lists of random length (some empty) and relevance of random density (some users have none)."""
    rng = np.random.default_rng(seed)
    lists = np.argsort(rng.random((users, movies)), axis=1)[:, :k_max]
    lengths = rng.choice([0, 1, 3, 7, k_max], size=users)
    relevant = rng.random((users, movies)) < rng.choice([0, 0.05, 0.3, 1], size=(users, 1))
    return np.where(np.arange(k_max) < lengths[:, np.newaxis], lists, -1), relevant


def metrics(lists: Any, relevant: Any, **options: Any) -> dict[str, npt.NDArray[np.float64]]:
    return ranking_metrics_by_user(np.asarray(lists), sparse.csr_array(np.asarray(relevant, dtype=bool)), **options)


def test_by_hand() -> None:
    # Relevant: movies 0, 2, 4 (R = 3). List: 2, 1, 0, 3 -> hits 1 0 1 0.
    found = metrics([[2, 1, 0, 3]], [[1, 0, 1, 0, 1]], ks=(2, 4))
    expected = {
        "precision@2": 1 / 2,
        "recall@2": 1 / 3,
        "ndcg@2": 1 / (1 + 1 / math.log2(3)),  # gain 1/log2(2); ideal 1/log2(2) + 1/log2(3)
        "map@2": (1 / 1) / 2,  # precision 1/1 at rank 1; min(2, 3) = 2
        "hit_rate@2": 1,
        "precision@4": 2 / 4,
        "recall@4": 2 / 3,
        "ndcg@4": (1 + 1 / 2) / (1 + 1 / math.log2(3) + 1 / 2),  # ranks 1 and 3: 1/log2(4) = 1/2; ideal ranks 1, 2, 3
        "map@4": (1 / 1 + 2 / 3) / 3,  # precision 1/1 and 2/3; min(4, 3) = 3
        "hit_rate@4": 1,
        "mrr": 1,
    }
    assert {name: pytest.approx(float(value[0]), abs=1e-15) for name, value in found.items()} == expected


def test_mrr_looks_through_the_whole_list() -> None:
    found = metrics([[1, 2, 3, 0], [1, 2, 3, 4], [0, 1, 2, 3]], [[1, 0, 0, 0, 0]] * 3, ks=(2,))
    assert found["mrr"].tolist() == [1 / 4, 0, 1]
    assert found["hit_rate@2"].tolist() == [0, 0, 1]


def test_default_cutoffs() -> None:
    found = metrics(*random_case(0))
    names = ("precision", "recall", "ndcg", "map", "hit_rate")
    assert set(found) == {f"{name}@{k}" for name in names for k in KS} | {"mrr"}
    assert KS == (5, 10, 20)


def test_a_short_list_still_divides_by_k() -> None:
    # Two of two recommended movies are relevant, k = 4: precision 2/4; the rest is as good as it can be.
    found = metrics([[0, 1, -1, -1]], [[1, 1, 0, 0]], ks=(4,))
    assert found["precision@4"][0] == 0.5
    assert [float(found[name][0]) for name in ("recall@4", "ndcg@4", "map@4", "hit_rate@4", "mrr")] == [1, 1, 1, 1, 1]


def test_an_empty_list_scores_zero_and_nothing_relevant_scores_nan() -> None:
    found = metrics([[-1, -1], [0, 1]], [[1, 0, 0], [0, 0, 0]], ks=(2,))
    for name, (empty_list, nothing_relevant) in found.items():
        assert empty_list == 0, name
        assert np.isnan(nothing_relevant), name


def test_relevant_movies_out_of_reach_count_as_missed() -> None:
    # Hit at rank 1, one reachable relevant movie, three in all.
    found = metrics([[0, 1]], [[1, 0]], n_relevant=np.array([3]), ks=(2,))
    assert found["recall@2"][0] == 1 / 3
    assert found["ndcg@2"][0] == pytest.approx(1 / (1 + 1 / math.log2(3)))
    assert found["map@2"][0] == 1 / 2
    assert found["precision@2"][0] == 1 / 2


def test_a_user_with_only_unreachable_movies_scores_zero() -> None:
    found = metrics([[0, 1]], [[0, 0]], n_relevant=np.array([2]), ks=(2,))
    assert [float(value[0]) for value in found.values()] == [0] * 6


def test_stored_false_repeats_and_order_do_not_matter() -> None:
    data, columns = np.array([True, False, True, True]), np.array([3, 1, 0, 3])
    messy = sparse.csr_array((data, columns, np.array([0, 4])), shape=(1, 4))
    lists = np.array([[1, 3, 0]])
    found = ranking_metrics_by_user(lists, messy, ks=(1, 3))
    clean = metrics(lists, [[1, 0, 0, 1]], ks=(1, 3))
    assert {name: value.tolist() for name, value in found.items()} == {n: v.tolist() for n, v in clean.items()}
    assert messy.nnz == 4  # the caller's matrix is left alone


def test_no_users_and_the_old_matrix_class() -> None:
    assert metrics(np.empty((0, 5), dtype=int), np.empty((0, 3)), ks=(5,))["ndcg@5"].shape == (0,)
    old = ranking_metrics_by_user(np.array([[0]]), sparse.csr_matrix(np.array([[True]])), ks=(1,))
    assert old["ndcg@1"].tolist() == [1]


@given(seeds)
def test_agrees_with_trec_eval(seed: int) -> None:
    lists, relevant = random_case(seed)
    qrels = [
        ir_measures.Qrel(str(user), str(movie), int(relevant[user, movie]))
        for user in range(len(lists))
        for movie in range(MOVIES)
    ]
    run = [
        ir_measures.ScoredDoc(str(user), str(movie), -float(rank))
        for user, row in enumerate(lists)
        for rank, movie in enumerate(row)
        if movie >= 0
    ]
    ours = metrics(lists, relevant)
    total = relevant.sum(axis=1)
    measures: dict[Any, str] = {RR: "mrr"}
    for k in KS:
        measures |= {P @ k: f"precision@{k}", R @ k: f"recall@{k}", nDCG @ k: f"ndcg@{k}"}
        measures |= {AP @ k: f"map@{k}", Success @ k: f"hit_rate@{k}"}
    compared = 0
    for found in ir_measures.pytrec_eval.iter_calc(list(measures), qrels, run):
        user, name = int(found.query_id), measures[found.measure]
        if total[user] == 0:
            continue
        expected = found.value
        if name.startswith("map@"):  # trec_eval divides by R, we by min(k, R)
            expected *= total[user] / min(int(name.removeprefix("map@")), total[user])
        assert ours[name][user] == pytest.approx(expected, abs=1e-9), name
        compared += 1
    assert compared >= len(measures) * np.count_nonzero((total > 0) & (lists[:, 0] >= 0))


@given(seeds)
def test_ndcg_agrees_with_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.permuted(np.tile(np.arange(MOVIES, dtype=float), (6, 1)), axis=1)  # no ties
    relevant = rng.random(scores.shape) < 0.2
    relevant[:, 0] = True
    found = metrics(np.argsort(-scores, axis=1)[:, :20], relevant)
    for k in KS:
        for user in range(len(scores)):
            expected = ndcg_score(relevant[[user]].astype(int), scores[[user]], k=k)
            assert found[f"ndcg@{k}"][user] == pytest.approx(expected, abs=1e-9)


@given(seeds)
def test_bounds_missing_users_and_growth_with_k(seed: int) -> None:
    lists, relevant = random_case(seed)
    found = metrics(lists, relevant)
    nobody = ~relevant.any(axis=1)
    for name, values in found.items():
        np.testing.assert_array_equal(np.isnan(values), nobody, err_msg=name)
        assert np.all((values[~nobody] >= 0) & (values[~nobody] <= 1)), name
    for name in ("recall", "hit_rate"):
        at_5, at_10, at_20 = (found[f"{name}@{k}"][~nobody] for k in KS)
        assert np.all(at_5 <= at_10)
        assert np.all(at_10 <= at_20)


@given(seeds, st.integers(1, 20))
def test_a_perfect_list_scores_exactly_one(seed: int, k: int) -> None:
    _, relevant = random_case(seed)
    relevant[:, seed % MOVIES] = True
    lists = np.argsort(~relevant, axis=1, kind="stable")[:, :20]
    found = metrics(lists, relevant, ks=(k,))
    total = relevant.sum(axis=1)
    for name in (f"ndcg@{k}", f"map@{k}", f"hit_rate@{k}", "mrr"):
        np.testing.assert_array_equal(found[name], 1, err_msg=name)
    np.testing.assert_array_equal(found[f"precision@{k}"], np.minimum(total, k) / k)
    np.testing.assert_array_equal(found[f"recall@{k}"], np.minimum(total, k) / total)


@given(seeds, st.integers(0, 18))
def test_moving_a_hit_up_never_lowers_a_metric(seed: int, rank: int) -> None:
    rng = np.random.default_rng(seed)
    relevant = rng.random((1, MOVIES)) < 0.3
    worse = np.argsort(rng.random((1, MOVIES)), axis=1)[:, :20]
    relevant[0, worse[0, rank]], relevant[0, worse[0, rank + 1]] = False, True
    better = worse.copy()
    better[0, [rank, rank + 1]] = worse[0, [rank + 1, rank]]
    before, after = metrics(worse, relevant), metrics(better, relevant)
    assert all(after[name][0] >= before[name][0] - 1e-12 for name in before)
    assert after["ndcg@20"][0] > before["ndcg@20"][0]
    assert after["map@20"][0] > before["map@20"][0]


def test_random_lists_score_at_chance() -> None:
    # 4,000 users, 3 of 30 movies relevant: precision 1/10, standard error sqrt(.1 * .9 / 20,000) = .0021 at most
    rng = np.random.default_rng(5)
    lists = np.argsort(rng.random((4000, MOVIES)), axis=1)[:, :5]
    relevant = np.argsort(rng.random((4000, MOVIES)), axis=1) < 3
    found = metrics(lists, relevant, ks=(5,))
    assert found["precision@5"].mean() == pytest.approx(0.1, abs=4 * 0.0021)
    # No hit in 5 of 30 with 3 relevant: C(27, 5) / C(30, 5) = .5665; standard error .0078
    assert found["hit_rate@5"].mean() == pytest.approx(1 - math.comb(27, 5) / math.comb(30, 5), abs=4 * 0.0078)


@pytest.mark.parametrize(
    ("lists", "options", "message"),
    [
        ([[0, 1], [1, 2]], {"ks": (2,)}, r"recommended has shape \(2, 2\), must be \(1, k_max\)"),
        ([0, 1], {"ks": (1,)}, r"recommended has shape \(2,\), must be \(1, k_max\)"),
        ([[0, 1]], {"ks": (0,)}, r"every k of \(0,\) must be in \[1, 2\]"),
        ([[0, 1]], {"ks": (1, 3)}, r"every k of \(1, 3\) must be in \[1, 2\]"),
        ([[0, 3]], {"ks": (2,)}, r"movie rows must be in \[0, 3\), or -1"),
        ([[0, -2]], {"ks": (2,)}, r"movie rows must be in \[0, 3\), or -1"),
        ([[1, 1]], {"ks": (2,)}, "a movie occurs twice in a list"),
        ([[0, 1]], {"ks": (2,), "n_relevant": np.array([1])}, "n_relevant must hold, for each user, at least"),
        ([[0, 1]], {"ks": (2,), "n_relevant": np.array([2, 2])}, "n_relevant must hold, for each user, at least"),
    ],
)
def test_refuses_what_does_not_fit(lists: list[Any], options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        metrics(lists, [[1, 0, 1]], **options)
