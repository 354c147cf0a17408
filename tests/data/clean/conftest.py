"""Cleaning few ratings."""

import pytest

from movierec.data import clean


@pytest.fixture
def few_suffice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let examples be small."""
    monkeypatch.setattr(clean, "FEWEST_RATINGS", 0)
