import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from movierec.errors import MovierecError, run_command

SCRIPT = """
import signal
from movierec.errors import MovierecError, run_command

def main():
    {body}

run_command(main)
print("went on")
"""


def run(body: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", SCRIPT.format(body=body)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path.cwd(), timeout=60)


def raiser(error: BaseException) -> Callable[[], None]:
    def main() -> None:
        raise error

    return main


def test_success_returns() -> None:
    calls = []
    run_command(lambda: calls.append(1))
    assert calls == [1]


def test_a_users_mistake_is_one_line_and_status_1() -> None:
    ended = run('raise MovierecError("factors is 0:\\n  it should\\t be 1 or more\\r\\n")')
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "error: factors is 0: it should be 1 or more\n"


def test_ctrl_c_is_status_130() -> None:
    ended = run("signal.signal(signal.SIGINT, signal.default_int_handler); signal.raise_signal(signal.SIGINT)")
    assert (ended.returncode, ended.stdout, ended.stderr) == (128 + signal.SIGINT, "", "interrupted\n")


def test_a_defect_keeps_its_traceback() -> None:
    ended = run("{}['lost']")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("Traceback")
    assert ended.stderr.endswith("KeyError: 'lost'\n")


@pytest.mark.parametrize("message", ["a\nb", "a\r\nb", "  a  b\n\n", "a\u2028b", "a\x0bb"])
def test_no_message_is_more_than_one_line(message: str) -> None:
    with pytest.raises(SystemExit, match="^error: a b$"):
        run_command(raiser(MovierecError(message)))


def test_a_full_disk_is_told() -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "models/svd.npz")
    with pytest.raises(
        SystemExit, match="^error: no space left while writing models/svd.npz: free some and run again$"
    ):
        run_command(raiser(full))


@pytest.mark.parametrize("write", [pl.DataFrame.write_csv, lambda _, path: Path(path).write_text("stars")])
def test_a_really_full_disk_is_told(write: Callable[[pl.DataFrame, str], object]) -> None:
    table = pl.DataFrame({"stars": range(10_000)})

    def main() -> None:
        write(table, "/dev/full")

    with pytest.raises(SystemExit, match="^error: no space left while writing a file: free some and run again$"):
        run_command(main)


@pytest.mark.parametrize(
    "defect",
    [
        PermissionError(errno.EACCES, "Permission denied", "models/svd.npz"),
        OSError("unlucky"),
        BrokenPipeError(errno.EPIPE, "Broken pipe"),
        ValueError("unlucky"),
        MemoryError("unlucky"),
        GeneratorExit("unlucky"),
    ],
    ids=repr,
)
def test_anything_else_propagates(defect: BaseException) -> None:
    with pytest.raises(type(defect), match="unlucky|Permission denied|Broken pipe") as caught:
        run_command(raiser(defect))
    assert caught.value is defect


def test_a_chosen_exit_status_is_kept() -> None:
    with pytest.raises(SystemExit, match="^7$"):
        run_command(raiser(SystemExit(7)))
