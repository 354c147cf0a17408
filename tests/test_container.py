"""The container's files as far as they can be checked without an engine."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

from movierec.service.live.monitor import Monitor
from movierec.stage_code import list_imports, trace_imports
from tests.conftest import miss

ROOT = Path(__file__).parents[1]
SECRETS = {"MOVIEREC_API_TOKEN": "token", "POSTGRES_PASSWORD": "password"}

TRAINERS = {"implicit", "surprise"}  # imported where a model is fitted, which the service never does


def read_pins(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w.\[\]-]+)==(\S+)", (ROOT / name).read_text(), flags=re.MULTILINE))


def imports_of(*commands: str) -> set[str]:
    """Name every top-level package that commands import, directly or not, at once or later."""
    files = trace_imports([ROOT / f"movierec/commands/{command}.py" for command in commands], ROOT)
    return {name.split(".")[0] for path in files for name in list_imports(path)} - {"movierec"}


def normalize(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def run_compose(name: str = "compose.yaml", **variables: str) -> subprocess.CompletedProcess[str]:
    compose = shutil.which("docker-compose")
    if not compose:
        miss("install docker-compose (Debian: docker-compose)")
    clean = {name: value for name, value in os.environ.items() if name not in SECRETS}
    command = [compose, "--project-directory", str(ROOT), "--file", str(ROOT / name), "config"]
    return subprocess.run(command, env=clean | variables, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", ["Dockerfile", "ops/spark/Dockerfile"])
def test_the_dockerfiles_pass_the_linter(name: str) -> None:
    command = [str(Path(sys.executable).with_name("hadolint")), str(ROOT / name)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (0, "")


def test_the_image_installs_what_the_tests_run_with() -> None:
    tested, shipped = read_pins("requirements.lock"), read_pins("ops/requirements.lock")
    assert len(shipped) > 40
    assert shipped.items() <= tested.items()
    assert {"pytest", "mypy", "dvc", "mlflow", "matplotlib"}.isdisjoint(shipped)


def test_the_benchmarks_add_packages_and_change_none() -> None:
    tested, added = read_pins("requirements.lock"), read_pins("benchmarks/requirements.lock")
    assert {name for name, pin in added.items() if name in tested and tested[name] != pin} == set()
    assert {"jax", "optax"} <= added.keys() - tested.keys()


def test_the_image_has_every_package_that_the_service_imports() -> None:
    shipped = {normalize(name) for name in read_pins("ops/requirements.lock")}
    needed = imports_of("serve", "recommend", "ratings") - sys.stdlib_module_names
    assert {"fastapi", "polars", "ruamel", "statsmodels"} <= needed
    providers = packages_distributions()
    absent = {name for name in needed if shipped.isdisjoint(map(normalize, providers[name]))}
    assert absent == TRAINERS
    assert {"psycopg", "psycopg-binary", "uvloop", "hatchling"} <= shipped, "loaded by name, or by pip"


def test_the_service_has_no_package_of_its_own() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project = declared["project"]
    ranges = [*project["dependencies"], *project["optional-dependencies"]["build"]]
    known = {re.split(r"[<>=]", requirement)[0] for requirement in ranges}
    assert set(declared["dependency-groups"]["service"]) < known


def test_the_locks_name_no_registry() -> None:
    locks = (
        "requirements.lock",
        "ops/requirements.lock",
        "ops/spark/requirements.lock",
        "benchmarks/requirements.lock",
    )
    for name in locks:
        lines = (ROOT / name).read_text().splitlines()
        pins = [line for line in lines if re.match(r"\S+==", line)]
        assert not [line for line in lines if "://" in line or line.startswith("-")]
        assert all(line.endswith("\\") for line in pins), "each has hashes"


def test_the_composition_is_valid_and_keeps_to_itself() -> None:
    result = run_compose(**SECRETS)
    assert result.returncode == 0, result.stderr
    services = yaml.safe_load(result.stdout)["services"]
    assert set(services) == {"movierec", "postgres", "prometheus"}
    assert services["movierec"]["read_only"] is True
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_composition_of_a_cluster_is_valid_and_keeps_to_itself() -> None:
    result = run_compose("ops/spark/compose.yaml")
    assert result.returncode == 0, result.stderr
    services = yaml.safe_load(result.stdout)["services"]
    assert {"master", "worker"} <= set(services)
    assert services["master"]["ports"][0].startswith("127.0.0.1:")
    assert all((ROOT / each["build"]["dockerfile"]).is_file() for each in services.values())


@pytest.mark.parametrize("missing", SECRETS)
def test_without_its_secrets_it_does_not_start(missing: str) -> None:
    result = run_compose(**{name: value for name, value in SECRETS.items() if name != missing})
    assert result.returncode != 0
    assert missing in result.stderr


def test_prometheus_reads_files_that_are_there() -> None:
    config = yaml.safe_load((ROOT / "ops/prometheus.yml").read_text())
    for name in config["rule_files"]:
        assert yaml.safe_load((ROOT / "ops" / name).read_text())["groups"]


def test_alerts_watch_metrics_that_the_service_has() -> None:
    text = Monitor().expose().decode()
    exposed = set(re.findall(r"^# TYPE (\w+)", text, flags=re.MULTILINE))
    groups = yaml.safe_load((ROOT / "ops/alerts.yml").read_text())["groups"]
    conditions = [rule["expr"] for group in groups for rule in group["rules"]]
    watched = {name for condition in conditions for name in re.findall(r"\bmovierec_\w+", condition)}
    assert len(watched) >= 4
    assert {name.removesuffix("_bucket") for name in watched} <= exposed
    assert "movierec_model_info{" not in text, "absent without a model, which is what NotReady is told by"
