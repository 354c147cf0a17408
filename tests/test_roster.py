"""The roster names every model once, and everything that is derived from it agrees."""

from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from movierec.models.roster import CLASSES, list_models, load_model, obtain_model
from movierec.roster import (
    BY_NAME,
    EXPLORING,
    ROSTER,
    SERVED,
    STORED,
    TUNED,
    VALIDATION_NDCG,
    VALIDATION_RMSE,
    ModelName,
)
from tests.beds import random_bed


def test_every_model_has_a_name_of_its_own_and_a_class_of_its_kind() -> None:
    assert len(BY_NAME) == len(ROSTER)
    assert {entry.kind for entry in ROSTER} == set(CLASSES)
    assert all(cls.name == kind for kind, cls in CLASSES.items())


def test_what_is_stored_says_by_what_it_is_chosen() -> None:
    assert {BY_NAME[name].decided_by for name in STORED} == {VALIDATION_RMSE, VALIDATION_NDCG}
    assert set(SERVED) == {*STORED, *EXPLORING, "popularity"}
    assert all(entry.kind == kind and entry.stage in {"tune", f"train_{kind}"} for kind, entry in TUNED.items())


def test_a_name_is_checked_and_listed_in_the_schema() -> None:
    adapter: TypeAdapter[str] = TypeAdapter(ModelName)
    assert adapter.json_schema()["enum"] == list(BY_NAME)
    assert adapter.validate_python("svd") == "svd"
    with pytest.raises(ValidationError, match="Input should be 'svd', .* or 'popularity'"):
        adapter.validate_python("sdv")


def test_stored_models_are_loaded_and_the_others_fitted(tmp_path: Path) -> None:
    train = random_bed().train
    for name in STORED:
        kind = CLASSES[BY_NAME[name].kind]
        kind().fit(train).save(tmp_path / f"{name}.npz")
    assert list_models() == list(BY_NAME)
    assert list_models(implicit=True) == [name for name, entry in BY_NAME.items() if not entry.needs_ratings]
    found = {name: obtain_model(name, tmp_path, train) for name in list_models()}
    assert {name: model.name for name, model in found.items()} == {name: entry.kind for name, entry in BY_NAME.items()}
    assert load_model(tmp_path / "svd_tuned.npz").name == "svd"
