"""A project whose results MLflow holds, and copies of it that a test may change."""

import subprocess
from pathlib import Path

import pytest

from tests.pipeline.conftest import Project
from tests.pipeline.tracking.runs import sync
from tests.tracking.conftest import relocate_store


@pytest.fixture(scope="session")
def synced(built: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project that ran without tracking and was synchronised afterwards; not to be changed."""
    folder = tmp_path_factory.mktemp("synced") / "project"
    subprocess.run(["cp", "-a", built.folder, folder], check=True)
    assert not (folder / "mlflow.db").exists()
    assert not (folder / ".movierec/measured").exists()
    project = Project(folder)
    assert sync(project) == "10 results: 10 new, 0 known, 0 updated; 7 new model versions\n"
    return project


@pytest.fixture
def copy(synced: Project, tmp_path: Path) -> Project:
    """Return a copy that may be changed, whose runs keep their files in it."""
    project = Project(tmp_path / "project")
    subprocess.run(["cp", "-a", synced.folder, project.folder], check=True)
    relocate_store(project.folder / "mlflow.db", synced.folder, project.folder)
    return project
