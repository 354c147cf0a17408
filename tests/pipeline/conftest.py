"""A throw-away copy of the project with tiny data, and the commands that a person types in it."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Project:
    """A copy of the project in a folder of its own, a git repository."""

    folder: Path

    def run(self, *command: str, fails: bool = False, variables: dict[str, str] | None = None) -> str:
        """Run a command in the project and return all that it printed."""
        environment = {**project_environment(self.folder), **(variables or {})}
        result = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        output = result.stdout + result.stderr
        assert (result.returncode != 0) == fails, output
        return output

    def read(self, name: str) -> str:
        """Return the text of a file of the project."""
        return (self.folder / name).read_text(encoding="utf-8")

    def replace(self, name: str, old: str, new: str) -> None:
        """Edit a file of the project."""
        path = self.folder / name
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    def commit(self) -> None:
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--message", "test: commit")


def project_environment(folder: Path) -> dict[str, str]:
    """Shield a project from this machine's configuration, and this machine from it."""
    private = folder.parent / f"{folder.name}-state"
    roles = ("AUTHOR", "COMMITTER")
    identity = {f"GIT_{role}_{key}": "tests" for role in roles for key in ("NAME", "EMAIL")}
    dvc = {f"DVC_{kind}_DIR": str(private / kind) for kind in ("GLOBAL_CONFIG", "SYSTEM_CONFIG", "SITE_CACHE")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ours = ("DVC_", "GIT_", "COV_", "PYTEST")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, **identity, **dvc, "PATH": path, "DVC_NO_ANALYTICS": "1", "MOVIEREC_TRACKING": "off"}


def copy_project(folder: Path) -> Project:
    """Copy every file that git knows or would add, and commit."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True, text=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    project = Project(folder)
    project.run("git", "init", "--quiet", "--initial-branch", "main")
    project.commit()
    return project


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Project:
    """Return a committed project on which `dvc repro` has run with tiny data; workers share it, nothing runs in it."""
    own = tmp_path_factory.getbasetemp()
    folder = (own if worker_id == "master" else own.parent) / "built"
    with FileLock(f"{folder}.lock"):
        if (folder / "done").exists():
            return Project(folder / "project")
        project = copy_project(folder / "project")
        project.replace("params.yaml", "preset: headline", "preset: tiny")
        project.run("dvc", "repro")
        project.commit()
        (folder / "done").touch()
    return project


@pytest.fixture
def project(built: Project, tmp_path: Path) -> Project:
    """Return a copy of the built project that a test may change."""
    shutil.copytree(built.folder, tmp_path / "project", symlinks=True)
    return Project(tmp_path / "project")
