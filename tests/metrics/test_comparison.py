import itertools
import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from statsmodels.stats.multitest import multipletests

from movierec.metrics import comparison
from movierec.metrics.bootstrap import SAMPLES, UserBootstrap
from movierec.metrics.comparison import FLIPS, Comparison, PairedMetric, compare_models, pair_errors, pair_means
from movierec.metrics.intervals import bootstrap_means
from movierec.metrics.rating import UserErrors, error_sums_by_user

FloatArray = npt.NDArray[np.float64]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def compare(
    models: list[str],
    metrics: dict[str, PairedMetric],
    generator: np.random.Generator,
    samples: int = SAMPLES,
    flips: int = FLIPS,
) -> list[Comparison]:
    users = len(next(iter(metrics.values())).weights)
    return compare_models(models, metrics, UserBootstrap(users, generator, samples), generator, flips)


def compare_two(first: FloatArray, second: FloatArray, seed: int = 0, flips: int = 10_000) -> Comparison:
    scores = {"ndcg@10": pair_means({"als": first, "svd": second})}
    (found,) = compare(["als", "svd"], scores, rng(seed), samples=200, flips=flips)
    return found


def random_errors(seed: int, users: int, scale: float = 1.0) -> UserErrors:
    user_idx = np.repeat(np.arange(users), rng(99).integers(0, 6, users))  # the same ratings for every seed
    errors = scale * rng(seed).normal(size=len(user_idx))
    return error_sums_by_user(user_idx, np.zeros(len(errors)), errors, users)


def monte_carlo(p_value: float, draws: int = 10_000) -> float:
    return 4 * math.sqrt(p_value * (1 - p_value) / draws) + 2 / draws


class TestPValue:
    def test_by_hand(self) -> None:
        # Differences 1, 2 and 4: of 8 sign vectors only + + + and - - - have a sum as far from 0 as 7.
        assert compare_two(np.array([1.0, 2.0, 4.0]), np.zeros(3)).p_value == pytest.approx(0.25, abs=monte_carlo(0.25))

    def test_ties_count_as_extreme(self) -> None:
        # Differences .1, .1 and -.2, whose sum is 0 up to rounding: every sign vector is as extreme.
        assert compare_two(np.array([0.1, 0.1, -0.2]), np.zeros(3)).p_value == 1
        # .1 + .2 + .3 and .3 + .2 + .1 differ in the last bit; 2 of 8 sign vectors reach .6.
        p_value = compare_two(np.array([0.1, 0.2, 0.3]), np.zeros(3)).p_value
        assert p_value == pytest.approx(0.25, abs=monte_carlo(0.25))

    def test_one_user_proves_nothing(self) -> None:
        assert compare_two(np.array([1.0]), np.array([0.0])).p_value == 1

    def test_equal_models(self) -> None:
        values = rng().random(30)
        found = compare_two(values, values)
        assert (found.p_value, found.p_adjusted, found.is_real) == (1, 1, False)
        assert found.difference.estimate == found.difference.low == found.difference.high == 0

    def test_is_never_zero(self) -> None:
        assert compare_two(np.ones(500), np.zeros(500), flips=99).p_value == 1 / 100

    @pytest.mark.parametrize("shift", [0.0, 0.1, 0.3])
    def test_agrees_with_scipy(self, shift: float) -> None:
        first, second = rng(1).random(12) + shift, rng(2).random(12)

        def total(values: FloatArray, axis: int = -1) -> FloatArray:
            sums: FloatArray = values.sum(axis=axis)
            return sums

        exact = stats.permutation_test((first - second,), total, permutation_type="samples", n_resamples=2**12)
        p_value = float(exact.pvalue)
        assert compare_two(first, second).p_value == pytest.approx(p_value, abs=monte_carlo(p_value))

    @pytest.mark.parametrize(("metric", "power"), [("rmse", 0.5), ("mae", 1.0)])
    def test_errors_agree_with_swapping_the_models_of_each_user(self, metric: str, power: float) -> None:
        first, second = random_errors(1, 10), random_errors(2, 10, scale=1.4)
        name = {"rmse": "squared", "mae": "absolute"}[metric]
        pair = np.stack([getattr(first, name), getattr(second, name)])
        ratings = first.count.sum()

        def difference(swaps: tuple[int, ...]) -> float:
            rows = np.array(swaps)
            one, other = pair[rows, np.arange(10)].sum(), pair[1 - rows, np.arange(10)].sum()
            return float((one / ratings) ** power - (other / ratings) ** power)

        observed = difference((0,) * 10)
        every = [abs(difference(swaps)) for swaps in itertools.product((0, 1), repeat=10)]
        exact = np.mean(np.array(every) >= abs(observed) - 1e-12)
        found = compare(["a", "b"], pair_errors({"a": first, "b": second}), rng(3), samples=100)
        (ours,) = (one for one in found if one.metric == metric)
        assert ours.difference.estimate == pytest.approx(observed)
        assert ours.p_value == pytest.approx(exact, abs=monte_carlo(float(exact)))

    def test_false_positives_are_as_frequent_as_they_may_be(self) -> None:
        # 600 pairs of alike models with a skewed metric; the standard error of the share below .05 is .0089.
        generator = rng(4)
        data = np.where(generator.random((600, 2, 80)) < 0.5, 0.0, generator.beta(1, 2, (600, 2, 80)))
        metrics = {str(trial): pair_means({"a": first, "b": second}) for trial, (first, second) in enumerate(data)}
        found = compare(["a", "b"], metrics, generator, samples=100, flips=2000)
        share = np.mean([one.p_value < 0.05 for one in found])
        assert share == pytest.approx(0.05, abs=4 * 0.0089)
        assert not any(one.is_real for one in found)  # Holm: any of 600 with a chance of .05 at most

    @pytest.mark.parametrize("elements", [1, 10_000])
    def test_the_block_size_changes_nothing(self, elements: int, monkeypatch: pytest.MonkeyPatch) -> None:
        first, second = rng(1).random(45), rng(2).random(45)
        expected = compare_two(first, second)
        monkeypatch.setattr(comparison, "_BLOCK_ELEMENTS", elements)
        assert compare_two(first, second) == expected


