"""A bar is drawn for who watches, in lines where it cannot be redrawn."""

import io
import sys

import pytest

from movierec import progress
from movierec.progress import count_step, make_bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def draw(stream: io.StringIO, terminal: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", terminal)
    monkeypatch.setattr(progress, "LINE_EVERY_S", 0.0)
    with make_bar("digging", total=3, unit="hole") as bar:
        assert [count_step(bar, number) for number in range(3)] == [0, 1, 2]
    return stream.getvalue()


def test_without_cursor_control_each_state_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    written = draw(Terminal(), "dumb", monkeypatch)
    lines = written.splitlines()
    assert "\r" not in written
    assert all(line.startswith("digging: ") and len(line) <= 80 for line in lines)
    assert "3/3" in lines[-1]


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    written = draw(Terminal(), "xterm", monkeypatch)
    assert written.startswith("\rdigging:   0%")


def test_nobody_watches_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    assert draw(io.StringIO(), "dumb", monkeypatch) == ""
