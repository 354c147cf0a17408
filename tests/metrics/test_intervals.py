"""Intervals of means and of errors, against hand computation, SciPy and their own promise."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from movierec.metrics.intervals import Interval, bootstrap_mean
from movierec.metrics.rating import UserErrors
from tests.metrics.resampling import FloatArray, quantile_tolerance, random_errors, resample_errors, resample_means, rng


class TestMeans:
    def test_by_hand(self) -> None:
        # Two draws from {0, 1} have the mean 0, 1/2 or 1 with probability 1/4, 1/2, 1/4: both ends are over 2.5 %.
        assert bootstrap_mean(np.array([0.0, 1.0]), rng()) == Interval(0.5, 0.0, 1.0, 2)

    def test_agrees_with_scipy(self) -> None:
        values, samples = rng(1).exponential(size=300), 10_000
        ours = bootstrap_mean(values, rng(2), samples)
        theirs = stats.bootstrap((values,), np.mean, n_resamples=samples, method="percentile", rng=rng(3), batch=500)
        tolerance = quantile_tolerance(values, samples)
        assert ours.estimate == pytest.approx(values.mean(), abs=1e-15)
        assert ours.low == pytest.approx(theirs.confidence_interval.low, abs=tolerance)
        assert ours.high == pytest.approx(theirs.confidence_interval.high, abs=tolerance)

    def test_bca_hardly_differs_on_a_metric_with_many_zeros(self) -> None:
        # The shape of NDCG@10: most users 0, the others anywhere up to 1.
        values = np.where(rng(4).random(900) < 0.7, 0.0, rng(5).beta(1, 2, 900))
        ours = bootstrap_mean(values, rng(6), 5000)
        bca = stats.bootstrap((values,), np.mean, n_resamples=5000, method="BCa", rng=rng(7), batch=100)
        width = ours.high - ours.low
        assert ours.low == pytest.approx(bca.confidence_interval.low, abs=0.1 * width)
        assert ours.high == pytest.approx(bca.confidence_interval.high, abs=0.1 * width)

    def test_users_with_nan_are_left_out(self) -> None:
        values, samples = rng(1).exponential(size=300), 10_000
        mixed = rng(2).permutation(np.append(values, np.full(200, np.nan)))
        whole, part = bootstrap_mean(values, rng(3), samples), bootstrap_mean(mixed, rng(4), samples)
        tolerance = quantile_tolerance(values, samples)
        assert part.n == whole.n == 300
        assert part.estimate == pytest.approx(whole.estimate, abs=1e-15)
        assert part.low == pytest.approx(whole.low, abs=tolerance)
        assert part.high == pytest.approx(whole.high, abs=tolerance)

    def test_resamples_without_any_valid_user_are_not_used(self) -> None:
        # One valid user of 50 is in a resample with probability 1 - (49/50)^50 = 64 %.
        values = np.where(np.arange(50) == 7, 0.25, np.nan)
        assert bootstrap_mean(values, rng()) == Interval(0.25, 0.25, 0.25, 1)

    @pytest.mark.parametrize("values", [np.full(4, np.nan), np.empty(0)])
    def test_nobody(self, values: FloatArray) -> None:
        found = bootstrap_mean(values, rng())
        assert found.n == 0
        assert np.isnan([found.estimate, found.low, found.high]).all()

    @given(
        hnp.arrays(np.float64, st.integers(1, 40), elements=st.floats(0, 1)), st.integers(0, 99), st.floats(0.5, 0.99)
    )
    @settings(max_examples=50)
    def test_bounds(self, values: FloatArray, seed: int, confidence: float) -> None:
        wide = bootstrap_mean(values, rng(seed), 100, 0.99)
        found = bootstrap_mean(values, rng(seed), 100, confidence)
        assert values.min() - 1e-12 <= wide.low <= found.low <= found.high <= wide.high <= values.max() + 1e-12
        assert found.estimate == pytest.approx(values.mean(), abs=1e-12)

    def test_metrics_do_not_disturb_each_other(self) -> None:
        values = rng(1).random((4, 80))
        values[2, :30] = np.nan
        values[3, 10:] = np.nan
        together = resample_means(dict(zip("abcd", values, strict=True)), rng(2), 200)
        assert list(together) == list("abcd")
        for name, column in zip("abcd", values, strict=True):
            alone = bootstrap_mean(column, rng(2), 200)
            assert together[name].n == alone.n
            np.testing.assert_allclose(
                [together[name].estimate, together[name].low, together[name].high],
                [alone.estimate, alone.low, alone.high],
                rtol=1e-12,
            )

    def test_resamples_are_paired(self) -> None:
        a = rng(1).random(100)
        found = resample_means({"a": a, "shifted": a + 0.25, "difference": (a + 0.25) - a}, rng(2), 300)
        assert found["shifted"].low == pytest.approx(found["a"].low + 0.25, abs=1e-12)
        assert found["shifted"].high == pytest.approx(found["a"].high + 0.25, abs=1e-12)
        assert found["difference"].low == pytest.approx(found["difference"].high, abs=1e-12)

    def test_covers_as_often_as_it_says(self) -> None:
        # 2,000 data sets at once, a skewed and zero-inflated metric; the standard error of the coverage is .0049.
        generator = rng(8)
        truth = 0.4 * 1 / 3
        data = np.where(generator.random((2000, 200)) < 0.4, generator.beta(1, 2, (2000, 200)), 0.0)
        data[:, :20] = np.nan
        found = resample_means({str(trial): row for trial, row in enumerate(data)}, generator)
        covered = np.mean([interval.low <= truth <= interval.high for interval in found.values()])
        assert covered == pytest.approx(0.95, abs=4 * 0.0049)

    def test_refuses_what_has_no_mean(self) -> None:
        with pytest.raises(ValueError, match="values must be finite, or NaN"):
            bootstrap_mean(np.array([1.0, np.inf]), rng())
        with pytest.raises(ValueError, match="all over the same users"):
            resample_means({"a": np.ones(3), "b": np.ones(2)}, rng())
        with pytest.raises(ValueError, match="give at least one vector"):
            resample_means({}, rng())
        with pytest.raises(ValueError, match="cannot draw 0 samples"):
            bootstrap_mean(np.ones(3), rng(), samples=0)

    @pytest.mark.parametrize("confidence", [0, 1, 95, -0.1])
    def test_refuses_an_impossible_confidence(self, confidence: float) -> None:
        with pytest.raises(ValueError, match="must be between 0 and 1"):
            bootstrap_mean(np.ones(3), rng(), confidence=confidence)


class TestErrors:
    def test_by_hand(self) -> None:
        # Two users: 1 rating off by 1, and 3 ratings off by 2. Resamples hold the first twice (RMSE and MAE 1), both
        # (RMSE sqrt(13 / 4), MAE 7 / 4) or the second twice (2), each end with probability 1/4.
        errors = UserErrors(np.array([1, 3, 0]), np.array([1.0, 12.0, 0.0]), np.array([1.0, 6.0, 0.0]))
        found = resample_errors({"svd": errors}, rng())["svd"]
        assert found["rmse"] == Interval(math.sqrt(13 / 4), 1.0, 2.0, 2)
        assert found["mae"] == Interval(7 / 4, 1.0, 2.0, 2)

    @pytest.mark.parametrize("name", ["rmse", "mae"])
    def test_agrees_with_scipy(self, name: str) -> None:
        errors, samples = random_errors(1, 250), 5000
        used = errors.count > 0
        numerator = errors.squared if name == "rmse" else errors.absolute
        power = 0.5 if name == "rmse" else 1.0

        def rate(sums: FloatArray, counts: FloatArray, axis: int = -1) -> FloatArray:
            rates: FloatArray = (sums.sum(axis=axis) / counts.sum(axis=axis)) ** power
            return rates

        ours = resample_errors({"model": errors}, rng(2), samples)["model"][name]
        theirs = stats.bootstrap(
            (numerator[used], errors.count[used].astype(float)),
            rate,
            paired=True,
            n_resamples=samples,
            method="percentile",
            rng=rng(3),
            batch=500,
        )
        spread = float(theirs.standard_error)
        tolerance = quantile_tolerance(np.array([-spread, spread]), samples) * math.sqrt(
            2
        )  # sd of one draw is `spread`
        assert ours.n == np.count_nonzero(used)
        assert ours.estimate == pytest.approx((numerator.sum() / errors.count.sum()) ** power)
        assert ours.low == pytest.approx(theirs.confidence_interval.low, abs=tolerance)
        assert ours.high == pytest.approx(theirs.confidence_interval.high, abs=tolerance)

    def test_covers_where_resampling_ratings_would_not(self) -> None:
        # Users differ in their spread of errors, so ratings of one user are correlated. With spread^2 = gamma(1),
        # independent of the number of ratings, the true RMSE is 1.
        generator = rng(9)
        trials, users, ratings = 400, 300, 40
        errors = generator.normal(0, np.sqrt(generator.gamma(1, 1, (trials, users)))[:, :, np.newaxis], (400, 300, 40))
        squared = np.square(errors)
        sums = {
            str(trial): UserErrors(np.full(users, ratings), squared[trial].sum(axis=1), np.ones(users))
            for trial in range(trials)
        }
        found = [interval["rmse"] for interval in resample_errors(sums, generator, 500).values()]
        covered = np.mean([interval.low <= 1 <= interval.high for interval in found])
        assert covered == pytest.approx(0.95, abs=4 * 0.0109)  # standard error sqrt(.95 * .05 / 400)
        # The same data as if ratings were independent: an interval for the mean square far too narrow.
        flat = squared.reshape(trials, -1)
        half = 1.96 * flat.std(axis=1) / math.sqrt(flat.shape[1])
        assert np.mean(np.abs(flat.mean(axis=1) - 1) <= half) < 0.8

    def test_models_do_not_disturb_each_other(self) -> None:
        first, second = random_errors(1, 60), random_errors(2, 60)
        together = resample_errors({"first": first, "second": second}, rng(), 200)
        for name, errors in (("first", first), ("second", second)):
            alone = resample_errors({"": errors}, rng(), 200)[""]["rmse"]
            assert together[name]["rmse"].low == pytest.approx(alone.low, rel=1e-12)
            assert together[name]["rmse"].high == pytest.approx(alone.high, rel=1e-12)

    def test_nobody(self) -> None:
        errors = UserErrors(np.zeros(3, dtype=int), np.zeros(3), np.zeros(3))
        found = resample_errors({"": errors}, rng())[""]["rmse"]
        assert found.n == 0
        assert np.isnan([found.estimate, found.low, found.high]).all()

    def test_refuses_broken_sums(self) -> None:
        errors = UserErrors(np.array([1]), np.array([np.nan]), np.array([1.0]))
        with pytest.raises(ValueError, match="sums and weights must be finite"):
            resample_errors({"": errors}, rng())[""]["rmse"]


@pytest.mark.parametrize("metric", ["rmse", "mae"])
def test_the_same_seed_gives_the_same_interval(metric: str) -> None:
    errors = {"": random_errors(3, 80)}
    assert resample_errors(errors, rng(1))[""][metric] == resample_errors(errors, rng(1))[""][metric]
    assert resample_errors(errors, rng(1))[""][metric] != resample_errors(errors, rng(2))[""][metric]
