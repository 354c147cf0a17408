import pytest

from movierec.errors import MovierecError
from movierec.ids import OwnId
from movierec.service.storage.records import LATEST, Event, StoredRating


@pytest.mark.parametrize("values", [(-1, 1, 4.0, 5), (1, 2**31, 4.0, 5), (1, 1, 4.0, -1), (1, 1, 4.0, LATEST + 1)])
def test_a_rating_out_of_range_is_refused(values: tuple[int, int, float, int]) -> None:
    with pytest.raises(MovierecError, match="must be between"):
        StoredRating(*values)


@pytest.mark.parametrize("own", ["", "x" * 201])
def test_an_id_that_is_too_short_or_long_is_refused(own: OwnId) -> None:
    with pytest.raises(MovierecError, match=r"_id has \d+ characters: give 1 to 200"):
        StoredRating(own, 1, 4.0, 5)
    with pytest.raises(MovierecError, match=r"_id has \d+ characters: give 1 to 200"):
        Event(1, own, "click", "x", "a", 5)


@pytest.mark.parametrize("stars", [float("nan"), float("inf")])
def test_a_rating_that_is_no_number_is_refused(stars: float) -> None:
    with pytest.raises(MovierecError, match="must be a finite number"):
        StoredRating(1, 1, stars, 5)


@pytest.mark.parametrize("values", [(-1, 1, 5), (1, -1, 5), (1, 1, LATEST + 1)])
def test_an_event_out_of_range_is_refused(values: tuple[int, int, int]) -> None:
    user_id, movie_id, timestamp = values
    with pytest.raises(MovierecError, match="must be between"):
        Event(user_id, movie_id, "click", "x", "a", timestamp)
