"""What a result is remembered under: all that it depends on, and nothing else."""

import importlib
import inspect
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.stage_code import trace_imports
from movierec.tuning.objective import Objective
from tests.tuning.conftest import CONTENT, SEED, TRAIN, VALIDATION, als_objective, bayes_objective, svd_objective

ROOT = Path(__file__).parents[2]
OBJECTIVES: tuple[Objective, ...] = (svd_objective(), als_objective(), bayes_objective())
MODULES = [(each, module) for each in OBJECTIVES for module in each.code]


CONTENT_MODULE = "movierec.data.content"  # what comes of it is part of the key


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
def test_other_data_is_another_key(other: str) -> None:
    assert svd_objective(*OTHER_DATA[other]()).key != svd_objective().key


def test_a_boundary_between_the_parts_is_seen() -> None:
    # Column after column, both are the numbers 1 to 9: users 1, movies 2, stars 3 | users 4, 5, movies 6, 7, stars 8, 9
    # and users 1, 2, movies 3, 4, stars 5, 6 | users 7, movies 8, stars 9.
    columns = (USER_ID, MOVIE_ID, RATING)
    flat = np.arange(1, 10, dtype=np.int32)

    def find_key(rows: int) -> str:
        parts = flat[: 3 * rows].reshape(3, -1), flat[3 * rows :].reshape(3, -1)
        train, validation = (pd.DataFrame(dict(zip(columns, part, strict=True))) for part in parts)
        return svd_objective(train, validation).key

    assert find_key(1) != find_key(2)


def test_the_key_is_the_same_for_the_same() -> None:
    assert svd_objective().key == svd_objective(TRAIN.copy(), VALIDATION.copy()).key
    assert als_objective().key == als_objective().key


def test_trials_share_what_is_indexed() -> None:
    for objective in (svd_objective(), als_objective()):
        assert objective.data is objective.data
        assert objective.data.table is TRAIN


def test_times_matter_where_they_are_used() -> None:
    assert svd_objective(TRAIN.assign(timestamp=0), VALIDATION).key == svd_objective().key
    assert bayes_objective(TRAIN.assign(timestamp=0), VALIDATION).key != bayes_objective().key


def test_another_seed_model_or_threshold_is_another_key() -> None:
    keys = {svd_objective().key, svd_objective(seed=SEED + 1).key, als_objective().key, als_objective(3.5).key}
    assert len(keys | {als_objective(seed=SEED + 1).key}) == 5


def test_other_content_is_another_key() -> None:
    other = replace(CONTENT, factors=CONTENT.factors + np.float32(0.1))
    assert len({als_objective(content=content).key for content in (None, CONTENT, other)}) == 3
    assert als_objective(content=CONTENT).key == als_objective(content=replace(CONTENT)).key


@pytest.mark.parametrize(("each", "module"), MODULES, ids=[f"{each.model} {module}" for each, module in MODULES])
def test_other_code_is_another_key(each: Objective, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = each.key
    changed, original = importlib.import_module(module), inspect.getsource
    monkeypatch.setattr(inspect, "getsource", lambda one: original(one) + "# new" * (one is changed))
    vars(each).pop("key")
    assert each.key != before
    vars(each).pop("key")


@pytest.mark.parametrize(("each", "library"), [(each, name) for each in OBJECTIVES for name in each.libraries])
def test_another_version_of_a_library_is_another_key(
    each: Objective, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = each.key
    monkeypatch.setattr(f"{Objective.__module__}.version", lambda name: version(name) + "+1" * (name == library))
    vars(each).pop("key")
    assert each.key != before
    vars(each).pop("key")


def imported_by(module: str) -> set[str]:
    """Name a first-party module, those that it imports, and those that they import."""
    files = trace_imports([ROOT / f"{module.replace('.', '/')}.py"], ROOT)
    names = (path.relative_to(ROOT).with_suffix("") for path in files if path.name != "__init__.py")
    return {".".join(name.parts) for name in names}


@pytest.mark.parametrize(
    ("each", "harmless"),
    [
        # Names, messages, files, rankings and tables.
        (
            svd_objective(),
            {
                "columns",
                "data.exclusions",
                "errors",
                "feedback",
                "io",
                "metrics.ratios",
                "models.chunks",
                "models.top_k",
                "paths",
                "plot_tables",
                "roster",
            },
        ),
        (
            als_objective(),
            {
                "columns",
                "errors",
                "feedback",
                "io",
                "models.sgd.schedule",
                "models.shared_ranking",
                "paths",
                "plot_tables",
                "roster",
            },
        ),
    ],
    ids=["svd", "als"],
)
def test_all_code_that_can_move_a_score_is_part_of_the_key(each: Objective, harmless: set[str]) -> None:
    needed = imported_by(type(each).__module__)
    assert set(each.code) <= needed
    assert needed - set(each.code) <= {f"movierec.{name}" for name in harmless} | imported_by(CONTENT_MODULE)
