"""What was stored comes back exactly; what is damaged counts as nothing."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movierec.tuning.memory import Outcome, TrialMemory
from tests.tuning.conftest import SEED, SETTINGS, als_objective, svd_objective

FINISHED = Outcome([0.95, 0.9], {"validation_rmse": 0.9})
finite = st.floats(allow_nan=False, allow_infinity=False)


@given(st.builds(Outcome, st.lists(finite), st.dictionaries(st.text(), finite), st.text()))
def test_memory_recalls_exactly(tmp_path_factory: pytest.TempPathFactory, outcome: Outcome) -> None:
    memory, objective = TrialMemory(tmp_path_factory.mktemp("memory") / "not" / "yet"), svd_objective()
    assert memory.recall(objective, SETTINGS) is None
    memory.remember(objective, SETTINGS, outcome)
    assert memory.recall(objective, SETTINGS) == outcome
    assert memory.recall(objective, dict(reversed(SETTINGS.items()))) == outcome


def test_a_remembered_fit_keeps_its_time(tmp_path: Path) -> None:
    memory = TrialMemory(tmp_path)
    memory.remember(svd_objective(), SETTINGS, Outcome([0.9], training_time_s=1.25))
    recalled = memory.recall(svd_objective(), SETTINGS)
    assert recalled is not None
    assert recalled.training_time_s == 1.25


def test_what_an_older_version_stored_has_no_time(tmp_path: Path) -> None:
    memory = TrialMemory(tmp_path)
    memory.remember(svd_objective(), SETTINGS, FINISHED)
    (file,) = tmp_path.iterdir()
    file.write_text('{"curve": [0.95, 0.9], "scores": {"validation_rmse": 0.9}, "error": ""}')
    recalled = memory.recall(svd_objective(), SETTINGS)
    assert recalled == FINISHED
    assert recalled is not None
    assert recalled.training_time_s is None


@pytest.mark.parametrize(
    ("outcome", "state"),
    [(FINISHED, "finished"), (Outcome([0.9]), "pruned"), (Outcome([0.9], error="the SVD diverges"), "diverged")],
)
def test_state(outcome: Outcome, state: str) -> None:
    assert outcome.state == state


def test_asking_makes_no_folder(tmp_path: Path) -> None:
    assert TrialMemory(tmp_path / "trials").recall(svd_objective(), SETTINGS) is None
    assert not list(tmp_path.iterdir())


def test_the_last_result_counts(tmp_path: Path) -> None:
    memory = TrialMemory(tmp_path)
    memory.remember(svd_objective(), SETTINGS, Outcome([0.95]))
    memory.remember(svd_objective(), SETTINGS, FINISHED)
    assert memory.recall(svd_objective(), SETTINGS) == FINISHED
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("setting", SETTINGS)
def test_another_setting_is_another_trial(setting: str, tmp_path: Path) -> None:
    memory = TrialMemory(tmp_path)
    memory.remember(svd_objective(), SETTINGS, FINISHED)
    assert memory.recall(svd_objective(), {**SETTINGS, setting: "another"}) is None


def test_another_objective_is_another_trial(tmp_path: Path) -> None:
    memory = TrialMemory(tmp_path)
    memory.remember(svd_objective(), SETTINGS, FINISHED)
    assert memory.recall(als_objective(), SETTINGS) is None
    assert memory.recall(svd_objective(seed=SEED + 1), SETTINGS) is None


DAMAGED = {
    "empty": b"",
    "cut off": b'{"scores": {}, "error": "", "cur',
    "no object": b"[1, 2, 3]",
    "null": b"null",
    "incomplete": b'{"scores": {}, "curve": []}',
    "words": b'{"scores": {"validation_rmse": "low"}, "curve": [], "error": ""}',
    "no scores": b'{"scores": 5, "curve": [], "error": ""}',
    "no curve": b'{"scores": {}, "curve": 5, "error": ""}',
    "no text": b"\xff\xfe\x00",
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_counts_as_none_and_is_mended(content: bytes, tmp_path: Path) -> None:
    memory = TrialMemory(tmp_path)
    memory.remember(svd_objective(), SETTINGS, FINISHED)
    (file,) = tmp_path.iterdir()
    file.write_bytes(content)
    assert memory.recall(svd_objective(), SETTINGS) is None
    memory.remember(svd_objective(), SETTINGS, FINISHED)
    assert memory.recall(svd_objective(), SETTINGS) == FINISHED
