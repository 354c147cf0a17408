"""The command `movierec inspect`, typed."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from movierec import cli

Run = Callable[..., str]
PARAMS = Path("params.yaml").read_text(encoding="utf-8")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Type the command in a project of its own; return what it prints, or the message that ends it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setenv("MOVIEREC_CACHE", str(tmp_path / "cache"))
    (tmp_path / "params.yaml").write_text(PARAMS, encoding="utf-8")
    (tmp_path / "own.csv").write_text("who,item,rating\n" + "".join(f"u{n},{n % 7},{n % 10 + 1}\n" for n in range(90)))

    def type_command(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["movierec", "inspect", *words])
        with pytest.raises(SystemExit, match="^(0|error: .*)$") as ended:
            cli.main()
        return str(ended.value.code) if ended.value.code else capsys.readouterr().out

    return type_command


def test_what_is_guessed_and_what_is_set(run: Run) -> None:
    assert "own.csv: no column is called like the user (there are who, item, rating)" in run("own.csv")
    told = run("own.csv", "-S", "source.columns.user=who")
    assert "read who as the user, item as the item; no timestamps; ratings from 1 to 10 in steps of 1" in told
    assert "90 rows by 90 users of 7 items; 0 broken, 0 that repeat a user and item" in told
    assert "-S source.columns.user=who" in told


def test_as_json(run: Run) -> None:
    found = json.loads(run("own.csv", "--json", "-S", "source.columns.user=1", "-S", "feedback=implicit"))
    assert found["options"]["source.columns.user"] == "who"
    assert found["options"]["feedback"] == "implicit"
    assert found["scale"] == {"low": 1.0, "high": 1.0, "step": 0.0}


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ("source.columns.usr=who", "unknown key 'source.columns.usr': did you mean 'source.columns.user'?"),
        ("source.columns.user", "'source.columns.user' is no setting: give a key and a value"),
        ("seed.x=1", "'seed.x=1' is no setting"),
        ("feedback=[", "feedback: '[' is not valid YAML"),
        ("feedback=none", "feedback is 'none': it should be"),
    ],
)
def test_a_setting_that_is_none_is_refused(run: Run, setting: str, problem: str) -> None:
    assert problem in run("own.csv", "-S", setting)


def test_absent_files_are_refused(run: Run) -> None:
    assert "there is no file or folder" in run("absent.csv")
