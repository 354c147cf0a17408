"""A store in each kind of database."""

from collections.abc import Callable

import pytest

from movierec.service.storage.store import Store


@pytest.fixture
def store(url: str, opened: Callable[[str], Store]) -> Store:
    return opened(url)
