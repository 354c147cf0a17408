"""A real PostgreSQL server, and a process that fills a store from many threads."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import psycopg

from tests.conftest import miss

ROOT = Path(__file__).parents[2]
ADD_RATING = "store.add_rating(StoredRating(user_id, 1, 4.0, 5), key=str(user_id))"
ADD_MOVIE = (
    "store.add_movie(None, lambda own: DescribedMovie(own, f'No {user_id}', None),"
    " author=None, timestamp=5, key=str(user_id))"
)
ALL_AT_ONCE = """
import os, sys
from concurrent.futures import ThreadPoolExecutor
from movierec.data.described_movie import DescribedMovie
from movierec.service.storage import database, store as module
from movierec.service.storage.store import Store, StoredRating, StoreUnavailableError
database.WAIT_S = module.WAIT_S = 30  # a busy machine must not decide
database._POSTGRESQL_OPTIONS = database._POSTGRESQL_OPTIONS.replace("3000", "30s").replace("1500", "30s")
store = Store(sys.argv[1])
def add(user_id):
    try:
        WORK
        os.write(1, b"%-99d\\n" % user_id)  # long lines: a reader that is late holds the writers up
    except StoreUnavailableError as error:
        os.write(2, f"{error}\\n".encode())
with ThreadPoolExecutor(16) as threads:
    list(threads.map(add, range(1, int(sys.argv[2]) + 1)))
"""


class Server:
    """Lives in a temporary folder, is reached by a Unix socket and has fsync on."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.programs, self.folder = programs, folder
        self.url = f"postgresql://postgres@/postgres?host={folder}"
        self._run("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-locale", "--no-sync")
        self.start()

    def start(self) -> None:
        settings = f"-c listen_addresses='' -c unix_socket_directories='{self.folder}'"
        self._run("pg_ctl", "start", "--wait", f"--options={settings}", f"--log={self.folder / 'log'}")

    def crash(self) -> None:
        self._run("pg_ctl", "stop", "--mode=immediate")

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(self.url, autocommit=True)

    def empty(self) -> None:
        with self.connect() as connection:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")

    def _run(self, program: str, *words: str) -> None:
        as_postgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []
        command = [*as_postgres, str(self.programs / program), f"--pgdata={self.folder / 'data'}", *words]
        with (self.folder / "commands").open("ab") as output:  # a pipe would stay open as long as the server runs
            subprocess.run(command, cwd=self.folder, stdout=output, stderr=output, check=True, timeout=60)


def find_programs() -> Path:
    """Return the folder of the newest installed server, or skip; in CI a missing one fails."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    found = installed[-1] if installed else shutil.which("initdb")
    if found:
        return Path(found).parent
    return miss("install PostgreSQL's server (Debian: postgresql)")


@contextmanager
def run_server() -> Iterator[Server]:
    programs = find_programs()
    folder = Path(mkdtemp(prefix="movierec_pg_"))  # pytest's own folders are closed to the user postgres
    try:
        if os.getuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        server = Server(programs, folder)
        try:
            yield server
        finally:
            server.crash()
    finally:
        shutil.rmtree(folder)


def start_adding(url: str, count: int = 1000, work: str = ADD_RATING) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", ALL_AT_ONCE.replace("WORK", work), url, str(count)]
    # Unbuffered: what a buffer reads ahead, `communicate` would not return.
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)


def read_acknowledged(process: subprocess.Popen[bytes], count: int) -> set[int]:
    assert process.stdout
    return {int(process.stdout.readline()) for _ in range(count)}
