from pathlib import Path
from typing import Any

import pytest

from movierec.errors import MovierecError
from movierec.tracking import stage, sync
from tests.tracking.conftest import finish, start_process


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """Collect what a tracker is told; tracking is on."""
    calls: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setenv("MOVIEREC_TRACKING", "on")
    monkeypatch.setattr(stage, "_noted", {})
    monkeypatch.setattr(sync, "sync_stage", lambda *arguments: calls.append(arguments))
    return calls


def test_costs_are_measured(told: list[tuple[str, dict[str, Any]]]) -> None:
    def main() -> None:
        with stage.timed("training_time_s"):
            stage.note_trial("svd", "plain", 1.5)
        stage.note_trial("svd", "forgotten", None)

    stage.run_stage("tune", main)
    ((name, measured),) = told
    assert name == "tune"
    assert measured.pop("trials") == {"svd/plain": {"training_time_s": 1.5}}
    assert set(measured) == {"stage_time_s", "training_time_s", "peak_memory_mb"}
    assert 0 <= measured["training_time_s"] <= measured["stage_time_s"]
    assert 10 < measured["peak_memory_mb"] < 1e6


def test_a_failed_stage_is_not_logged(told: list[tuple[str, dict[str, Any]]]) -> None:
    def main() -> None:
        raise MovierecError("bad")

    with pytest.raises(SystemExit, match="error: bad"):
        stage.run_stage("tune", main)
    assert told == []


def test_any_failure_costs_one_line(
    told: list[tuple[str, dict[str, Any]]], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "no\nspace")

    monkeypatch.setattr(sync, "sync_stage", fail)
    stage.run_stage("tune", lambda: None)
    assert told == []
    assert capfd.readouterr() == ("", "warning: tune not logged to MLflow: [Errno 28] no space\n")


@pytest.mark.parametrize("value", ["off", "OFF", "0", "false", "no"])
def test_tracking_can_be_switched_off(
    value: str, told: list[tuple[str, dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOVIEREC_TRACKING", value)
    assert not stage.is_tracking()
    stage.run_stage("tune", lambda: None)
    assert told == []


@pytest.mark.parametrize("value", [None, "", "on", "1"])
def test_tracking_is_on_otherwise(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOVIEREC_TRACKING", value or "")
    if value is None:
        monkeypatch.delenv("MOVIEREC_TRACKING")
    assert stage.is_tracking()


def test_switched_off_it_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    output = finish(start_process(tmp_path / "project", MOVIEREC_TRACKING="off"))
    assert output == ("finished False\n", "")  # not even the import
    assert not list((tmp_path / "project").iterdir())
