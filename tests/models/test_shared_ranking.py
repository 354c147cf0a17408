"""Lists from a shared order are those that ranking every score gives."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from movierec.models.shared_ranking import top_k_shared
from movierec.models.top_k import top_k_rows

VALUES = st.sampled_from([0.0, 1.0, 1.0 + 1e-9, 1.0 - 1e-9, 2.5, 3.0, -1.0])  # float32 tells few of them apart


@given(
    users=st.lists(VALUES, max_size=5),
    movies=st.lists(VALUES, min_size=1, max_size=12),
    k=st.integers(1, 14),
    seed=st.integers(0, 99),
)
def test_lists_are_those_of_all_scores(users: list[float], movies: list[float], k: int, seed: int) -> None:
    seen = np.random.default_rng(seed).random((len(users), len(movies))) < 0.4
    indptr = np.concatenate(([0], np.cumsum(seen.sum(axis=1))))
    excluded = indptr, np.nonzero(seen)[1]
    values = np.array(users), np.array(movies)
    scores = (values[0][:, None] + values[1]).astype(np.float32)
    shared, ranked = top_k_shared(*values, *excluded, k), top_k_rows(scores, *excluded, k)
    np.testing.assert_array_equal(shared.columns, ranked.columns, strict=True)
    np.testing.assert_array_equal(shared.scores, ranked.scores, strict=True)
