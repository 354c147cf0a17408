"""A sample of the ratings."""

from collections import Counter

import pandas as pd
import pytest

from tests.data.clean.rows import ENOUGH, pairs_of, run, table_of


@pytest.mark.parametrize("fraction", [0.5, 0.75, 0.501, 0.9999])
def test_a_sample_has_the_size_asked_for(fraction: float) -> None:
    ratings, report = run(ENOUGH, sample_fraction=fraction)
    assert len(ratings) == round(200 * fraction)
    assert report.dropped["not_sampled"] == 200 - len(ratings)
    assert pairs_of(ratings) <= pairs_of(table_of(ENOUGH))


def test_the_seed_decides_the_sample() -> None:
    first, again, other = (run(ENOUGH, seed, sample_fraction=0.6)[0] for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert pairs_of(first) != pairs_of(other)


def test_the_order_of_the_file_does_not_change_the_sample() -> None:
    forth, back = (run(rows, sample_fraction=0.6)[0] for rows in (ENOUGH, ENOUGH[::-1]))
    pd.testing.assert_frame_equal(forth, back)


def test_samples_are_fair() -> None:
    taken = Counter[tuple[int, int]]()
    for seed in range(200):
        taken.update(pairs_of(run(ENOUGH, seed, sample_fraction=0.5)[0]))
    # each rating is in half of 200 samples: mean 100, standard deviation 7.07; 200 ratings, so five of them
    assert all(abs(taken[pair] - 100) < 36 for pair in pairs_of(table_of(ENOUGH)))


def test_sampling_comes_after_the_duplicates_and_before_the_counts() -> None:
    rows = [(user, movie, 3.0, 0) for user in range(1, 31) for movie in range(1, 11)]
    ratings, report = run([*rows, *rows], sample_fraction=0.5, min_user_ratings=5, min_movie_ratings=1)
    assert report.dropped["duplicate"] == 300
    assert report.dropped["not_sampled"] == 150
    assert report.dropped["too_few_ratings"] == 150 - len(ratings) > 0
    assert ratings["user_id"].value_counts().min() >= 5
