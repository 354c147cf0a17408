"""Files that are no params, and YAML 1.2 as DVC reads and writes it."""

from pathlib import Path
from typing import Any

import dvc.api  # type: ignore[import-untyped]
import pytest
from dvc.repo import Repo  # type: ignore[import-untyped]
from dvc.utils.serialize import load_yaml  # type: ignore[import-untyped]

from movierec.params import load_params, read_params_yaml
from tests.params.samples import GOOD, Save, refusal


@pytest.mark.parametrize(
    "text",
    [
        "a: [1",
        "a: 1\na: 2",
        "a: *lost",
        "--- {a: 1}\n--- {b: 2}",
        "a: !!python/object/apply:os.system [true]",
        "\ta: 1",
        "? {a: 1}\n: 2",
        "a: \x00",
        "a: 2020-13-45",
        "a: 'open",
    ],
)
def test_refuses_what_is_no_yaml(text: str, save: Save) -> None:
    assert refusal(save(text)).startswith("params.yaml is not valid YAML: ")


def test_refuses_text_that_is_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes("dataset: Misérables".encode("latin-1"))
    assert "params.yaml is not valid YAML: 'utf-8' codec can't decode byte 0xe9" in refusal(path)


@pytest.mark.parametrize("text", ["", "# nothing", "42", "- 1\n- 2", "null", "factors 50"])
def test_refuses_what_is_no_mapping(text: str, save: Save) -> None:
    assert refusal(save(text)) == "params.yaml must hold `key: value` lines"


def test_refuses_a_missing_file(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    assert refusal(path) == "params.yaml not found: run from the root of the project"


def test_refuses_a_folder(tmp_path: Path) -> None:
    assert refusal(tmp_path) == "params.yaml cannot be read: Is a directory"


SCALARS: dict[str, Any] = {
    "1e-05": 1e-05,
    "1e-5": 1e-5,
    "1E3": 1000.0,
    "1.5e-3": 0.0015,
    ".5": 0.5,
    "1.": 1.0,
    "no": "no",
    "on": "on",
    "off": "off",
    "Yes": "Yes",
    "true": True,
    "False": False,
    "010": 10,
    "0o10": 8,
    "0x1F": 31,
    "-1": -1,
    "12:30": "12:30",
    "~": None,
    "null": None,
    "": None,
    ".inf": float("inf"),
    "'1e-05'": "1e-05",
    "ml-25m": "ml-25m",
    "é": "é",
}


@pytest.mark.parametrize(("text", "value"), SCALARS.items())
def test_reads_yaml_1_2(text: str, value: object, save: Save) -> None:
    read = read_params_yaml(save(f"a: {text}\n"))["a"]
    assert (read, type(read)) == (value, type(value))


def test_agrees_with_dvc(save: Save, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("DVC_GLOBAL_CONFIG_DIR", "DVC_SYSTEM_CONFIG_DIR", "DVC_SITE_CACHE_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
    lines = [f"  key{number}: {text}" for number, text in enumerate(SCALARS)]
    path = save("\n".join(["learning_rate: 1e-05", "nested:", *lines]) + "\n")
    assert read_params_yaml(path) == load_yaml(str(path))
    with Repo.init(str(tmp_path), no_scm=True):
        shown = dvc.api.params_show(repo=str(tmp_path))
    assert read_params_yaml(path) == shown
    assert shown["learning_rate"] == 1e-05


def test_what_dvc_writes_is_read_back(save: Save) -> None:
    # `dvc exp run -S svd.learning_rate=0.00001` writes 1e-05, which YAML 1.1 takes for a word
    path = save(GOOD)
    text = path.read_text(encoding="utf-8").replace("0.005", "1e-05")
    assert load_params(save(text)).svd.learning_rate == 1e-05
