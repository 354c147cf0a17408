"""Resamples of users: how many, how often each, and the same ones again."""

import numpy as np
import pytest

from movierec.metrics.bootstrap import UserBootstrap
from tests.metrics.resampling import rng


class TestUserBootstrap:
    def test_every_resample_draws_as_many_users(self) -> None:
        weights = np.concatenate(list(UserBootstrap(50, rng(), samples=30).count_blocks()))
        assert weights.shape == (30, 50)
        assert np.all(weights.sum(axis=1) == 50)
        assert np.all(weights == np.floor(weights))
        assert len(np.unique(weights, axis=0)) == 30

    def test_draws_users_equally_often(self) -> None:
        # 4,000 resamples: a user's mean weight is 1 with standard error sqrt((1 - 1/20) / 4000) = .0154
        weights = np.concatenate(list(UserBootstrap(20, rng(), samples=4000).count_blocks()))
        np.testing.assert_allclose(weights.mean(axis=0), 1, atol=5 * 0.0154)
        # binomial(20, 1/20): variance .95
        assert weights.var() == pytest.approx(0.95, abs=0.05)

    def test_repeats_itself_and_differs_from_the_next(self) -> None:
        generator = rng()
        bootstrap, other = UserBootstrap(40, generator, 10), UserBootstrap(40, generator, 10)
        first, again, different = (np.concatenate(list(b.count_blocks())) for b in (bootstrap, bootstrap, other))
        np.testing.assert_array_equal(first, again)
        assert not np.array_equal(first, different)

    @pytest.mark.parametrize("elements", [1, 130, 10**6])
    def test_the_block_size_changes_nothing(self, elements: int, monkeypatch: pytest.MonkeyPatch) -> None:
        expected = np.concatenate(list(UserBootstrap(40, rng(), 10).count_blocks()))
        monkeypatch.setattr("movierec.metrics.bootstrap._BLOCK_ELEMENTS", elements)
        blocks = list(UserBootstrap(40, rng(), 10).count_blocks())
        np.testing.assert_array_equal(np.concatenate(blocks), expected)
        assert max(block.size for block in blocks) <= max(40, elements)

    def test_keeping_counts_changes_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        kept = UserBootstrap(40, rng(), 10)
        blocks = list(kept.count_blocks())
        assert next(kept.count_blocks()) is blocks[0]
        monkeypatch.setattr("movierec.metrics.bootstrap._KEPT_BYTES", 399)
        drawn = UserBootstrap(40, rng(), 10)
        np.testing.assert_array_equal(np.concatenate(blocks), np.concatenate(list(drawn.count_blocks())))
        assert next(drawn.count_blocks()) is not next(drawn.count_blocks())

    def test_a_part_has_the_resamples_of_the_whole(self) -> None:
        bootstrap, rows = UserBootstrap(40, rng(), 10), np.array([3, 4, 17, 39])
        values = rng(1).random((40, 2))
        only = np.zeros_like(values)
        only[rows] = values[rows]
        part = bootstrap.of(rows)
        assert part.n_users == len(rows)
        np.testing.assert_allclose(part.resample_sums(values[rows]), bootstrap.resample_sums(only), rtol=1e-14)
        with pytest.raises(ValueError, match="must have one for each of 4 users"):
            part.resample_sums(values)

    def test_sums_by_hand(self) -> None:
        bootstrap = UserBootstrap(2, rng(), samples=20)
        sums = bootstrap.resample_sums(np.array([[1.0, 10.0], [3.0, 20.0]]))
        # two draws of two users: both the first, one each, both the second
        assert {tuple(row) for row in sums.tolist()} == {(2, 20), (4, 30), (6, 40)}

    def test_refuses_what_does_not_fit(self) -> None:
        with pytest.raises(ValueError, match="cannot draw 0 samples of 5 users"):
            UserBootstrap(5, rng(), samples=0)
        with pytest.raises(ValueError, match="cannot draw 9 samples of -1 users"):
            UserBootstrap(-1, rng(), samples=9)
        with pytest.raises(ValueError, match="values have 2 rows, must have one for each of 3 users"):
            UserBootstrap(3, rng()).resample_sums(np.ones((2, 1)))
