"""A project as dvc.lock describes it, with fitted models, and stores to register them in."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import requests
import yaml
from urllib3.util import Retry

from movierec import paths
from movierec.io import write_json, write_parquet, write_parts
from movierec.lockfile import hash_output
from movierec.models.als import ALS
from movierec.models.base import Recommender
from movierec.models.bayes import Bayes
from movierec.models.blend import Blend
from movierec.models.ease import EASE
from movierec.models.svd import SVD
from movierec.roster import BY_NAME, STORED
from tests.beds import random_bed
from tests.waiting import PATIENCE_S

BED = random_bed()
VALUES = {"als": 0.2, "als_tuned": 0.3, "ease": 0.1, "blend": 0.15, "bayes": 0.05, "svd": 0.01, "svd_tuned": 0.02}
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_LOGGING_LEVEL": "ERROR", "GIT_PYTHON_REFRESH": "quiet"}
STRICT = {**QUIET, "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false"}


def write_lock(folder: Path) -> None:
    """Write what DVC would after an evaluation of the folder's files."""
    read = [paths.TRAIN, paths.VALIDATION, *(paths.MODELS / f"{name}.npz" for name in STORED)]
    entries = [
        {"path": path.as_posix(), "md5": hash_output(folder / path)}
        for path in (*read, paths.DETAILS / "evaluate.json")
    ]
    lock = {"stages": {"evaluate": {"deps": entries[:-1], "outs": entries[-1:]}}}
    (folder / "dvc.lock").write_text(yaml.safe_dump(lock))


def write_figures(folder: Path, **values: float) -> None:
    figures = {name: {"validation_ndcg@10": value} for name, value in {**VALUES, **values}.items()}
    write_json(figures, folder / "metrics/details/evaluate.json")


def make_model(kind: str, seed: int) -> Recommender:
    if kind == "bayes":
        return Bayes(factors=3, sweeps=12, burn_in=4, directions=4, seed=seed)
    if kind == "ease":
        return EASE()
    if kind == "blend":
        return Blend(als={"factors": 4, "iterations": 2, "seed": seed})
    return ALS(factors=4, iterations=2, seed=seed) if kind == "als" else SVD(factors=4, seed=seed)


def build_project(folder: Path) -> Path:
    write_parts([BED.train], folder / paths.TRAIN)
    write_parts([BED.validation], folder / paths.VALIDATION)
    movies = pd.DataFrame({"movie_id": BED.catalogue.ids, "title": [f"Movie {each}" for each in BED.catalogue.ids]})
    write_parquet(
        movies.assign(year=pd.array([1990] * len(movies), "Int16"), genres=pd.Series([["Drama"]] * len(movies))),
        folder / paths.CLEAN_MOVIES,
    )
    users = sorted(set(BED.train["user_id"]) | set(BED.validation["user_id"]))
    own = {"user_id": pd.array(users, "int32"), "source_id": list(map(str, users))}
    write_parquet(pd.DataFrame(own), folder / paths.CLEAN_USERS)
    for seed, name in enumerate(STORED):
        make_model(BY_NAME[name].kind, seed).fit(BED.train).save(folder / paths.MODELS / f"{name}.npz")
    write_figures(folder)
    write_lock(folder)
    return folder


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


@contextmanager
def serve(arguments: Sequence[str], port: int, folder: Path, **variables: str) -> Iterator[str]:
    """Run an MLflow server until the block ends, it and all its children; give its address."""
    command = [sys.executable, "-m", "mlflow", *arguments, "--host", "127.0.0.1", "--port", str(port)]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, **STRICT, **variables, "PATH": path}
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_until_ready(address, (folder / "server.log"))
        yield address
    finally:
        family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
        os.killpg(process.pid, signal.SIGTERM)
        psutil.wait_procs(family, timeout=PATIENCE_S)
        left = [each for each in family if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]
        for each in left:
            each.kill()
        process.wait(PATIENCE_S)


def _wait_until_ready(address: str, log: Path) -> None:
    retries = Retry(total=None, connect=30, read=30, status=0, backoff_factor=0.1, backoff_max=5)
    with requests.Session() as session:
        session.mount("http://", requests.adapters.HTTPAdapter(max_retries=retries))
        assert session.get(f"{address}/health", timeout=PATIENCE_S).ok, log.read_text()


def ask(address: str, users: Sequence[int], **params: Any) -> requests.Response:
    body = {"dataframe_split": {"columns": ["user_id"], "data": [[user] for user in users]}, "params": params}
    return requests.post(f"{address}/invocations", json=body, timeout=PATIENCE_S)
