"""Stores whose own limits of time do not decide a test, unless it is about them."""

import pytest

from movierec.service.api import dependencies
from movierec.service.storage import database, store
from tests.waiting import PATIENCE_S


def limit_waits(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let nothing in the store wait longer for another."""
    lock = f"-c statement_timeout={PATIENCE_S}s -c lock_timeout={round(1000 * seconds)} -c synchronous_commit=on"
    monkeypatch.setattr(database, "_POSTGRESQL_OPTIONS", lock)
    monkeypatch.setattr(database, "WAIT_S", seconds)
    monkeypatch.setattr(store, "WAIT_S", seconds)


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    limit_waits(monkeypatch, PATIENCE_S)
    monkeypatch.setattr(dependencies, "LONGEST_WAIT_S", PATIENCE_S)


@pytest.fixture
def hasty(_patient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up at once what another holds, so that a test of it need not wait."""
    limit_waits(monkeypatch, 0.05)
