import ast
import importlib
import inspect
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mean_absolute_error, root_mean_squared_error

from movierec import io, tuning
from movierec.columns import MOVIE_ID, RATING, TIMESTAMP, USER_ID
from movierec.errors import MovierecError
from movierec.models.svd import SVD
from movierec.params import SvdConfiguration
from movierec.tuning import Trial, TrialMemory, choose_best, run_trials, summarize_trials, tabulate_trials

ROOT = Path(__file__).parents[1]
SEED = 3


def draw_ratings(count: int, seed: int, users: int = 40, movies: int = 30) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    pair = np.sort(rng.choice(users * movies, count, replace=False))
    columns = {USER_ID: pair // movies + 1, MOVIE_ID: pair % movies + 1, RATING: rng.integers(1, 11, count) / 2}
    table = pd.DataFrame({**columns, TIMESTAMP: rng.integers(10**9, size=count)})
    return table.astype({USER_ID: "int32", MOVIE_ID: "int32", RATING: "float32"})


TRAIN, VALIDATION = draw_ratings(600, seed=0), draw_ratings(100, seed=1)


def configure(factors: int = 3, epochs: int = 2, rate: float = 0.01, penalty: float = 0.02) -> SvdConfiguration:
    return SvdConfiguration(factors=factors, epochs=epochs, learning_rate=rate, regularization=penalty)


CONFIGURATIONS = {
    "plain": configure(),
    "wide": configure(factors=9),
    "long": configure(epochs=7),
    "fast": configure(rate=0.03),
    "tame": configure(penalty=0.5),
}
SETTINGS = configure().model_dump()


def remember_in(folder: Path, train: pd.DataFrame = TRAIN, validation: pd.DataFrame = VALIDATION) -> TrialMemory:
    return TrialMemory(folder, train, validation, SEED)


def run(
    folder: Path, configurations: dict[str, SvdConfiguration] = CONFIGURATIONS, workers: int = 2
) -> dict[str, Trial]:
    trials = run_trials(configurations, TRAIN, VALIDATION, remember_in(folder), SEED, workers)
    return {trial.configuration: trial for trial in trials}


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Collect the settings of every fit."""
    original, settings = SVD.fit, []

    def fit(self: SVD, *args: Any, **options: Any) -> SVD:
        settings.append(self._settings())
        return original(self, *args, **options)

    monkeypatch.setattr(SVD, "fit", fit)
    return settings


finite = st.floats(allow_nan=False, allow_infinity=False)


@given(finite, finite, st.lists(finite))
def test_memory_recalls_exactly(
    tmp_path_factory: pytest.TempPathFactory, rmse: float, mae: float, curve: list[float]
) -> None:
    memory = remember_in(tmp_path_factory.mktemp("memory") / "not" / "yet")
    assert memory.recall(SETTINGS) is None
    memory.remember(SETTINGS, rmse, mae, curve)
    assert memory.recall(SETTINGS) == (rmse, mae, curve)
    assert memory.recall(dict(reversed(SETTINGS.items()))) == (rmse, mae, curve)


def test_asking_makes_no_folder(tmp_path: Path) -> None:
    assert remember_in(tmp_path / "trials").recall(SETTINGS) is None
    assert not list(tmp_path.iterdir())


def test_the_last_result_counts(tmp_path: Path) -> None:
    memory = remember_in(tmp_path)
    memory.remember(SETTINGS, 1.0, 0.5, [])
    memory.remember(SETTINGS, 0.9, 0.4, [0.9])
    assert memory.recall(SETTINGS) == (0.9, 0.4, [0.9])
    assert len(list(tmp_path.iterdir())) == 1


def change(table: pd.DataFrame, column: str, row: int, value: float) -> pd.DataFrame:
    changed = table.copy()
    changed.loc[row, column] = value
    return changed.astype(table.dtypes.to_dict())


OTHER_DATA: dict[str, Callable[[], tuple[pd.DataFrame, pd.DataFrame]]] = {
    "a rating of train": lambda: (change(TRAIN, RATING, 17, 6 - TRAIN[RATING][17]), VALIDATION),
    "a user of train": lambda: (change(TRAIN, USER_ID, 17, 999), VALIDATION),
    "a movie of train": lambda: (change(TRAIN, MOVIE_ID, 17, 999), VALIDATION),
    "a rating of validation": lambda: (TRAIN, change(VALIDATION, RATING, 17, 6 - VALIDATION[RATING][17])),
    "a movie of validation": lambda: (TRAIN, change(VALIDATION, MOVIE_ID, 17, 999)),
    "one rating less": lambda: (TRAIN[:-1], VALIDATION),
    "another order": lambda: (TRAIN[::-1], VALIDATION),
    "parts exchanged": lambda: (VALIDATION, TRAIN),
}


@pytest.mark.parametrize("other", OTHER_DATA)
def test_other_data_is_another_trial(other: str, tmp_path: Path) -> None:
    remember_in(tmp_path).remember(SETTINGS, 1.0, 0.5, [])
    assert remember_in(tmp_path, *OTHER_DATA[other]()).recall(SETTINGS) is None
    assert remember_in(tmp_path).recall(SETTINGS) is not None


def test_a_boundary_between_the_parts_is_seen(tmp_path: Path) -> None:
    # Column after column, both are the numbers 1 to 9: users 1, movies 2, stars 3 | users 4, 5, movies 6, 7, stars 8, 9
    # and users 1, 2, movies 3, 4, stars 5, 6 | users 7, movies 8, stars 9.
    columns = (USER_ID, MOVIE_ID, RATING)
    flat = np.arange(1, 10, dtype=np.int32)

    def cut(rows: int) -> tuple[pd.DataFrame, pd.DataFrame]:
        first, second = flat[: 3 * rows].reshape(3, -1), flat[3 * rows :].reshape(3, -1)
        return pd.DataFrame(dict(zip(columns, first, strict=True))), pd.DataFrame(
            dict(zip(columns, second, strict=True))
        )

    TrialMemory(tmp_path, *cut(1), seed=SEED).remember(SETTINGS, 1.0, 0.5, [])
    assert TrialMemory(tmp_path, *cut(2), seed=SEED).recall(SETTINGS) is None


def test_times_do_not_matter_to_a_trial(tmp_path: Path) -> None:
    remember_in(tmp_path).remember(SETTINGS, 1.0, 0.5, [])
    assert remember_in(tmp_path, TRAIN.assign(timestamp=0), VALIDATION).recall(SETTINGS) is not None


def test_another_seed_is_another_trial(tmp_path: Path) -> None:
    remember_in(tmp_path).remember(SETTINGS, 1.0, 0.5, [])
    assert TrialMemory(tmp_path, TRAIN, VALIDATION, SEED + 1).recall(SETTINGS) is None


@pytest.mark.parametrize("setting", SETTINGS)
def test_another_setting_is_another_trial(setting: str, tmp_path: Path) -> None:
    memory = remember_in(tmp_path)
    memory.remember(SETTINGS, 1.0, 0.5, [])
    assert memory.recall({**SETTINGS, setting: SETTINGS[setting] * 2}) is None


@pytest.mark.parametrize("module", tuning.TRAINING_CODE)
def test_other_code_is_another_trial(module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remember_in(tmp_path).remember(SETTINGS, 1.0, 0.5, [])
    changed, original = importlib.import_module(module), inspect.getsource
    monkeypatch.setattr(inspect, "getsource", lambda each: original(each) + "# new" * (each is changed))
    assert remember_in(tmp_path).recall(SETTINGS) is None


def imported_by(module: str) -> set[str]:
    """Name the first-party modules that a module imports, and those that they import."""
    nodes = ast.walk(ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")))
    direct = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    own = {name for name in direct if name.startswith("movierec.")}
    return own.union(*(imported_by(name) for name in own))


def test_all_code_that_can_move_a_score_is_part_of_the_key() -> None:
    harmless = {"columns", "errors", "io", "params", "paths", "models.top_k"}  # names, messages, files, rankings
    needed = imported_by("movierec.tuning") | {"movierec.tuning"}
    assert needed - {f"movierec.{name}" for name in harmless} == set(tuning.TRAINING_CODE)


def test_the_same_trial_never_runs_twice(tmp_path: Path, fits: list[dict[str, Any]]) -> None:
    first = run(tmp_path)
    assert len(fits) == len(CONFIGURATIONS) == len(list(tmp_path.iterdir()))
    assert not any(trial.remembered for trial in first.values())
    second = run(tmp_path)
    assert len(fits) == len(CONFIGURATIONS)
    assert all(trial.remembered for trial in second.values())
    assert tabulate_trials(list(second.values())).equals(tabulate_trials(list(first.values())))
    assert {name: trial.curve for name, trial in second.items()} == {name: trial.curve for name, trial in first.items()}


def test_only_what_is_new_runs(tmp_path: Path, fits: list[dict[str, Any]]) -> None:
    run(tmp_path, {"plain": CONFIGURATIONS["plain"]})
    fits.clear()
    trials = run(tmp_path, {"renamed": CONFIGURATIONS["plain"], "wide": CONFIGURATIONS["wide"]})
    assert [settings["factors"] for settings in fits] == [9]
    assert {name: trial.remembered for name, trial in trials.items()} == {"renamed": True, "wide": False}


def test_equal_settings_by_several_names_run_once(tmp_path: Path, fits: list[dict[str, Any]]) -> None:
    trials = run(tmp_path, {f"name {i}": configure() for i in range(8)}, workers=4)
    assert len(fits) == 1
    assert sorted(trials) == [f"name {i}" for i in range(8)]
    assert len({trial.validation_rmse for trial in trials.values()}) == 1


DAMAGED = {
    "empty": b"",
    "cut off": b'{"rmse": 0.9, "mae": 0.7, "cur',
    "no object": b"[1, 2, 3]",
    "null": b"null",
    "incomplete": b'{"rmse": 0.9, "mae": 0.7}',
    "words": b'{"rmse": "low", "mae": 0.7, "curve": []}',
    "no curve": b'{"rmse": 0.9, "mae": 0.7, "curve": 5}',
    "no text": b"\xff\xfe\x00",
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_counts_as_none_and_is_mended(
    content: bytes, tmp_path: Path, fits: list[dict[str, Any]]
) -> None:
    configurations = {"plain": configure()}
    original = run(tmp_path, configurations)["plain"]
    (file,) = tmp_path.iterdir()
    stored = file.read_bytes()
    file.write_bytes(content)
    assert run(tmp_path, configurations)["plain"] == original
    assert len(fits) == 2
    assert file.read_bytes() == stored


def test_workers_change_no_result(tmp_path: Path) -> None:
    by_one = run(tmp_path / "1", workers=1)
    assert list(by_one) == list(CONFIGURATIONS)
    for workers in (2, 5):
        assert run(tmp_path / str(workers), workers=workers) == by_one
    stored = [{file.name: file.read_bytes() for file in (tmp_path / name).iterdir()} for name in ("1", "2", "5")]
    assert stored[0] == stored[1] == stored[2]


def test_a_trial_scores_the_whole_validation_part(tmp_path: Path) -> None:
    trial = run(tmp_path, {"long": CONFIGURATIONS["long"]})["long"]
    model = SVD(**CONFIGURATIONS["long"].model_dump(), seed=SEED).fit(TRAIN)
    predicted = model.predict(VALIDATION[USER_ID], VALIDATION[MOVIE_ID])
    assert trial.validation_rmse == pytest.approx(root_mean_squared_error(VALIDATION[RATING], predicted), rel=1e-12)
    assert trial.validation_mae == pytest.approx(mean_absolute_error(VALIDATION[RATING], predicted), rel=1e-12)
    assert len(trial.curve) == 7
    assert trial.curve[-1] == pytest.approx(trial.validation_rmse, rel=1e-12)
    assert trial.settings == CONFIGURATIONS["long"].model_dump()


@pytest.mark.parametrize("error", [RuntimeError("failed"), KeyboardInterrupt("failed")], ids=["error", "Ctrl-C"])
def test_what_was_finished_before_a_failure_stays(
    error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = SVD.fit

    def fail_on_seven_epochs(self: SVD, *args: Any, **options: Any) -> SVD:
        if self.epochs == 7:
            raise error
        return original(self, *args, **options)

    with monkeypatch.context() as patched:
        patched.setattr(SVD, "fit", fail_on_seven_epochs)
        with pytest.raises(type(error), match="failed"):
            run(tmp_path, workers=1)
    memory = remember_in(tmp_path)
    assert all(memory.recall(CONFIGURATIONS[name].model_dump()) for name in ("plain", "wide"))
    assert memory.recall(CONFIGURATIONS["long"].model_dump()) is None
    trials = run(tmp_path)
    assert sorted(trials) == sorted(CONFIGURATIONS)
    assert trials["plain"].remembered
    assert not trials["long"].remembered


def test_divergence_names_the_configuration_and_keeps_the_others(tmp_path: Path) -> None:
    configurations = {"plain": configure(), "wild": configure(epochs=20, rate=1.0)}
    with pytest.raises(MovierecError, match=r"^tune\.configurations\.wild: .* diverges .* lower its learning_rate$"):
        run(tmp_path, configurations, workers=1)
    assert remember_in(tmp_path).recall(SETTINGS)


def make_trial(name: str, rmse: float) -> Trial:
    return Trial(name, {"factors": 5, "learning_rate": 0.01}, rmse, rmse / 2, [2.0, rmse])


def test_choose_best() -> None:
    trials = [make_trial("c", 0.8), make_trial("b", 0.7), make_trial("a", 0.9), make_trial("d", 0.7)]
    assert choose_best(trials).configuration == "b"  # before d, its equal
    assert choose_best(trials[::-1]).configuration == "b"


def test_tabulate_trials() -> None:
    table = tabulate_trials([make_trial("b", 0.8), make_trial("a", 1.0)])
    names = ["configuration", "factors", "learning_rate", "validation_rmse", "validation_mae"]
    assert list(table) == names
    assert table.to_numpy().tolist() == [["a", 5, 0.01, 1.0, 0.5], ["b", 5, 0.01, 0.8, 0.4]]


def test_summarize_trials(tmp_path: Path) -> None:
    summary = summarize_trials([make_trial("b", 0.8), make_trial("a", 1.0)])
    results = {"configuration": "b", "validation_rmse": 0.8, "validation_mae": 0.4}
    assert summary == {"best": {**results, "factors": 5, "learning_rate": 0.01}, "trials": 2}
    io.write_json(summary, tmp_path / "tune.json")
    assert json.loads((tmp_path / "tune.json").read_text(encoding="utf-8")) == summary


PROGRAM = """
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from movierec import io
from movierec.errors import run_command
from movierec.models.svd import SVD
from movierec.params import SvdConfiguration
from movierec.tuning import TrialMemory, run_trials

folder, blocked = Path(sys.argv[1]), int(sys.argv[2])
train, validation = io.read_parquet(folder / "train.parquet"), io.read_parquet(folder / "validation.parquet")
original, shutdown = SVD.fit, ThreadPoolExecutor.shutdown

def fit(self, *args, **options):
    if self.factors == blocked:
        print("running", file=sys.stderr, flush=True)
        sys.stdin.read()
    return original(self, *args, **options)

def shutdown_aloud(self, **options):
    if blocked:
        print("stopping", file=sys.stderr, flush=True)
    shutdown(self, **options)

def main():
    settings = {"epochs": 2, "learning_rate": 0.01, "regularization": 0.02}
    configurations = {str(factors): SvdConfiguration(factors=factors, **settings) for factors in range(1, 21)}
    memory = TrialMemory(folder / "trials", train, validation, 0)
    with closing(run_trials(configurations, train, validation, memory, 0, 1)) as trials:
        for trial in trials:
            print(trial.configuration, trial.validation_rmse, trial.curve)

SVD.fit, ThreadPoolExecutor.shutdown = fit, shutdown_aloud
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
run_command(main)
"""


@pytest.fixture
def start(tmp_path: Path) -> Callable[[int], subprocess.Popen[str]]:
    """Start a search over 1 to 20 factors in `tmp_path` that waits for its input at one of them (none if 0)."""
    io.write_parquet(TRAIN, tmp_path / "train.parquet")
    io.write_parquet(VALIDATION, tmp_path / "validation.parquet")

    def start_process(blocked: int) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(tmp_path), str(blocked)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    return start_process


def test_an_interrupted_search_keeps_what_it_has(tmp_path: Path, start: Callable[[int], subprocess.Popen[str]]) -> None:
    with start(4) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "running\n"
        process.send_signal(signal.SIGINT)
        assert process.stderr.readline() == "stopping\n"
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, "interrupted\n")
    assert len(list((tmp_path / "trials").iterdir())) == 3  # the fourth ended early, the others never began
    with start(0) as process:
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    assert len(output.splitlines()) == 20


def test_two_searches_share_a_memory(tmp_path: Path, start: Callable[[int], subprocess.Popen[str]]) -> None:
    with start(0) as one, start(0) as other:
        outputs = [process.communicate(timeout=60) for process in (one, other)]
    assert [one.returncode, other.returncode] == [0, 0], outputs
    assert len(outputs[0][0].splitlines()) == 20
    assert outputs[0] == outputs[1]
    assert len(list((tmp_path / "trials").iterdir())) == 20
    with start(0) as again:
        assert again.communicate(timeout=60) == outputs[0]
