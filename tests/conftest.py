"""What every test may use; pins movierec's environment before NumPy loads."""

import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import hypothesis
import pytest

import movierec  # noqa: F401

pytest_plugins = ["tests.object_storage", "tests.scheduling", "tests.shop"]

hypothesis.settings.register_profile(  # no time decides: machines are noisy
    "movierec", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("movierec")


@pytest.fixture(scope="session", autouse=True)
def _collected_by_python_alone() -> Iterator[None]:
    """Keep statsmodels from searching a large process for garbage after each correction, a second each time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gc, "collect", lambda *_: 0)
        yield


@pytest.fixture
def anyio_backend() -> str:
    """Run coroutines by asyncio, as the service does."""
    return "asyncio"


@pytest.fixture(scope="session")
def mirror() -> Path:
    """Return the folder with the real MovieLens archives."""
    folder = os.environ.get("MOVIELENS_MIRROR")
    if folder:
        return Path(folder).resolve()
    return miss("set MOVIELENS_MIRROR to a folder with ml-100k.zip and ml-latest-small.zip")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the browser."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    return miss("install Chromium (Debian: chromium)")


def miss(what_to_do: str) -> NoReturn:
    """Skip a test for something that not every machine has; in CI it fails."""
    if os.environ.get("MOVIEREC_REQUIRE_REAL_DATA") == "1":
        pytest.fail(what_to_do)
    pytest.skip(what_to_do)
