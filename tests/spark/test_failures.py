"""A run that loses a part ends right or in one line, and leaves nothing half-written."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from movierec.models.als import ALS
from movierec.spark.loopback import start_loopback_cluster
from tests.spark.data import split
from tests.waiting import wait_until

WORKER = "org.apache.spark.deploy.worker.Worker"
EXECUTOR = "org.apache.spark.executor.CoarseGrainedExecutorBackend"
FIT = """
import movierec
from pathlib import Path
from movierec.errors import run_command
from movierec.spark.als import fit_als
from movierec.spark.session import open_cluster
def fit():
    with open_cluster() as cluster:
        print("open", flush=True)
        settings = {"factors": 8, "iterations": 2}
        fit_als(cluster, Path("train"), settings, on_sweep=lambda loss: print(loss, flush=True)).save(Path("als.npz"))
run_command(fit)
"""


@contextmanager
def start_fit(folder: Path, **variables: str) -> Iterator["subprocess.Popen[str]"]:
    """Run a driver, in a group of its own, that says when a sweep is done."""
    environment = os.environ | {f"MOVIEREC_SPARK_{name}": value for name, value in variables.items()}
    with subprocess.Popen(
        [sys.executable, "-c", FIT],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        yield process


def kill_group(pid: int) -> None:
    os.killpg(os.getpgid(pid), signal.SIGKILL)


def find_processes(kind: str, cluster: Path) -> list[int]:
    """Return the processes of a cluster's workers, or of the executors that they have started."""
    found = [(process.pid, process.info) for process in psutil.process_iter(["cmdline", "cwd"])]
    place = str(cluster)
    return [
        pid
        for pid, info in found
        if kind in (info["cmdline"] or []) and any(place in word for word in [*info["cmdline"], info["cwd"] or ""])
    ]


def read_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout
    return process.stdout.readline()


def test_a_run_without_executors_ends_in_one_line(master: str, tmp_path: Path) -> None:
    split("tiny", tmp_path)
    with start_fit(tmp_path, MASTER=master, EXECUTOR_MEMORY="900g", PATIENCE_S="1") as process:
        _, told = process.communicate()
    assert process.returncode == 1
    last = told.strip().splitlines()[-1]
    assert last.startswith(f"error: no executor of {master} has been there for 1 s: are its workers running, with 1 ")
    assert "Traceback" not in told
    assert not list(tmp_path.glob("*.npz"))


def test_a_driver_is_started_again_and_a_worker_is_lost(tmp_path: Path) -> None:
    bed, _, _ = split("tiny", tmp_path)
    before = set(tmp_path.iterdir())
    (tmp_path / "cluster").mkdir()
    with start_loopback_cluster(tmp_path / "cluster") as master:
        settings = {"MASTER": master, "EXECUTOR_MEMORY": "512m", "PARTITIONS": "2"}
        with start_fit(tmp_path, **settings) as driver:
            assert read_line(driver) == "open\n"
            wait_until(lambda: len(find_processes(EXECUTOR, tmp_path / "cluster")) == 2)
            kill_group(driver.pid)
        assert set(tmp_path.iterdir()) == before | {tmp_path / "cluster"}
        with start_fit(tmp_path, **settings) as driver:
            assert [bool(read_line(driver)) for _ in range(2)] == [True, True]
            workers = find_processes(WORKER, tmp_path / "cluster")
            assert len(workers) == 2
            kill_group(workers[0])
            _, told = driver.communicate()
        assert driver.returncode == 0, told
    ALS(factors=8, iterations=2).fit(bed.train).save(tmp_path / "local.npz")
    assert (tmp_path / "als.npz").read_bytes() == (tmp_path / "local.npz").read_bytes()
