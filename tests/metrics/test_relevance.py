"""Who is judged, and on what: cold users, movies outside the catalogue, nothing relevant."""

import pandas as pd

from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.metrics.relevance import Relevance


def as_ratings(*rows: tuple[int, int, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=[USER_ID, MOVIE_ID, RATING])


TRAIN = as_ratings((1, 10, 5.0), (2, 30, 1.0), (3, 20, 3.0), (4, 10, 2.0))
JUDGED = as_ratings(
    (1, 20, 4.0),
    (1, 30, 3.5),
    (2, 10, 4.5),
    (2, 99, 5.0),  # a movie outside the catalogue
    (3, 10, 3.0),  # nothing relevant
    (9, 10, 5.0),  # a cold user
)


def test_matrix_and_counts() -> None:
    relevance = Relevance(TRAIN, JUDGED, 4.0)
    assert relevance.users.ids.tolist() == [1, 2, 3, 9]
    assert relevance.catalogue.ids.tolist() == [10, 20, 30]
    assert relevance.known.tolist() == [True, True, True, False]
    assert relevance.matrix.toarray().astype(int).tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert relevance.counts.tolist() == [1, 2, 0, 0]


def test_threshold_is_included() -> None:
    assert Relevance(TRAIN, JUDGED, 3.5).counts.tolist() == [2, 2, 0, 0]
    assert Relevance(TRAIN, JUDGED, 3.6).counts.tolist() == [1, 2, 0, 0]


def test_order_of_rows_does_not_matter() -> None:
    one, other = Relevance(TRAIN, JUDGED, 4.0), Relevance(TRAIN[::-1], JUDGED[::-1], 4.0)
    assert one.matrix.toarray().tolist() == other.matrix.toarray().tolist()
    assert one.counts.tolist() == other.counts.tolist()
