import resource
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from filelock import FileLock
from sqlalchemy import event

from movierec.errors import MovierecError
from movierec.service.storage import database
from movierec.service.storage.store import Event, Store, StoredRating, StoreUnavailableError
from tests.service.databases import Server, read_acknowledged, start_adding

RATING = StoredRating(7, 10, 4.5, 1_000)
NEXT = StoredRating(7, 11, 3.0, 1_001)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ratings 100%#20.db"


@pytest.fixture
def file_store(path: Path, opened: Callable[[str], Store]) -> Store:
    return opened(f"sqlite:///{path}")


class TestSqlite:
    def test_a_commit_is_on_the_disk(self, file_store: Store, path: Path) -> None:
        file_store.check()
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        with file_store._engine.connect() as own:
            assert own.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL

    @pytest.mark.usefixtures("hasty")
    def test_a_locked_database_fails_writes_until_it_is_free(self, file_store: Store, path: Path) -> None:
        file_store.add_rating(RATING)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailableError, match="database is locked"):
                file_store.add_rating(NEXT, "key")
            assert file_store.ratings_of(7) == {10: 4.5}
            file_store.check()
        assert file_store.add_rating(NEXT, "key").new

    @pytest.mark.usefixtures("hasty")
    def test_a_writer_does_not_wait_forever_for_another(self, file_store: Store) -> None:
        assert file_store._one_writer
        with file_store._one_writer, pytest.raises(StoreUnavailableError, match="busy: try again"):
            file_store.add_events([Event(1, 1, "click", "x", "a", 5)])
        assert file_store.add_rating(RATING).new

    @pytest.mark.usefixtures("hasty")
    def test_another_creator_is_not_waited_for_forever(self, file_store: Store, path: Path) -> None:
        with FileLock(f"{path}.lock"), pytest.raises(StoreUnavailableError, match="lock"):
            file_store.check()
        file_store.check()

    def test_a_full_database_fails_until_there_is_room(self, file_store: Store) -> None:
        file_store.check()
        file_store.close()
        limit = [1]

        def limit_pages(connection: sqlite3.Connection, _: object) -> None:
            connection.execute(f"PRAGMA max_page_count={limit[0]}")

        event.listen(file_store._engine, "connect", limit_pages)
        with pytest.raises(StoreUnavailableError, match="database or disk is full"):
            file_store.add_events([Event(1, 1, "click", "x" * 10_000, "a", 5)])
        limit[0] = 10_000
        assert file_store.add_events([Event(1, 1, "click", "x" * 10_000, "a", 5)]) == 1

    def test_a_disk_that_takes_no_more_loses_nothing_acknowledged(self, file_store: Store, path: Path) -> None:
        file_store.add_rating(RATING, "key")
        size = path.with_name(f"{path.name}-wal").stat().st_size
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, hard))
        try:
            with pytest.raises(StoreUnavailableError, match="disk"):
                file_store.add_rating(NEXT)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert not file_store.add_rating(RATING, "key").new
        assert file_store.add_rating(NEXT).new
        assert file_store.ratings_of(7) == {10: 4.5, 11: 3.0}

    def test_a_read_only_database_is_read_on(self, file_store: Store) -> None:
        file_store.add_rating(RATING)
        file_store.close()

        def forbid_writing(connection: sqlite3.Connection, _: object) -> None:
            connection.execute("PRAGMA query_only=ON")

        event.listen(file_store._engine, "connect", forbid_writing)
        with pytest.raises(StoreUnavailableError, match="readonly"):
            file_store.add_rating(NEXT)
        assert file_store.ratings_of(7) == {10: 4.5}
        event.remove(file_store._engine, "connect", forbid_writing)
        file_store.close()
        assert file_store.add_rating(NEXT).new

    def test_a_file_that_is_no_database_is_left_alone(self, file_store: Store, path: Path) -> None:
        path.write_bytes(b"important notes\n" * 1000)
        with pytest.raises(StoreUnavailableError, match="file is not a database"):
            file_store.add_rating(RATING)
        assert path.read_bytes() == b"important notes\n" * 1000
        path.unlink()
        assert file_store.add_rating(RATING).new

    def test_a_damaged_file_is_told_and_may_be_replaced(self, file_store: Store, path: Path) -> None:
        for movie_id in range(1, 300):
            file_store.add_rating(StoredRating(7, movie_id, 4.0, 5))
        file_store.close()
        good = path.read_bytes()
        path.write_bytes(good[:100] + b"\xff" * (len(good) - 100))
        with pytest.raises(StoreUnavailableError, match="malformed|not a database"):
            file_store.ratings_of(7)
        path.write_bytes(good)
        assert len(file_store.ratings_of(7)) == 299

    def test_a_deleted_file_is_missed(self, file_store: Store, path: Path) -> None:
        file_store.add_rating(RATING)
        path.rename(path.with_name("backup"))
        for use in (file_store.check, lambda: file_store.add_rating(NEXT), lambda: list(file_store.all_ratings())):
            with pytest.raises(StoreUnavailableError, match="unable to open database file"):
                use()
        assert not path.exists()
        path.with_name("backup").rename(path)
        assert file_store.ratings_of(7) == {10: 4.5}

    def test_a_folder_that_cannot_be_made_is_told(self, tmp_path: Path, opened: Callable[[str], Store]) -> None:
        (tmp_path / "file").touch()
        store = opened(f"sqlite:///{tmp_path}/file/ratings.db")
        with pytest.raises(StoreUnavailableError, match="cannot be used"):
            store.check()
        (tmp_path / "file").unlink()
        store.check()


