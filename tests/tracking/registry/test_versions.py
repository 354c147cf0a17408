import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient

from movierec import paths
from movierec.errors import MovierecError
from movierec.io import read_parquet, write_parquet
from movierec.lockfile import hash_file
from movierec.models.als import ALS
from movierec.roster import STORED
from movierec.tracking.registry import KEY, NAME, register_models
from tests.tracking.stored_models import (
    BED,
    STRICT,
    VALUES,
    ask,
    build_project,
    free_port,
    serve,
    write_figures,
    write_lock,
)

pytestmark = [pytest.mark.usefixtures("quiet"), pytest.mark.xdist_group("registry")]
USER = 5


class Store:
    """A SQLite store with an experiment."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "mlflow.db"
        self.uri = f"sqlite:///{self.database}"
        self.client = MlflowClient(self.uri)
        self.experiment_id = self.client.create_experiment("movierec", (folder / "artifacts").as_uri())

    def dump(self) -> list[str]:
        with closing(sqlite3.connect(self.database)) as connection:
            return list(connection.iterdump())


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep locks in the test's folder, and MLflow silent."""
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    for name, value in STRICT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project that no test may change."""
    return build_project(tmp_path_factory.mktemp("registry") / "project")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a migrated, empty database, which takes seconds to make."""
    folder = tmp_path_factory.mktemp("template")
    MlflowClient(f"sqlite:///{folder}/mlflow.db").search_experiments()
    return folder


