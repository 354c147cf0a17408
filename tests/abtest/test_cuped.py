"""CUPED: analysis of covariance as oracle, unbiasedness and the variance it saves by simulation."""

import numpy as np
import pytest
import statsmodels.api as sm

from movierec.abtest.cuped import CupedDifference, cuped_test
from movierec.abtest.difference import welch_test
from movierec.errors import MovierecError

RHO = 0.7
TRUTH = 0.3


def _run(rng: np.random.Generator, users: int = 200) -> tuple[CupedDifference, float]:
    covariate = rng.normal(10, 2, size=(2, users))
    noise = rng.normal(0, np.sqrt(1 - RHO**2), size=(2, users))
    outcome = 5 + RHO * (covariate - 10) / 2 + noise  # unit variance, correlation RHO with the covariate
    outcome[1] += TRUTH
    return cuped_test(*outcome, *covariate), welch_test(*outcome).estimate


def test_equals_the_analysis_of_covariance() -> None:
    rng = np.random.default_rng(10)
    covariates = rng.normal(size=30), rng.normal(0.5, size=50)
    control, treatment = (2 * covariate + rng.normal(size=covariate.size) for covariate in covariates)
    found = cuped_test(control, treatment, *covariates)
    arm = np.repeat([0.0, 1.0], [30, 50])
    regressors = sm.add_constant(np.column_stack([arm, np.concatenate(covariates)]))
    _, effect, slope = sm.OLS(np.concatenate([control, treatment]), regressors).fit().params
    assert (found.difference.estimate, found.theta) == pytest.approx((effect, slope))


def test_by_hand() -> None:
    # within the arms: covariate -1 0 1 twice; outcome -1 0 1 and -2 0 2: theta = (1+1 + 2+2) / 4 = 1.5
    # means 2 and 5, covariates' means 2 and 3: difference 3 - 1.5 * (3 - 2) = 1.5
    found = cuped_test([1, 2, 3], [3, 5, 7], [1, 2, 3], [2, 3, 4])
    assert found.theta == pytest.approx(1.5)
    assert found.difference.estimate == pytest.approx(1.5)


def test_is_unbiased_covers_and_saves_the_variance_that_the_correlation_explains() -> None:
    rng = np.random.default_rng(11)
    runs = 2000
    found, plain = zip(*(_run(rng) for _ in range(runs)), strict=True)
    estimates = np.array([adjusted.difference.estimate for adjusted in found])
    assert estimates.mean() == pytest.approx(TRUTH, abs=4 * estimates.std() / np.sqrt(runs))
    # a ratio of two correlated variances: its standard error is at most 1 - rho^2 times sqrt(4 / runs)
    saved = 1 - RHO**2
    assert estimates.var() / np.var(plain) == pytest.approx(saved, abs=4 * saved * np.sqrt(4 / runs))
    assert np.mean([adjusted.variance_saved for adjusted in found]) == pytest.approx(RHO**2, abs=0.01)
    covered = np.mean([adjusted.difference.low <= TRUTH <= adjusted.difference.high for adjusted in found])
    assert covered == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / runs))


def test_a_constant_covariate_changes_nothing() -> None:
    found = cuped_test([1, 2, 4], [2, 5, 6], [7, 7, 7], [7, 7, 7])
    assert found.difference == welch_test([1, 2, 4], [2, 5, 6])
    assert (found.theta, found.variance_saved) == (0, 0)


def test_means_stay_at_the_level_of_the_outcome() -> None:
    found = cuped_test([1.0, 2, 4], [2.0, 5, 7], [1, 2, 3], [1, 2, 3])
    assert (found.difference.control.mean, found.difference.treatment.mean) == pytest.approx((7 / 3, 14 / 3))


def test_a_covariate_that_explains_everything_is_refused() -> None:
    with pytest.raises(MovierecError, match="explains the outcome wholly: nothing is left"):
        cuped_test([1, 2, 3], [2, 3, 4], [1, 2, 3], [1, 2, 3])


def test_what_rounding_leaves_counts_as_nothing() -> None:
    outcomes = np.random.default_rng(3).normal(size=(2, 500))
    for covariates in (outcomes, 7 - 3 * outcomes, outcomes * 1e60, outcomes + 1e-9 * outcomes[::-1]):
        with pytest.raises(MovierecError, match="explains the outcome wholly"):
            cuped_test(*outcomes, *covariates)
    assert cuped_test(*outcomes, *(outcomes + 1e-3 * outcomes[::-1])).variance_saved == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("constant", [0.1, 1e-30, 1e60, 0.0])
def test_a_covariate_that_varies_by_rounding_alone_changes_nothing(constant: float) -> None:
    outcomes = np.random.default_rng(3).normal(size=(2, 999))
    assert cuped_test(*outcomes, *np.full((2, 999), constant)).theta == 0


def test_lengths_must_agree() -> None:
    with pytest.raises(MovierecError, match="arm 'treatment' has 3 outcomes and 2 covariates"):
        cuped_test([1, 2], [2, 3, 5], [1, 2], [1, 2])


def test_covariates_must_be_finite() -> None:
    with pytest.raises(MovierecError, match="arm 'treatment' has covariates that are NaN or infinite"):
        cuped_test([1, 2], [2, 3], [1, 2], [1, np.nan])


def test_a_tiny_covariate_explains_as_much_as_a_large_one() -> None:
    rng = np.random.default_rng(0)
    knowledge = rng.normal(size=(2, 30))
    outcomes = knowledge + rng.normal(size=(2, 30))
    large, tiny = (cuped_test(*outcomes, *(knowledge * scale)).variance_saved for scale in (1.0, 1e-200))
    assert tiny == pytest.approx(large)
    assert cuped_test(*outcomes, *(knowledge * 1e-308)).variance_saved == 0
