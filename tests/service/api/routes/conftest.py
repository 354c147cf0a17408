"""A client of the tiny shop's app, and one of its users."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from movierec.recommender.artifacts import Artifacts
from tests.service.clients import EXPERIMENT, ready, set_up


@pytest.fixture
async def client(shop: Path, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with ready(set_up(shop, tmp_path, experiment=EXPERIMENT)) as client:
        yield client


@pytest.fixture
def known(artifacts: Artifacts) -> int:
    return int(artifacts.models[artifacts.champion].users.ids[0])
