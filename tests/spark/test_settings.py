"""How a machine reaches Spark: environment, file, and mistakes in them."""

import re
import tomllib
from pathlib import Path

import pytest

from movierec.errors import MovierecError
from movierec.spark.settings import load_spark_settings

ROOT = Path(__file__).parents[2]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of a file of settings that is not there yet."""
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    (tmp_path / ".movierec").mkdir()
    return tmp_path / ".movierec/spark.toml"


def test_by_default_spark_is_this_machine(file: Path) -> None:
    assert not file.exists()
    assert load_spark_settings().master == "local[*]"


def test_arguments_win_over_the_environment_and_that_over_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text('master = "spark://a:1"\nexecutor_cores = 3\npartitions = 7\n[conf]\n"spark.local.dir" = "/x"\n')
    monkeypatch.setenv("MOVIEREC_SPARK_EXECUTOR_CORES", "4")
    monkeypatch.setenv("MOVIEREC_SPARK_PARTITIONS", "8")
    found = load_spark_settings(partitions=9)
    assert (found.master, found.executor_cores, found.partitions) == ("spark://a:1", 4, 9)
    assert found.conf == {"spark.local.dir": "/x"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('mastr = "local"', "Spark's setting 'mastr' .*: Extra inputs are not permitted"),
        ("partitions = 65", "Spark's setting 'partitions' .MOVIEREC_SPARK_PARTITIONS or spark.toml.: .* equal to 64"),
        ('driver_memory = "2 GB"', "Spark's setting 'driver_memory' "),
        ("master = local", "spark.toml is not valid TOML: "),
    ],
)
def test_mistakes_are_named(file: Path, content: str, message: str) -> None:
    file.write_text(content)
    with pytest.raises(MovierecError, match=message):
        load_spark_settings()


def test_the_lock_holds_what_the_extra_asks_for() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert declared["project"]["optional-dependencies"]["spark"] == declared["dependency-groups"]["spark"]
    lock = (ROOT / "ops/spark/requirements.lock").read_text()
    pins = dict(re.findall(r"^(\w+)==(\S+) \\\n +--hash=sha256:", lock, flags=re.MULTILINE))
    assert set(pins) == {"pyspark", "py4j"}
    assert pins["pyspark"].startswith("4.3.")
