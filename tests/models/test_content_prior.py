import numpy as np
import pytest

from movierec.models.content_prior import ContentPrior, mix_movies

CONTENT = np.array([[1, 0], [1, 0], [-2, 0]], dtype=np.float32)
ROWS = np.array([[2.0, 5.0], [4.0, 5.0], [0.0, 5.0]])


def test_a_row_is_a_ridge_regression_on_content() -> None:
    prior = ContentPrior(CONTENT, ROWS, penalty=6.0)
    # means 0 and (2, 5); gram 6, products 1 * 0 + 1 * 2 - 2 * -2 = 6, so the slope is 6 / (6 + 6) = 0.5
    assert prior.expect(np.array([2, 9], dtype=np.float32)) == pytest.approx([3.0, 5.0])
    assert prior.residuals[:, 0] == pytest.approx([-0.5, 1.5, -1.0])


def test_a_mix_gives_what_the_regression_of_any_scores_gives() -> None:
    rng = np.random.default_rng(0)
    content, scores = rng.standard_normal((20, 4)).astype(np.float32), rng.standard_normal(20)
    described = rng.standard_normal(4).astype(np.float32)
    weights = np.linalg.solve(content.T @ content + 3 * np.eye(4), content.T @ scores)
    assert mix_movies(content, described, 3.0) @ scores == pytest.approx(described @ weights, abs=1e-6)
