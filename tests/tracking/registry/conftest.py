"""A project with four fitted models, and MLflow stores in which they are registered."""

import shutil
from pathlib import Path

import pytest
from mlflow import MlflowClient

from movierec.tracking.registry import register_models
from tests.tracking.registry.mlflow_store import Store
from tests.tracking.stored_models import STRICT, build_project


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep locks in the test's folder, and MLflow silent."""
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    for name, value in STRICT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project that no test may change."""
    return build_project(tmp_path_factory.mktemp("registry") / "project")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a migrated, empty database, which takes seconds to make."""
    folder = tmp_path_factory.mktemp("template")
    MlflowClient(f"sqlite:///{folder}/mlflow.db").search_experiments()
    return folder


@pytest.fixture(scope="session")
def registered(template: Path, project: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Return a store with every stored model; not to be changed."""
    folder = tmp_path_factory.mktemp("registered")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DVC_ROOT", str(folder))
        shutil.copy(template / "mlflow.db", folder)
        store = Store(folder)
        parent = store.client.create_run(store.experiment_id).info.run_id
        register_models(store.client, store.experiment_id, project, {"als_tuned": parent})
    return store


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