class TestInterval:
    def test_is_that_of_the_differences_with_the_same_resamples(self) -> None:
        values = {name: rng(seed).random(60) for seed, name in enumerate(("als", "svd", "bias"))}
        for vector in values.values():
            vector[:7] = np.nan
        pairs = list(itertools.combinations(values, 2))
        expected = bootstrap_means(
            {pair: values[pair[0]] - values[pair[1]] for pair in pairs},
            UserBootstrap(len(values[pairs[0][0]]), rng(5), 300),
        )
        found = compare(list(values), {"ndcg@10": pair_means(values)}, rng(5), samples=300)
        assert [(one.first, one.second) for one in found] == pairs
        for one, pair in zip(found, pairs, strict=True):
            assert one.difference.n == 53
            ours = (one.difference.estimate, one.difference.low, one.difference.high)
            wanted = (expected[pair].estimate, expected[pair].low, expected[pair].high)
            assert ours == pytest.approx(wanted, rel=1e-9, abs=1e-12)

    def test_of_errors_by_hand(self) -> None:
        # Two users with 1 and 3 ratings. Resamples hold the first twice, both, or the second twice; RMSEs are 1,
        # sqrt(13 / 4), 2 for one model and 1, 1, 1 for the other, each end with probability 1/4.
        count = np.array([1, 3])
        wide = UserErrors(count, np.array([1.0, 12.0]), np.array([1.0, 6.0]))
        flat = UserErrors(count, np.array([1.0, 3.0]), np.array([1.0, 3.0]))
        rmse, mae = compare(["wide", "flat"], pair_errors({"wide": wide, "flat": flat}), rng())
        assert (rmse.metric, rmse.difference.n) == ("rmse", 2)
        ends = (rmse.difference.estimate, rmse.difference.low, rmse.difference.high)
        assert ends == pytest.approx((math.sqrt(13 / 4) - 1, 0, 1))
        assert (mae.difference.estimate, mae.difference.low, mae.difference.high) == pytest.approx((7 / 4 - 1, 0, 1))

    def test_covers_as_often_as_it_says(self) -> None:
        # 1,000 experiments at once; the true difference is .6 * 1 / 3 - .5 * 1 / 3, paired through the zeros.
        generator = rng(6)
        zeros = generator.random((1000, 1, 150)) >= [[[0.6], [0.5]]]
        data = np.where(zeros, 0.0, generator.beta(1, 2, (1000, 2, 150)))
        metrics = {str(trial): pair_means({"a": first, "b": second}) for trial, (first, second) in enumerate(data)}
        found = compare(["a", "b"], metrics, generator, flips=10)
        covered = np.mean([one.difference.low <= 0.1 / 3 <= one.difference.high for one in found])
        assert covered == pytest.approx(0.95, abs=4 * 0.0069)


