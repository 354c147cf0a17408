"""What every test may use; pins movierec's environment before NumPy loads."""

import os
from pathlib import Path

import hypothesis
import pytest

import movierec  # noqa: F401

hypothesis.settings.register_profile("movierec", deadline=None)  # machines are noisy
hypothesis.settings.load_profile("movierec")


@pytest.fixture(scope="session")
def mirror() -> Path:
    """Return the folder with the real MovieLens archives, or skip; in CI a missing one fails."""
    folder = os.environ.get("MOVIELENS_MIRROR")
    if folder:
        return Path(folder).resolve()
    message = "set MOVIELENS_MIRROR to a folder with ml-100k.zip and ml-latest-small.zip"
    if os.environ.get("MOVIEREC_REQUIRE_REAL_DATA") == "1":
        pytest.fail(message)
    pytest.skip(message)
