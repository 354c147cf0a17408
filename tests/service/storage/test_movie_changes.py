"""New, changed and deleted movies in both databases: stored once, for good, and with their history."""

import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from movierec.data.described_movie import DescribedMovie
from movierec.ids import LARGEST_ID, OwnId
from movierec.service.storage.movie_changes import FIRST_ASSIGNED_ID
from movierec.service.storage.movie_history import MovieChange
from movierec.service.storage.store import ConflictError, Store, StoredRating, UnknownMovieError
from tests.service.databases import ADD_MOVIE, read_acknowledged, start_adding

HEAT = DescribedMovie(7, "Heat", 1995, ("Crime", "Drama"), ("heist",))
OF_DATA = DescribedMovie(3, "Old", None, ("War",))


def name_it(own: OwnId) -> DescribedMovie:
    return DescribedMovie(own, "New", 2024)


def add(store: Store, movie: DescribedMovie | None = None, **more: Any) -> tuple[MovieChange, bool]:
    return store.add_movie(movie, name_it, **{"author": "ann", "timestamp": 5, **more})


def test_a_movie_is_stored_once_with_who_and_when(store: Store) -> None:
    assert add(store, HEAT) == (MovieChange(HEAT, 1, "add", "ann", 5), True)
    assert add(store, HEAT, timestamp=9, author="bob") == (MovieChange(HEAT, 1, "add", "ann", 5), False)
    with pytest.raises(ConflictError, match="there is a movie 7 already: PATCH changes it"):
        add(store, DescribedMovie(7, "Heat", 1996))
    assert store.movie_history(7) == [MovieChange(HEAT, 1, "add", "ann", 5)]
    assert store.movie_history("nothing") == []


def test_ids_are_assigned_above_all_others(store: Store) -> None:
    assert add(store)[0].movie == DescribedMovie(FIRST_ASSIGNED_ID, "New", 2024)
    assert add(store)[0].movie.movie_id == FIRST_ASSIGNED_ID + 1
    assert add(store, above=FIRST_ASSIGNED_ID + 7)[0].movie.movie_id == FIRST_ASSIGNED_ID + 8
    add(store, DescribedMovie("tt/é", "Text", None))
    assert [each.change.movie.movie_id for each in store.changed_movies()][3:] == ["tt/é"]
    with pytest.raises(ConflictError, match="no id above 2147483646 can be assigned: give a movie_id"):
        add(store, above=LARGEST_ID)


def test_a_key_stands_for_one_request(store: Store) -> None:
    first, new = add(store, key="k", content="a")
    assert new
    assert add(store, key="k", content="a") == (first, False)
    with pytest.raises(ConflictError, match="this idempotency key was used for another request"):
        add(store, key="k", content="b")
    assert len(store.changed_movies()) == 1


def test_changes_and_deletions_are_rows(store: Store) -> None:
    add(store, HEAT)
    changed = DescribedMovie(7, "Heat", 1995, ("Crime",), ("heist",))
    latest = MovieChange(changed, 2, "change", None, 6)
    assert store.change_movie(7, None, {"genres": ("Crime",)}, author=None, timestamp=6) == (latest, True)
    assert store.change_movie(7, None, {"genres": ("Crime",)}, author="x", timestamp=7) == (latest, False)
    gone = store.delete_movie(7, None, author="bob", timestamp=8)
    assert (gone.version, gone.kind, gone.movie) == (3, "delete", changed)
    for late in (
        lambda: store.delete_movie(7, None, author=None, timestamp=9),
        lambda: store.change_movie(7, None, {"year": 1}, author=None, timestamp=9),
        lambda: store.delete_movie(8, None, author=None, timestamp=9),
    ):
        with pytest.raises(UnknownMovieError, match="there is no movie"):
            late()
    assert add(store, HEAT)[0].version == 4
    assert [each.kind for each in store.movie_history(7)] == ["add", "change", "delete", "add"]
    assert [each.change.kind for each in store.changed_movies()] == ["add"]


def test_movies_of_the_data_are_changed_and_deleted_too(store: Store) -> None:
    assert store.change_movie(3, OF_DATA, {"title": "Old"}, author=None, timestamp=5) == (None, False)
    change, _ = store.change_movie(3, OF_DATA, {"title": "Older"}, author=None, timestamp=5)
    assert change == MovieChange(DescribedMovie(3, "Older", None, ("War",)), 1, "change", None, 5)
    assert store.delete_movie(3, OF_DATA, author=None, timestamp=6).movie.title == "Older"


def test_the_newest_rating_of_each_user_comes_with_a_movie(store: Store) -> None:
    empty = store.movies_mark()
    assert (empty, store.changed_movies()) == ((0, 0, 0, 0), [])
    store.add_rating(StoredRating(1, 7, 2.0, 10))
    assert store.movies_mark() == empty
    add(store, HEAT)
    marks = [empty, store.movies_mark()]
    for rating in (StoredRating(1, 7, 4.0, 20), StoredRating("u", 7, 3.0, 15), StoredRating(1, 7, 1.0, 5)):
        store.add_rating(rating)
        marks.append(store.movies_mark())
    assert len(set(marks)) == 5
    store.add_rating(StoredRating(1, 8, 5.0, 5))
    assert store.movies_mark() == marks[-1]
    assert store.changed_movies()[0].ratings == ((1, 4.0), ("u", 3.0))


def test_many_at_once_get_ids_of_their_own_and_one_key_one_movie(
    store: Store, url: str, opened: Callable[[str], Store]
) -> None:
    stores = [store, opened(url)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda i: add(stores[i % 2])[0].movie.movie_id, range(16)))
        equal = list(pool.map(lambda i: add(stores[i % 2], key="one"), range(8)))
    assert sorted(found, key=int) == list(range(FIRST_ASSIGNED_ID, FIRST_ASSIGNED_ID + 16))
    assert sorted(new for _, new in equal) == [False] * 7 + [True]
    assert len({change.movie.movie_id for change, _ in equal}) == 1


def test_whatever_movie_is_acknowledged_outlives_kill_9(url: str, store: Store) -> None:
    process = start_adding(url, 600, ADD_MOVIE)
    acknowledged = read_acknowledged(process, 60)
    process.send_signal(signal.SIGKILL)
    rest, errors = process.communicate(timeout=60)
    acknowledged |= {int(line) for line in rest.splitlines(keepends=True) if line.endswith(b"\n")}
    titles = [each.change.movie.title for each in store.changed_movies()]
    assert errors == b""
    assert {f"No {number}" for number in acknowledged} <= set(titles)
    assert len(titles) == len(set(titles)) < 600
    number = min(acknowledged)
    again, new = store.add_movie(None, name_it, author=None, timestamp=9, key=str(number))
    assert (again.movie.title, new) == (f"No {number}", False)
