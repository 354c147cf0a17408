"""What is run by one worker is still where it was."""

from pathlib import Path

import pytest

from tests.scheduling import FIRST, find_unit

ROOT = Path(__file__).parents[1]


def test_every_unit_exists() -> None:
    assert [unit for unit in FIRST if not (ROOT / unit).exists()] == []


@pytest.mark.parametrize(
    ("node_id", "unit"),
    [
        ("tests/pipeline/tracking/test_faults.py::test_one", "tests/pipeline/tracking"),
        ("tests/pipeline/test_own_data.py::test_one[a::b]", "tests/pipeline/test_own_data.py"),
        ("tests/test_ids.py::TestIds::test_one", "tests/test_ids.py"),
        ("movierec/ids.py::movierec.ids.IdIndex", "movierec/ids.py"),
    ],
)
def test_a_test_belongs_to_its_folder_or_file(node_id: str, unit: str) -> None:
    assert find_unit(node_id) == unit
