"""What was registered is loaded and served, without a pickle and without the project."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient

from movierec.io import read_parquet
from movierec.models.als import ALS
from movierec.roster import STORED
from movierec.tracking.registry import NAME, register_models
from tests.tracking.registry.mlflow_store import Store, champion
from tests.tracking.stored_models import BED, ask, free_port, serve

pytestmark = pytest.mark.usefixtures("quiet")
USER = 5


def expected(project: Path, k: int) -> list[int]:
    model = ALS.load(project / "models/als_tuned.npz")
    return [int(movie) for movie in model.recommend([USER], k, exclude=BED.seen)[0][0]]


def test_no_artifact_is_a_pickle(registered: Store) -> None:
    written_by_loading = {"__pycache__", "registered_model_meta"}  # perhaps, in another test
    found = (registered.database.parent / "artifacts").rglob("*")
    files = [path for path in found if path.is_file() and written_by_loading.isdisjoint(path.parts)]
    names = {"MLmodel", "als_tuned.npz", "movies.parquet", "ratings.parquet", "served_model.py"}
    assert names <= {path.name for path in files}
    texts = {".py", ".json", ".yaml", ".txt", ".html", ".css", ".js", ".svg"}
    for path in files:
        assert path.suffix in {*texts, ".npz", ".parquet"} or path.name == "MLmodel"
        if path.suffix == ".parquet":
            read_parquet(path)
        elif path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                assert all(array.dtype != object for array in arrays.values())  # reading refuses them, too
        else:
            path.read_text(encoding="utf-8")


def test_a_fresh_process_loads_it_without_pickles_and_without_the_project(registered: Store, project: Path) -> None:
    code = (
        "import mlflow, pandas as pd\n"
        f"mlflow.set_tracking_uri({registered.uri!r})\n"
        f"model = mlflow.pyfunc.load_model('models:/{NAME}@champion')\n"
        f"print(model.predict(pd.DataFrame({{'user_id': [{USER}]}}), params={{'k': 4}})['movie_id'].tolist())\n"
        "import movierec; print(movierec.__file__)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd="/")
    assert result.returncode == 0, result.stderr
    movies, imported = result.stdout.split("\n")[:2]
    assert movies == str(expected(project, 4))
    assert imported.startswith(str(registered.database.parent / "artifacts"))


def test_models_serve_answers_a_request(registered: Store, project: Path, tmp_path: Path) -> None:
    port = free_port()
    command = ["models", "serve", "-m", f"models:/{NAME}@champion", "--env-manager", "local"]
    with serve(command, port, tmp_path, MLFLOW_TRACKING_URI=registered.uri) as address:
        answer = ask(address, [USER, 10**6], k=3)
        assert answer.status_code == 200, answer.text
        rows = answer.json()["predictions"]
        assert [row["movie_id"] for row in rows if row["user_id"] == USER] == expected(project, 3)
        assert [row["strategy"] for row in rows] == ["personal"] * 3 + ["popular"] * 3
        refused = ask(address, [USER], k=201)
        assert refused.status_code == 400
        assert "k is 201: ask for 1 to 200 movies" in refused.json()["message"]


def test_a_real_server_keeps_models_and_alias(template: Path, project: Path, tmp_path: Path) -> None:
    shutil.copy(template / "mlflow.db", tmp_path)
    store, port = f"sqlite:///{tmp_path}/mlflow.db", free_port()
    options = ["--workers", "1", "--backend-store-uri", store, "--artifacts-destination", str(tmp_path / "kept")]
    with serve(["server", *options], port, tmp_path) as address:
        client = MlflowClient(address)
        experiment_id = client.create_experiment("movierec")
        assert register_models(client, experiment_id, project).new == tuple(STORED)
        assert register_models(client, experiment_id, project).new == ()
        assert champion(client) == "als_tuned"
        assert len(client.search_model_versions(f"name = '{NAME}'")) == len(STORED)