class TestPostgresql:
    def test_a_crash_of_the_server_loses_nothing_acknowledged(
        self, server: Server, opened: Callable[[str], Store]
    ) -> None:
        store = opened(server.url)
        store.check()
        process = start_adding(server.url)
        acknowledged = read_acknowledged(process, 150)
        server.crash()
        try:
            rest, errors = process.communicate(timeout=60)
            with pytest.raises(StoreUnavailableError, match="cannot be used"):
                store.check()
        finally:
            server.start()
        acknowledged |= set(map(int, rest.split()))
        assert b"cannot be used" in errors
        assert b"Traceback" not in errors
        assert len(acknowledged) + len(errors.splitlines()) == 1000
        assert acknowledged <= {rating.user_id for rating in store.all_ratings()}
        assert store.add_rating(RATING).new

    def test_a_server_that_is_down_at_first_is_found_later(
        self, server: Server, opened: Callable[[str], Store]
    ) -> None:
        server.crash()
        try:
            store = opened(server.url)
            with pytest.raises(StoreUnavailableError, match="without a restart"):
                store.add_rating(RATING)
        finally:
            server.start()
        assert store.add_rating(RATING).new

    @pytest.mark.usefixtures("hasty")
    def test_a_locked_table_fails_writes_until_it_is_free(self, server: Server, opened: Callable[[str], Store]) -> None:
        store = opened(server.url)
        store.add_rating(RATING)
        with server.connect() as other, other.transaction():
            other.execute("LOCK TABLE ratings IN EXCLUSIVE MODE")
            with pytest.raises(StoreUnavailableError, match="lock timeout"):
                store.add_rating(NEXT, "key")
            assert store.ratings_of(7) == {10: 4.5}
        assert store.add_rating(NEXT, "key").new

    def test_text_that_it_cannot_hold_is_refused(self, server: Server, opened: Callable[[str], Store]) -> None:
        store = opened(server.url)
        with pytest.raises(MovierecError, match="refuses a value") as refusal:
            store.add_events([Event(1, 1, "click", "x\0y", "a", 5)])
        assert not isinstance(refusal.value, StoreUnavailableError)
        assert store.add_rating(RATING, "zero \0 in a key").new


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ratings.db",
        "sqlite:///:memory:",
        "sqlite:///a?mode=ro",
        "mysql://root:secret@host/x",
        "postgresql",
    ],
)
def test_other_urls_are_refused_without_telling_them(url: str) -> None:
    with pytest.raises(MovierecError, match="give sqlite:///FILE") as refusal:
        Store(url)
    assert "secret" not in str(refusal.value)


def test_the_default_is_a_file_in_the_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.delenv("MOVIEREC_DATABASE_URL", raising=False)
    assert database.default_url() == f"sqlite:///{tmp_path.resolve()}/.movierec/service.db"
    monkeypatch.setenv("MOVIEREC_DATABASE_URL", "postgresql://host/name")
    assert database.default_url() == "postgresql://host/name"
