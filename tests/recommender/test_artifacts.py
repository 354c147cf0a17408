import pickle
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from movierec import io, paths
from movierec.errors import MovierecError
from movierec.evaluation.champion import choose_champion
from movierec.recommender import artifacts as module
from movierec.recommender.artifacts import Artifacts, fingerprint, load_artifacts
from movierec.roster import BY_NAME, STORED
from tests.pipeline.conftest import project_environment
from tests.shop import FIGURES, lock_shop

PART = "data/clean/ratings/part-00001.parquet"
FILES = [
    *(f"models/{name}.npz" for name in STORED),
    *(f"metrics/{name}.json" for name in ("details/evaluate", "train_svd", "tune")),
    PART,
    "data/clean/movies.parquet",
]


def refuse(root: Path, message: str) -> None:
    with pytest.raises(MovierecError, match=message):
        load_artifacts(root)


def test_a_bundle_is_what_the_pipeline_made(artifacts: Artifacts) -> None:
    assert re.fullmatch("[0-9a-f]{12}", artifacts.version)
    assert (artifacts.champion, artifacts.rating_model, artifacts.baseline_rmse) == ("als_tuned", "bayes", 0.85)
    assert {name: model.name for name, model in artifacts.models.items()} == {
        name: BY_NAME[name].kind for name in STORED
    }
    assert len(artifacts.catalogue) == 240
    assert artifacts.profiles.find(int(artifacts.models["als"].users.ids[0])).trained


def test_the_version_depends_on_the_files_and_on_nothing_else(artifacts: Artifacts, own_shop: Path) -> None:
    assert load_artifacts(own_shop).version == artifacts.version
    io.write_json(FIGURES | {"als": FIGURES["als"] | {"rmse": 0.96}}, own_shop / "metrics/details/evaluate.json")
    lock_shop(own_shop)
    assert load_artifacts(own_shop).version != artifacts.version


@pytest.mark.parametrize("name", [*FILES, "dvc.lock"])
def test_a_missing_file_is_named(own_shop: Path, name: str) -> None:
    (own_shop / name).unlink()
    refuse(own_shop, "data/clean/ratings is not what dvc.lock names" if name == PART else f"{name} is missing")


@pytest.mark.parametrize("name", FILES)
def test_a_file_with_one_other_byte_is_refused(own_shop: Path, name: str) -> None:
    path = own_shop / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    output = "data/clean/ratings" if name == PART else name
    refuse(own_shop, f"{output} is not what dvc.lock names")


def test_a_file_that_dvc_does_not_know_is_refused(own_shop: Path) -> None:
    lock = own_shop / "dvc.lock"
    lock.write_text(lock.read_text().replace("models/als.npz", "models/other.npz"))
    refuse(own_shop, "models/als.npz is not what dvc.lock names .* instead of none")


@pytest.mark.parametrize(
    "content", ["", "stages", "[]", "stages: {a: {outs: [{path: x}]}}", "<<<<<<< HEAD\n=======\n", "a: [", "\x00"]
)
def test_a_damaged_lock_is_refused(own_shop: Path, content: str) -> None:
    (own_shop / "dvc.lock").write_text(content)
    refuse(own_shop, "dvc.lock is damaged")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 torn", pickle.dumps({"user_factors": [1]})])
def test_a_locked_file_that_is_no_model_is_refused_and_never_unpickled(own_shop: Path, content: bytes) -> None:
    (own_shop / "models/als.npz").write_bytes(content)
    lock_shop(own_shop)
    refuse(own_shop, r"models/als.npz is no model file or is damaged")


def test_a_model_of_objects_is_refused(own_shop: Path) -> None:
    with (own_shop / "models/als.npz").open("wb") as file:
        np.savez(file, settings=np.array([object()], dtype=object))
    lock_shop(own_shop)
    refuse(own_shop, "models/als.npz is no model file or is damaged")


def test_figures_without_a_validation_metric_are_refused(own_shop: Path) -> None:
    io.write_json({"als": {"ndcg@10": 0.9}}, own_shop / "metrics/details/evaluate.json")
    lock_shop(own_shop)
    refuse(own_shop, "evaluate.json has no validation_ndcg@10 of als")


def test_stars_come_from_the_model_with_the_lowest_validation_error(own_shop: Path) -> None:
    io.write_json({"svd": {"validation_rmse": 0.8}}, own_shop / "metrics/train_svd.json")
    lock_shop(own_shop)
    found = load_artifacts(own_shop)
    assert (found.rating_model, found.baseline_rmse) == ("svd", 0.91)


def test_a_file_that_changes_while_it_is_read_is_refused(own_shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def choose_and_replace(figures: Mapping[str, Any]) -> str:
        path = own_shop / paths.MODELS / "als.npz"
        path.write_bytes(path.read_bytes() + b" ")
        return choose_champion(figures)

    monkeypatch.setattr(module, "choose_champion", choose_and_replace)
    refuse(own_shop, "models/als.npz changed while it was being read")


@pytest.mark.parametrize("name", [*FILES, "dvc.lock"])
def test_a_fingerprint_changes_with_every_file(own_shop: Path, name: str) -> None:
    before = fingerprint(own_shop)
    assert fingerprint(own_shop) == before
    with (own_shop / name).open("ab") as file:
        file.write(b" ")
    after = fingerprint(own_shop)
    assert after != before
    (own_shop / name).unlink()
    assert fingerprint(own_shop) not in (before, after)


def test_the_folders_hash_is_dvcs(own_shop: Path) -> None:
    for command in (("init", "--no-scm"), ("add", "data/clean/ratings")):
        words = [sys.executable, "-m", "dvc", *command, "--quiet"]
        subprocess.run(words, cwd=own_shop, check=True, env=project_environment(own_shop))
    added = re.search(r"md5: (\w+\.dir)", (own_shop / "data/clean/ratings.dvc").read_text())
    assert added
    assert added[1] in (own_shop / "dvc.lock").read_text()
