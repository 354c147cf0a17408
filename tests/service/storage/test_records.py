import pytest

from movierec.errors import MovierecError
from movierec.service.storage.records import Event, StoredRating


@pytest.mark.parametrize(
    "values",
    [(0, 1, 4.0, 5), (1, 2**31, 4.0, 5), (1, 1, 0.4, 5), (1, 1, 5.5, 5), (1, 1, float("nan"), 5), (1, 1, 4.0, -1)],
)
def test_a_rating_out_of_range_is_refused(values: tuple[int, int, float, int]) -> None:
    with pytest.raises(MovierecError, match="must be between"):
        StoredRating(*values)


@pytest.mark.parametrize("values", [(0, 1, 5), (1, -1, 5), (1, 1, 2**63)])
def test_an_event_out_of_range_is_refused(values: tuple[int, int, int]) -> None:
    user_id, movie_id, timestamp = values
    with pytest.raises(MovierecError, match="must be between"):
        Event(user_id, movie_id, "click", "x", "a", timestamp)
