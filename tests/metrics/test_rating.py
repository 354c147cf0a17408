import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import mean_absolute_error, root_mean_squared_error

from movierec.metrics.rating import calibration_table, error_sums_by_user, mae, rmse

stars = st.floats(0.5, 5, width=32)
pairs_of_ratings = hnp.arrays(np.float64, st.tuples(st.integers(1, 60), st.just(2)), elements=stars)

# errors (predicted - actual): -1, 2, 0, -0.5; squares: 1, 4, 0, 0.25
ACTUAL = np.array([4.0, 1.0, 3.0, 5.0], dtype=np.float32)
PREDICTED = np.array([3.0, 3.0, 3.0, 4.5])
USER_IDX = np.array([0, 2, 0, 2])


def test_by_hand() -> None:
    assert rmse(ACTUAL, PREDICTED) == pytest.approx((5.25 / 4) ** 0.5, abs=1e-15)
    assert mae(ACTUAL, PREDICTED) == 3.5 / 4


def test_sums_by_user_by_hand() -> None:
    errors = error_sums_by_user(USER_IDX, ACTUAL, PREDICTED, n_users=4)
    assert errors.count.tolist() == [2, 0, 2, 0]
    assert errors.squared.tolist() == [1 + 0, 0, 4 + 0.25, 0]
    assert errors.absolute.tolist() == [1 + 0, 0, 2 + 0.5, 0]


@given(pairs_of_ratings)
def test_agree_with_scikit_learn(pairs: np.ndarray) -> None:
    actual, predicted = pairs.T
    assert rmse(actual, predicted) == pytest.approx(root_mean_squared_error(actual, predicted), abs=1e-12)
    assert mae(actual, predicted) == pytest.approx(mean_absolute_error(actual, predicted), abs=1e-12)


@given(pairs_of_ratings, st.integers(1, 5))
def test_sums_over_users_give_the_overall_figures(pairs: np.ndarray, n_users: int) -> None:
    actual, predicted = pairs.T
    errors = error_sums_by_user(np.arange(len(actual)) % n_users, actual, predicted, n_users)
    assert errors.count.sum() == len(actual)
    assert (errors.squared.sum() / len(actual)) ** 0.5 == pytest.approx(rmse(actual, predicted), abs=1e-9)
    assert errors.absolute.sum() / len(actual) == pytest.approx(mae(actual, predicted), abs=1e-9)


@given(pairs_of_ratings)
def test_mae_never_exceeds_rmse(pairs: np.ndarray) -> None:
    assert mae(*pairs.T) <= rmse(*pairs.T) + 1e-12


def test_float32_is_summed_in_float64() -> None:
    # A float32 sum of 100,000 equal squares is off in its 7th digit or before.
    actual = np.zeros(100_000, dtype=np.float32)
    assert rmse(actual, actual + np.float32(0.1)) == pytest.approx(float(np.float32(0.1)), rel=1e-12)


@pytest.mark.parametrize(
    ("actual", "predicted", "message"),
    [
        ([], [], "no ratings to compare"),
        ([1.0], [1.0, 2.0], r"actual has shape \(1,\), predicted \(2,\)"),
        ([[1.0]], [[1.0]], r"both must be \(n,\)"),
        ([1.0], [np.nan], "ratings must be finite"),
        ([np.inf], [1.0], "ratings must be finite"),
        ([np.inf], [np.inf], "ratings must be finite"),
    ],
)
def test_refuses_what_has_no_error(actual: list[float], predicted: list[float], message: str) -> None:
    for metric in (rmse, mae):
        with pytest.raises(ValueError, match=message):
            metric(actual, predicted)


@pytest.mark.parametrize(
    ("user_idx", "message"),
    [
        ([0, 1], r"user_idx has shape \(2,\), the ratings \(4,\)"),
        ([0, 1, 2, 4], r"user_idx must be in \[0, 4\)"),
        ([0, 1, 2, -1], r"user_idx must be in \[0, 4\)"),
    ],
)
def test_refuses_users_that_do_not_fit(user_idx: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        error_sums_by_user(np.array(user_idx), ACTUAL, PREDICTED, n_users=4)


def test_calibration_by_hand() -> None:
    # bins [1, 2), [2, 3), [3, 4), [4, 5]: 3.0 belongs to the third, 5.0 to the last
    table = calibration_table([2, 4, 5, 3], [1.5, 3.0, 5.0, 3.5], bins=[1, 2, 3, 4, 5])
    assert table.lower.tolist() == [1, 2, 3, 4]
    assert table.upper.tolist() == [2, 3, 4, 5]
    assert table.count.tolist() == [1, 0, 2, 1]
    np.testing.assert_array_equal(table.mean_predicted, [1.5, np.nan, 3.25, 5.0])
    np.testing.assert_array_equal(table.mean_actual, [2.0, np.nan, 3.5, 5.0])


@given(pairs_of_ratings, st.integers(1, 12))
def test_calibration_bins_hold_every_rating_once(pairs: np.ndarray, bins: int) -> None:
    actual, predicted = pairs.T
    table = calibration_table(actual, predicted, bins)
    filled = table.count > 0
    assert len(table.count) == bins
    assert table.count.sum() == len(actual)
    np.testing.assert_array_equal(table.count, np.histogram(predicted, np.append(table.lower, table.upper[-1]))[0])
    assert table.count[filled] @ table.mean_actual[filled] == pytest.approx(actual.sum(), abs=1e-9)
    assert table.count[filled] @ table.mean_predicted[filled] == pytest.approx(predicted.sum(), abs=1e-9)
    assert np.all(table.mean_predicted[filled] >= table.lower[filled] - 1e-9)
    assert np.all(table.mean_predicted[filled] <= table.upper[filled] + 1e-9)


@pytest.mark.parametrize("edges", [[1, 2, 2, 5], [3.1, 5], [1, 4.4]])
def test_calibration_refuses_edges_that_lose_predictions(edges: list[float]) -> None:
    with pytest.raises(ValueError, match=r"edges must rise and enclose the predictions, 3 to 4\.5"):
        calibration_table(ACTUAL, PREDICTED, edges)


def test_calibration_refuses_what_has_no_error() -> None:
    with pytest.raises(ValueError, match="no ratings to compare"):
        calibration_table([], [], bins=2)
