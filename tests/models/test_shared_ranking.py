"""Lists from a shared order are those that ranking every score gives."""

import numpy as np
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from movierec.models.chunks import Chunk
from movierec.models.shared_ranking import SharedOrder
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
    excluded = sp.csr_array(seen)
    values = np.array(users), np.array(movies)
    chosen = np.arange(len(users), dtype=np.int32)[::-1]
    scores = (values[0][chosen, None] + values[1]).astype(np.float32)
    (shared,) = SharedOrder(*values).rank_chunk(Chunk(chosen, [excluded]), k)
    ranked = top_k_rows(scores, excluded.indptr, excluded.indices, k)
    np.testing.assert_array_equal(shared.columns, ranked.columns, strict=True)
    np.testing.assert_array_equal(shared.scores, ranked.scores, strict=True)
