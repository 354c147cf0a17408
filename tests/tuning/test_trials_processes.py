"""Searches in processes of their own: one is interrupted, two share a memory."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from movierec import io
from tests.tuning.conftest import TRAIN, VALIDATION

ROOT = Path(__file__).parents[2]
PROGRAM = """
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from movierec import io
from movierec.errors import run_command
from movierec.models.svd import SVD
from movierec.settings import SvdConfiguration
from movierec.tuning.memory import TrialMemory
from movierec.tuning.search import GridSearch, run_searches
from movierec.tuning.svd import SvdObjective

folder, blocked = Path(sys.argv[1]), int(sys.argv[2])
train, validation = io.read_parquet(folder / "train.parquet"), io.read_parquet(folder / "validation.parquet")
original, shutdown = SVD.fit, ThreadPoolExecutor.shutdown

def fit(self, *args, **options):
    if self.factors == blocked:
        print("running", file=sys.stderr, flush=True)
        sys.stdin.read()
    return original(self, *args, **options)

def shutdown_aloud(self, **options):
    if blocked:
        print("stopping", file=sys.stderr, flush=True)
    shutdown(self, **options)

def main():
    settings = {"epochs": 2, "learning_rate": 0.01, "regularization": 0.02}
    configurations = {str(factors): SvdConfiguration(factors=factors, **settings) for factors in range(20, 0, -1)}
    search = GridSearch(SvdObjective(train, validation, 0), configurations)
    for _ in run_searches([search], TrialMemory(folder / "trials"), 1):
        pass
    for trial in search.trials:
        print(trial.proposal.configuration, trial.outcome)

SVD.fit, ThreadPoolExecutor.shutdown = fit, shutdown_aloud
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
run_command(main)
"""


@pytest.fixture
def start(tmp_path: Path) -> Callable[[int], subprocess.Popen[str]]:
    """Start a search over 1 to 20 factors in `tmp_path` that waits for its input at one of them (none if 0)."""
    io.write_parquet(TRAIN, tmp_path / "train.parquet")
    io.write_parquet(VALIDATION, tmp_path / "validation.parquet")

    def start_process(blocked: int) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(tmp_path), str(blocked)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    return start_process


def test_an_interrupted_search_keeps_what_it_has(tmp_path: Path, start: Callable[[int], subprocess.Popen[str]]) -> None:
    with start(17) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "running\n"
        process.send_signal(signal.SIGINT)
        assert process.stderr.readline() == "stopping\n"
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, "interrupted\n")
    assert len(list((tmp_path / "trials").iterdir())) == 3  # the fourth ended early, the others never began
    with start(0) as process:
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    assert len(output.splitlines()) == 20


def test_two_searches_share_a_memory(tmp_path: Path, start: Callable[[int], subprocess.Popen[str]]) -> None:
    with start(0) as one, start(0) as other:
        outputs = [process.communicate(timeout=60) for process in (one, other)]
    assert [one.returncode, other.returncode] == [0, 0], outputs
    assert len(outputs[0][0].splitlines()) == 20
    assert outputs[0] == outputs[1]
    assert len(list((tmp_path / "trials").iterdir())) == 20
    with start(0) as again:
        assert again.communicate(timeout=60) == outputs[0]
