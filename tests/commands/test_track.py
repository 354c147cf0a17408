import pytest
from typer.testing import CliRunner

from movierec.cli import app
from movierec.tracking import leaderboard, sync

runner = CliRunner()


def test_sync_prints_the_counts_and_what_was_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOVIEREC_TRACKING", "on")
    monkeypatch.setattr(sync, "sync_all", lambda: sync.SyncReport(3, 9, 1, 4, ["tune of strong skipped: no reason"]))
    result = runner.invoke(app, ["track", "sync"])
    assert result.stdout == "12 results: 3 new, 9 known, 1 updated; 4 new model versions\n"
    assert result.stderr == "tune of strong skipped: no reason\n"


def test_sync_with_tracking_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOVIEREC_TRACKING", "off")
    result = runner.invoke(app, ["track", "sync"])
    assert (result.exit_code, result.stdout) == (0, "tracking is off (MOVIEREC_TRACKING): nothing is logged\n")


def test_best_prints_one_line_and_compare_takes_its_options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaderboard, "name_best_params", lambda model: f"-S model={model}")
    assert runner.invoke(app, ["track", "best", "--model", "als"]).stdout == "-S model=als\n"
    monkeypatch.setattr(leaderboard, "compare_models", lambda metric, top: f"{metric} {top}")
    assert runner.invoke(app, ["track", "compare", "--metric", "mae", "--top", "2"]).stdout == "mae 2\n"
    assert runner.invoke(app, ["track", "compare", "--top", "0"]).exit_code == 2


def test_best_says_that_it_is_chosen_on_validation() -> None:
    assert "validation" in runner.invoke(app, ["track", "best", "--help"]).stdout
