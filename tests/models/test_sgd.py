"""The compiled loops against the same arithmetic in plain Python."""

import numpy as np

from movierec.models.sgd import Factors, Step, Steps, predict_pairs, run_epoch

STEPS = Steps(Step(0.1, 0.2), Step(0.3, 0.4), Step(0.5, 0.6), Step(0.7, 0.8))


def make_model() -> Factors:
    return Factors(np.array([0.5, 0.0]), np.array([0.25]), np.array([[1.0, 2.0], [0.0, 1.0]]), np.array([[3.0, -1.0]]))


def test_one_step_by_hand() -> None:
    model = make_model()
    run_epoch(np.array([0], dtype=np.int32), np.array([0], dtype=np.int32), np.array([4.0]), 2.0, model, STEPS, True)
    error = 4.0 - (2.0 + 0.5 + 0.25 + (3.0 * 1.0 + -1.0 * 2.0))  # 0.25
    assert model.user_bias[0] == 0.5 + 0.1 * (error - 0.2 * 0.5)
    assert model.movie_bias[0] == 0.25 + 0.3 * (error - 0.4 * 0.25)
    assert model.user_factors[0].tolist() == [1 + 0.5 * (error * 3 - 0.6 * 1), 2 + 0.5 * (error * -1 - 0.6 * 2)]
    assert model.movie_factors[0].tolist() == [3 + 0.7 * (error * 1 - 0.8 * 3), -1 + 0.7 * (error * 2 - 0.8 * -1)]
    assert model.user_factors[1].tolist() == [0, 1]


def test_without_biases_only_factors_learn() -> None:
    model = make_model()
    run_epoch(np.array([1], dtype=np.int32), np.array([0], dtype=np.int32), np.array([4.0]), 0.0, model, STEPS, False)
    assert model.user_bias.tolist() == [0.5, 0.0]
    assert model.movie_bias.tolist() == [0.25]
    assert model.user_factors[1].tolist() != [0, 1]


def test_predictions_leave_out_what_is_unknown() -> None:
    user, movie = np.array([0, 0, -1, -1], dtype=np.int32), np.array([0, -1, 0, -1], dtype=np.int32)
    predicted = predict_pairs(user, movie, 2.0, make_model())
    assert predicted.tolist() == [2 + 0.5 + 0.25 + 1, 2 + 0.5, 2 + 0.25, 2]
