from pathlib import Path

import pytest
from ruamel.yaml import YAML

from movierec import paths

STAGE_FILES = {
    name: value
    for name, value in vars(paths).items()
    if name.isupper() and isinstance(value, Path) and name != "PARAMS"
}


def test_project_root_is_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    assert paths.project_root() == tmp_path.resolve()
    monkeypatch.setenv("DVC_ROOT", "")
    assert paths.project_root() == tmp_path.resolve()


def test_dvc_root_leads_out_of_a_temporary_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout, root = tmp_path / "checkout", tmp_path / "root"
    checkout.mkdir()
    root.mkdir()
    (tmp_path / "link").symlink_to(root)
    monkeypatch.chdir(checkout)
    for name in (str(root), "../root", str(tmp_path / "link")):
        monkeypatch.setenv("DVC_ROOT", name)
        assert paths.project_root() == root.resolve()
        assert paths.state_dir() == root.resolve() / ".movierec"


def test_asking_for_a_folder_does_not_make_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    assert not paths.state_dir().exists()


@pytest.mark.parametrize("path", STAGE_FILES.values(), ids=STAGE_FILES)
def test_stages_write_below_the_folder_they_run_in(path: Path) -> None:
    assert not path.is_absolute()
    assert ".." not in path.parts


def test_every_data_file_is_the_output_of_a_stage() -> None:
    pipeline = YAML(typ="safe", pure=True).load(Path("dvc.yaml").read_text(encoding="utf-8"))
    outputs = {
        Path(out) for stage in pipeline["stages"].values() for out in stage.get("outs", []) if isinstance(out, str)
    }
    undeclared = {
        path for path in STAGE_FILES.values() if path.parts[0] == "data" and not outputs & {path, *path.parents}
    }
    assert len(outputs) > 3
    assert undeclared == set()
