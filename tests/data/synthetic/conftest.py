"""Data sets generated once for all tests that only look at them."""

import pytest

from movierec.data.synthetic import PRESETS
from tests.data.synthetic.generated import Made, make


@pytest.fixture(scope="session", params=["tiny", "small"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(tmp_path_factory.mktemp("made") / request.param, PRESETS[request.param], seed=42)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(tmp_path_factory.mktemp("made") / "small", PRESETS["small"], seed=7)