@pytest.fixture(scope="module")
def registered(template: Path, project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Return a store with the four models; not to be changed."""
    folder = tmp_path_factory.mktemp("registered")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DVC_ROOT", str(folder))
        shutil.copy(template / "mlflow.db", folder)
        store = Store(folder)
        parent = store.client.create_run(store.experiment_id).info.run_id
        register_models(store.client, store.experiment_id, project, {"als_tuned": parent})
        yield store


@pytest.fixture
def store(registered: Store, tmp_path: Path) -> Store:
    """Return a store that a test may change: the database is its own, what is logged there is not."""
    shutil.copy(registered.database, tmp_path / "mlflow.db")
    copy = object.__new__(Store)
    copy.database, copy.experiment_id = tmp_path / "mlflow.db", registered.experiment_id
    copy.uri = f"sqlite:///{copy.database}"
    copy.client = MlflowClient(copy.uri)
    return copy


@pytest.fixture
def changing(project: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(project, tmp_path / "project"))


def champion(client: MlflowClient) -> str:
    return str(client.get_model_version_by_alias(NAME, "champion").tags["model"])


def test_every_model_has_one_version_with_its_tags(registered: Store, project: Path) -> None:
    versions = registered.client.search_model_versions(f"name = '{NAME}'")
    assert sorted(version.tags["model"] for version in versions) == sorted(STORED)
    for version in versions:
        assert version.tags["md5"] == hash_file(project / f"models/{version.tags['model']}.npz")
        assert float(version.tags["validation_ndcg_at_10"]) == VALUES[version.tags["model"]]
        assert version.status == "READY"
    assert len({version.tags[KEY] for version in versions}) == 4
    assert champion(registered.client) == "als_tuned"


def test_a_model_belongs_to_the_run_that_is_given(registered: Store) -> None:
    version = registered.client.get_model_version_by_alias(NAME, "champion")
    run = registered.client.get_run(version.run_id)
    (output,) = run.outputs.model_outputs
    model = registered.client.get_logged_model(output.model_id)
    assert (model.source_run_id, model.experiment_id) == (version.run_id, registered.experiment_id)
    assert (model.name, model.status, model.tags[KEY]) == (NAME, "READY", version.tags[KEY])
    assert len(registered.client.search_runs([registered.experiment_id])) == 4


def test_twice_changes_nothing(store: Store, project: Path) -> None:
    before = store.dump()
    again = register_models(store.client, store.experiment_id, project)
    assert (again.new, again.skipped) == ((), ())
    assert set(again.versions) == set(STORED)
    assert store.dump() == before


def test_two_at_once_register_once(template: Path, project: Path, tmp_path: Path) -> None:
    shutil.copy(template / "mlflow.db", tmp_path)
    Store(tmp_path)
    code = (
        "import sys; from pathlib import Path; from mlflow import MlflowClient\n"
        "from movierec.tracking.registry import register_models\n"
        "client = MlflowClient(sys.argv[1]); experiment = client.get_experiment_by_name('movierec').experiment_id\n"
        "print(len(register_models(client, experiment, Path(sys.argv[2])).new))"
    )
    command = [sys.executable, "-c", code, f"sqlite:///{tmp_path}/mlflow.db", str(project)]
    with ThreadPoolExecutor() as pool:
        runs = [pool.submit(subprocess.run, command, capture_output=True, text=True, check=False) for _ in range(2)]
    results = [run.result() for run in runs]
    assert sorted(result.stdout.strip() for result in results) == ["0", "4"], [each.stderr for each in results]


def test_the_alias_follows_the_figures(store: Store, changing: Path) -> None:
    write_figures(changing, svd=0.4)
    write_lock(changing)
    assert register_models(store.client, store.experiment_id, changing).new == ()
    assert champion(store.client) == "svd"


def test_a_new_fit_is_a_new_version_and_a_changed_file_is_none(store: Store, changing: Path) -> None:
    ALS(factors=3, iterations=1).fit(BED.train).save(changing / "models/als_tuned.npz")
    before = store.dump()
    found = register_models(store.client, store.experiment_id, changing)
    assert found.skipped == ("models/als_tuned.npz is not the one that dvc.lock names",)
    assert store.dump() == before
    write_lock(changing)
    found = register_models(store.client, store.experiment_id, changing)
    assert found.new == ("als_tuned",)
    assert found.versions["als_tuned"] == "5"
    assert str(store.client.get_model_version_by_alias(NAME, "champion").version) == "5"


def test_without_the_champions_file_the_alias_stays(store: Store, changing: Path) -> None:
    write_figures(changing, svd=0.4)
    write_lock(changing)
    (changing / "models/svd.npz").unlink()
    found = register_models(store.client, store.experiment_id, changing)
    assert found.skipped == ("models/svd.npz is not the one that dvc.lock names",)
    assert champion(store.client) == "als_tuned"


@pytest.mark.parametrize(
    "name", ["data/split/train.parquet", "data/split/validation.parquet", "metrics/details/evaluate.json"]
)
def test_other_data_or_figures_than_the_locks_are_refused(store: Store, changing: Path, name: str) -> None:
    (changing / name).write_bytes(b"{}")
    with pytest.raises(MovierecError, match=rf"{name} is not the one that dvc.lock names: run `dvc repro`"):
        register_models(store.client, store.experiment_id, changing)


def test_other_data_is_another_model(store: Store, changing: Path) -> None:
    write_parquet(read_parquet(changing / paths.VALIDATION)[:-1], changing / paths.VALIDATION)
    write_lock(changing)
    assert set(register_models(store.client, store.experiment_id, changing).new) == set(STORED)


@pytest.mark.parametrize("lock", [None, "", "stages: {}", "stages: {evaluate: 3}", "a: [", "stages: {evaluate: {}}"])
def test_a_lock_without_an_evaluation_is_refused(store: Store, tmp_path: Path, lock: str | None) -> None:
    if lock is not None:
        (tmp_path / "dvc.lock").write_text(lock)
    with pytest.raises(MovierecError, match="dvc.lock"):
        register_models(store.client, store.experiment_id, tmp_path)


def test_no_artifact_is_a_pickle(registered: Store) -> None:
    written_by_loading = {"__pycache__", "registered_model_meta"}  # perhaps, in another test
    found = (registered.database.parent / "artifacts").rglob("*")
    files = [path for path in found if path.is_file() and written_by_loading.isdisjoint(path.parts)]
    assert {path.name for path in files} >= {"MLmodel", "als_tuned.npz", "seen.npz", "served_model.py"}
    texts = {".py", ".json", ".yaml", ".txt", ".html", ".css", ".js", ".svg"}
    for path in files:
        assert path.suffix in {*texts, ".npz"} or path.name == "MLmodel"
        if path.suffix == ".npz":
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


def expected(project: Path, k: int) -> list[int]:
    model = ALS.load(project / "models/als_tuned.npz")
    return [int(movie) for movie in model.recommend([USER], k, exclude=BED.seen)[0][0]]


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
        assert len(client.search_model_versions(f"name = '{NAME}'")) == 4
