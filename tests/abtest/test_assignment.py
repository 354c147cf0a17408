"""Assignment: golden vectors, fairness, independence, and ramping up without moving anyone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from movierec.abtest.assignment import NOT_ASSIGNED, Experiment, bucket_of, buckets_of, hash_fnv1a32
from movierec.errors import MovierecError

USERS = np.arange(1, 100_001, dtype=np.int32)
HALVES = {"control": 0.5, "treatment": 0.5}


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", 0x811C9DC5), ("a", 0xE40C292C), ("foobar", 0xBF9CF968)],  # the authors' own test vectors
)
def test_fnv1a_matches_published_vectors(text: str, expected: int) -> None:
    assert hash_fnv1a32(text) == expected


@pytest.mark.parametrize(
    ("seed", "value", "expected"), [("seed", "a", 505), ("seed", "b", 2696), ("foo", "ab", 2575), ("foo", "def", 2019)]
)
def test_buckets_match_growthbooks_vectors(seed: str, value: str, expected: int) -> None:
    assert bucket_of(seed, value) == expected


@given(seed=st.text(max_size=20), users=st.lists(st.integers(-(2**63), 2**63 - 1), max_size=20))
def test_many_buckets_equal_one_by_one(seed: str, users: list[int]) -> None:
    together = buckets_of(seed, np.array(users, dtype=np.int64))
    assert together.tolist() == [bucket_of(seed, str(user)) for user in users]


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.uint8, np.uint64])
def test_buckets_do_not_depend_on_the_type_of_the_ids(dtype: type[np.integer]) -> None:
    users = np.array([0, 7, 42, 255], dtype=dtype)
    assert buckets_of("salt", users).tolist() == [bucket_of("salt", text) for text in ("0", "7", "42", "255")]


def test_buckets_of_every_second_user_ignore_memory_layout() -> None:
    assert np.array_equal(buckets_of("salt", USERS[::2]), buckets_of("salt", USERS)[::2])


@given(
    weights=st.lists(st.floats(0.1, 100), min_size=2, max_size=6),
    coverage=st.floats(0, 1),
    users=st.lists(st.integers(0, 2**31 - 1), max_size=30),
)
def test_assign_many_equals_assign(weights: list[float], coverage: float, users: list[int]) -> None:
    experiment = Experiment("salt", {f"arm {i}": weight for i, weight in enumerate(weights)}, coverage)
    names = [*experiment.arms, None]  # index -1 is the last: not assigned
    together = experiment.assign_many(np.array(users, dtype=np.int32))
    assert [names[arm] for arm in together] == [experiment.assign(user) for user in users]


@pytest.mark.parametrize("weights", [[1, 1], [0.1, 0.2, 0.7], [1, 1, 1], [0.9, 0.1], [5, 3, 1, 1]])
def test_everyone_has_an_arm_at_full_coverage(weights: list[float]) -> None:
    experiment = Experiment("salt", {str(i): weight for i, weight in enumerate(weights)})
    starts, ends = experiment._ranges
    assert ends[:-1].tolist() == starts[1:].tolist()
    assert (starts[0], ends[-1]) == (0, 10_000)


@pytest.mark.parametrize("name", ["als-against-popularity", "a", "b", "b1"])
@pytest.mark.parametrize("weights", [(1, 1), (0.5, 0.3, 0.2), (9, 1)])
def test_shares_follow_the_weights(name: str, weights: tuple[float, ...]) -> None:
    experiment = Experiment(name, {str(i): weight for i, weight in enumerate(weights)})
    counts = np.bincount(experiment.assign_many(USERS), minlength=len(weights))
    expected = len(USERS) * np.array(weights) / sum(weights)
    assert counts.sum() == len(USERS)
    assert stats.chisquare(counts, expected).pvalue > 0.001


def test_coverage_takes_its_share_of_users_evenly_from_each_arm() -> None:
    arms = Experiment("ramp", {"a": 0.75, "b": 0.25}, coverage=0.2).assign_many(USERS)
    counts = [np.sum(arms == arm) for arm in (NOT_ASSIGNED, 0, 1)]
    assert stats.chisquare(counts, [80_000, 15_000, 5_000]).pvalue > 0.001


@pytest.mark.parametrize(("first", "second"), [("one", "two"), ("exp-1", "exp-2"), ("a", "aa"), ("1", "11")])
def test_two_experiments_are_independent(first: str, second: str) -> None:
    one, other = (Experiment(name, HALVES).assign_many(USERS) for name in (first, second))
    table = np.bincount(2 * one + other, minlength=4).reshape(2, 2)
    assert stats.chi2_contingency(table, correction=False).pvalue > 0.001


@given(low=st.floats(0, 1), high=st.floats(0, 1), weights=st.lists(st.floats(0.1, 10), min_size=2, max_size=5))
def test_ramping_up_moves_no_user_between_arms(low: float, high: float, weights: list[float]) -> None:
    low, high = sorted((low, high))
    arms = {str(i): weight for i, weight in enumerate(weights)}
    before, after = (Experiment("ramp", arms, coverage).assign_many(USERS[:5000]) for coverage in (low, high))
    inside = before != NOT_ASSIGNED
    assert np.array_equal(before[inside], after[inside])


def test_no_coverage_means_nobody_and_none() -> None:
    experiment = Experiment("off", HALVES, coverage=0)
    assert set(experiment.assign_many(USERS[:1000])) == {NOT_ASSIGNED}
    assert experiment.assign(42) is None


def test_number_and_text_name_the_same_user() -> None:
    experiment = Experiment("salt", HALVES)
    assert [experiment.assign(user) for user in range(50)] == [experiment.assign(str(user)) for user in range(50)]


def test_only_the_ratio_of_weights_counts() -> None:
    small, large = ({"a": 1.0 * scale, "b": 3.0 * scale} for scale in (1e-300, 5e307))
    assert Experiment("salt", small).shares == Experiment("salt", large).shares == {"a": 0.25, "b": 0.75}


@pytest.mark.parametrize("weight", [0, -1, float("nan"), float("inf")])
def test_weights_must_be_positive_and_finite(weight: float) -> None:
    with pytest.raises(MovierecError, match=f"arm 'b' has weight {weight}: weights must be positive finite"):
        Experiment("salt", {"a": 1, "b": weight})


def test_an_arm_without_a_bucket_is_refused() -> None:
    with pytest.raises(MovierecError, match=r"arm 'b' gets 1e-06 of the users: the least share is 0\.0001"):
        Experiment("salt", {"a": 1, "b": 1e-6})


@pytest.mark.parametrize("arms", [{}, {"a": 1.0}])
def test_fewer_than_two_arms_are_refused(arms: dict[str, float]) -> None:
    with pytest.raises(MovierecError, match=rf"has {len(arms)} arm\(s\): name at least two"):
        Experiment("salt", arms)


def test_an_experiment_without_a_name_is_refused() -> None:
    with pytest.raises(MovierecError, match="needs a name"):
        Experiment("", HALVES)


@pytest.mark.parametrize("coverage", [-0.1, 1.1, float("nan")])
def test_coverage_outside_0_to_1_is_refused(coverage: float) -> None:
    with pytest.raises(MovierecError, match=f"coverage is {coverage}: it must be between 0 and 1"):
        Experiment("salt", HALVES, coverage)


def test_float_ids_are_refused() -> None:
    with pytest.raises(TypeError, match="user ids must be integers, not float64"):
        Experiment("salt", HALVES).assign_many(np.array([42.0]))
