"""The compiled loops against the same arithmetic in plain Python."""

import numpy as np

from movierec.models.sgd.exact import Factors, Step, Steps, predict_pairs, run_epoch
from movierec.models.sgd.schedule import Block, interleave

STEPS = Steps(Step(0.1, 0.2), Step(0.3, 0.4), Step(0.5, 0.6), Step(0.7, 0.8))


def make_model() -> Factors:
    return Factors(np.array([0.5, 0.0]), np.array([0.25]), np.array([[1.0, 2.0], [0.0, 1.0]]), np.array([[3.0, -1.0]]))


def rate(user: int, movie: int, stars: float) -> Block:
    return interleave(np.array([user], dtype=np.int32), np.array([movie], dtype=np.int32), np.array([stars]))


def test_one_step_by_hand() -> None:
    model = make_model()
    run_epoch(rate(0, 0, 4.0), 2.0, model, STEPS, True)
    error = 4.0 - (2.0 + 0.5 + 0.25 + (3.0 * 1.0 + -1.0 * 2.0))  # 0.25
    assert model.user_bias[0] == 0.5 + 0.1 * (error - 0.2 * 0.5)
    assert model.movie_bias[0] == 0.25 + 0.3 * (error - 0.4 * 0.25)
    assert model.user_factors[0].tolist() == [1 + 0.5 * (error * 3 - 0.6 * 1), 2 + 0.5 * (error * -1 - 0.6 * 2)]
    assert model.movie_factors[0].tolist() == [3 + 0.7 * (error * 1 - 0.8 * 3), -1 + 0.7 * (error * 2 - 0.8 * -1)]
    assert model.user_factors[1].tolist() == [0, 1]


def test_without_biases_only_factors_learn() -> None:
    model = make_model()
    run_epoch(rate(1, 0, 4.0), 0.0, model, STEPS, False)
    assert model.user_bias.tolist() == [0.5, 0.0]
    assert model.movie_bias.tolist() == [0.25]
    assert model.user_factors[1].tolist() != [0, 1]


def test_four_at_a_time_gives_the_bits_of_one_by_one() -> None:
    rng = np.random.default_rng(0)
    user = np.sort(rng.integers(60, size=1500)).astype(np.int32)
    movie, stars = rng.integers(40, size=1500).astype(np.int32), rng.integers(1, 11, 1500) / 2
    together = Factors(*(rng.normal(0, 0.1, shape) for shape in (60, 40, (60, 9), (40, 9))))
    apart = Factors._make(array.copy() for array in together)
    run_epoch(interleave(user, movie, stars), 3.0, together, STEPS, True)
    for u, i, r in zip(user, movie, stars, strict=True):
        run_epoch(rate(u, i, r), 3.0, apart, STEPS, True)
    for one, other in zip(together, apart, strict=True):
        np.testing.assert_array_equal(one, other)


def test_predictions_leave_out_what_is_unknown() -> None:
    user, movie = np.array([0, 0, -1, -1], dtype=np.int32), np.array([0, -1, 0, -1], dtype=np.int32)
    predicted = predict_pairs(user, movie, 2.0, make_model())
    assert predicted.tolist() == [2 + 0.5 + 0.25 + 1, 2 + 0.5, 2 + 0.25, 2]
