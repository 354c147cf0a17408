"""Typing the commands of `movierec abtest`."""

import sys

import pytest

from movierec import cli
from tests.commands.abtest.typed import Run


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Type a command of `movierec abtest` and return what it prints."""

    def type_command(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["movierec", "abtest", *words])
        with pytest.raises(SystemExit, match="^0$"):
            cli.main()
        return capsys.readouterr().out

    return type_command