class TestTable:
    def test_holm_is_over_all_metrics_and_pairs(self) -> None:
        models = ["a", "b", "c"]
        values = {name: rng(seed).random(25) + 0.1 * seed for seed, name in enumerate(models)}
        errors = {name: random_errors(seed, 25, 1 + 0.3 * seed) for seed, name in enumerate(models)}
        found = compare(models, {**pair_errors(errors), "ndcg@10": pair_means(values)}, rng(1), samples=100)
        assert [(one.metric, one.first, one.second) for one in found] == [
            (metric, *pair) for metric in ("rmse", "mae", "ndcg@10") for pair in itertools.combinations(models, 2)
        ]
        # Holm's step-down by hand: the i-th smallest p times the number of hypotheses not yet rejected, never falling.
        p_values = np.array([one.p_value for one in found])
        adjusted, least = np.empty(9), 0.0
        for step, row in enumerate(np.argsort(p_values, kind="stable")):
            least = max(least, min(1.0, (9 - step) * p_values[row]))
            adjusted[row] = least
        assert [one.p_adjusted for one in found] == pytest.approx(adjusted)
        np.testing.assert_allclose(adjusted, multipletests(p_values, method="holm")[1])
        assert {one.is_real for one in found} == {True, False}
        assert all(one.is_real == (one.p_adjusted < 0.05) for one in found)

    def test_exchanging_two_models_only_turns_the_sign(self) -> None:
        first, second = rng(1).random(40), rng(2).random(40)
        one, other = compare_two(first, second), compare_two(second, first)
        assert other.p_value == one.p_value
        assert other.difference.estimate == pytest.approx(-one.difference.estimate)
        assert (other.difference.low, other.difference.high) == pytest.approx(
            (-one.difference.high, -one.difference.low)
        )

    def test_a_metric_without_users_is_left_out(self) -> None:
        nobody = {"ndcg@10": pair_means({"a": np.full(4, np.nan), "b": np.full(4, np.nan)})}
        assert compare(["a", "b"], nobody, rng()) == []
        some = {**nobody, "mrr": pair_means({"a": np.arange(4.0), "b": np.zeros(4)})}
        assert [one.metric for one in compare(["a", "b"], some, rng())] == ["mrr"]

    def test_one_model_has_nobody_to_be_compared_with(self) -> None:
        assert compare(["a"], {"mrr": pair_means({"a": np.ones(4)})}, rng()) == []

    def test_a_user_missing_for_one_model_is_left_out_for_all(self) -> None:
        values = {"a": np.array([1.0, np.nan, 0.5, 0.0]), "b": np.array([0.0, 9.0, 0.0, 0.0])}
        (found,) = compare(["a", "b"], {"mrr": pair_means(values)}, rng())
        assert found.difference.n == 3
        assert found.difference.estimate == pytest.approx(0.5)

    def test_models_must_share_their_ratings(self) -> None:
        one, other = (UserErrors(np.array([count]), np.ones(1), np.ones(1)) for count in (1, 2))
        with pytest.raises(ValueError, match="must be compared on the same ratings"):
            pair_errors({"a": one, "b": other})

    @given(
        hnp.arrays(np.float64, st.tuples(st.integers(1, 30), st.just(2)), elements=st.floats(0, 1)), st.integers(0, 9)
    )
    @settings(max_examples=20)
    def test_bounds(self, values: FloatArray, seed: int) -> None:
        first, second = values.T
        found = compare_two(first, second, seed, flips=50)
        assert 0 < found.p_value <= found.p_adjusted <= 1
        gaps = first - second
        assert gaps.min() - 1e-9 <= found.difference.low <= found.difference.high <= gaps.max() + 1e-9
