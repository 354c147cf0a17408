"""What a session needs, what is shipped to workers, and how failures of a cluster are told."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from movierec.errors import MovierecError
from movierec.spark import session
from movierec.spark.session import check_requirements, explain_failure, zip_package


def write_java(folder: Path, version: str) -> None:
    """Put a program into a folder that tells its version as Java does."""
    java = folder / "java"
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2026-01-01' >&2\n")
    java.chmod(0o755)


@pytest.fixture
def java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder in which alone Java is looked for."""
    monkeypatch.setattr(session, "find_spec", lambda _name: object())
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    return tmp_path


def test_without_pyspark_nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "find_spec", lambda _name: None)
    with pytest.raises(MovierecError, match="needs pyspark: run `make spark`"):
        check_requirements()


def test_without_java_nothing_starts(java: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(java / "nowhere"))
    with pytest.raises(MovierecError, match="needs Java: install openjdk-17-jre-headless"):
        check_requirements()


@pytest.mark.parametrize("version", ["11.0.2", "1.8.0_392"])
def test_an_old_java_is_refused(java: Path, version: str) -> None:
    write_java(java, version)
    with pytest.raises(MovierecError, match=f"needs Java 17 or newer, and {java}/java is of version "):
        check_requirements()


def test_a_java_of_the_right_age_will_do(java: Path) -> None:
    write_java(java, "17.0.15")
    check_requirements()


def test_workers_import_the_package_from_the_zip(tmp_path: Path) -> None:
    shipped = zip_package(tmp_path / "movierec.zip")
    assert "movierec/spark/als.py" in zipfile.ZipFile(shipped).namelist()
    code = "import movierec.spark.als, movierec; print(movierec.__file__)"
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(shipped)!r}); {code}"]
    told = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path).stdout
    assert told.strip() == f"{shipped}/movierec/__init__.py"


def test_a_users_mistake_in_a_task_is_told_as_it_is() -> None:
    pytest.importorskip("py4j")
    failure = RuntimeError(
        "Job aborted\nTraceback ...\nmovierec.errors.MovierecError: a worker has numpy 1 and ...\n\tat"
    )
    assert explain_failure(failure) == "a worker has numpy 1 and ..."
    assert explain_failure(ValueError("a defect")) is None
    assert "driver has ended" in str(explain_failure(ConnectionRefusedError("[Errno 111]")))


def test_pyspark_is_not_imported_unless_it_is_asked_for() -> None:
    code = "import sys, stages.train_als, stages.evaluate; print([name for name in sys.modules if 'py4j' in name])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.strip() == "[]"
