"""Every fit is registered once, and the alias follows the figures."""

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from movierec import paths
from movierec.errors import MovierecError
from movierec.io import read_parquet, write_parts
from movierec.lockfile import hash_file
from movierec.models.als import ALS
from movierec.roster import STORED
from movierec.tracking.registry import KEY, NAME, register_models
from tests.tracking.registry.mlflow_store import Store, champion
from tests.tracking.stored_models import BED, VALUES, write_figures, write_lock

pytestmark = pytest.mark.usefixtures("quiet")


def test_every_model_has_one_version_with_its_tags(registered: Store, project: Path) -> None:
    versions = registered.client.search_model_versions(f"name = '{NAME}'")
    assert sorted(version.tags["model"] for version in versions) == sorted(STORED)
    for version in versions:
        assert version.tags["md5"] == hash_file(project / f"models/{version.tags['model']}.npz")
        assert float(version.tags["validation_ndcg_at_10"]) == VALUES[version.tags["model"]]
        assert version.status == "READY"
    assert len({version.tags[KEY] for version in versions}) == len(STORED)
    assert champion(registered.client) == "als_tuned"


def test_a_model_belongs_to_the_run_that_is_given(registered: Store) -> None:
    version = registered.client.get_model_version_by_alias(NAME, "champion")
    run = registered.client.get_run(version.run_id)
    (output,) = run.outputs.model_outputs
    model = registered.client.get_logged_model(output.model_id)
    assert (model.source_run_id, model.experiment_id) == (version.run_id, registered.experiment_id)
    assert (model.name, model.status, model.tags[KEY]) == (NAME, "READY", version.tags[KEY])
    assert len(registered.client.search_runs([registered.experiment_id])) == len(STORED)


def test_twice_changes_nothing(store: Store, project: Path) -> None:
    before = store.dump()
    again = register_models(store.client, store.experiment_id, project)
    assert (again.new, again.skipped) == ((), ())
    assert set(again.versions) == set(STORED)
    assert store.dump() == before


def test_two_at_once_register_once(template: Path, project: Path, tmp_path: Path) -> None:
    shutil.copy(template / "mlflow.db", tmp_path)
    Store(tmp_path)
    code = (
        "import sys; from pathlib import Path; from mlflow import MlflowClient\n"
        "from movierec.tracking.registry import register_models\n"
        "client = MlflowClient(sys.argv[1]); experiment = client.get_experiment_by_name('movierec').experiment_id\n"
        "print(len(register_models(client, experiment, Path(sys.argv[2])).new))"
    )
    command = [sys.executable, "-c", code, f"sqlite:///{tmp_path}/mlflow.db", str(project)]
    with ThreadPoolExecutor() as pool:
        runs = [pool.submit(subprocess.run, command, capture_output=True, text=True, check=False) for _ in range(2)]
    results = [run.result() for run in runs]
    assert sorted(result.stdout.strip() for result in results) == ["0", str(len(STORED))], [
        each.stderr for each in results
    ]


def test_the_alias_follows_the_figures(store: Store, changing: Path) -> None:
    write_figures(changing, svd=0.4)
    write_lock(changing)
    assert register_models(store.client, store.experiment_id, changing).new == ()
    assert champion(store.client) == "svd"


def test_a_new_fit_is_a_new_version_and_a_changed_file_is_none(store: Store, changing: Path) -> None:
    ALS(factors=3, iterations=1).fit(BED.train).save(changing / "models/als_tuned.npz")
    before = store.dump()
    found = register_models(store.client, store.experiment_id, changing)
    assert found.skipped == ("models/als_tuned.npz is not the one that dvc.lock names",)
    assert store.dump() == before
    write_lock(changing)
    found = register_models(store.client, store.experiment_id, changing)
    assert found.new == ("als_tuned",)
    newest = str(len(STORED) + 1)
    assert found.versions["als_tuned"] == newest
    assert str(store.client.get_model_version_by_alias(NAME, "champion").version) == newest


def test_without_the_champions_file_the_alias_stays(store: Store, changing: Path) -> None:
    write_figures(changing, svd=0.4)
    write_lock(changing)
    (changing / "models/svd.npz").unlink()
    found = register_models(store.client, store.experiment_id, changing)
    assert found.skipped == ("models/svd.npz is not the one that dvc.lock names",)
    assert champion(store.client) == "als_tuned"


@pytest.mark.parametrize("name", ["data/split/train", "data/split/validation", "metrics/details/evaluate.json"])
def test_other_data_or_figures_than_the_locks_are_refused(store: Store, changing: Path, name: str) -> None:
    path = changing / name
    (path / "part-00000.parquet" if path.is_dir() else path).write_bytes(b"{}")
    with pytest.raises(MovierecError, match=rf"{name} is not the one that dvc.lock names: run `dvc repro`"):
        register_models(store.client, store.experiment_id, changing)


def test_other_data_is_another_model(store: Store, changing: Path) -> None:
    write_parts([read_parquet(changing / paths.VALIDATION)[:-1]], changing / paths.VALIDATION)
    write_lock(changing)
    assert set(register_models(store.client, store.experiment_id, changing).new) == set(STORED)


@pytest.mark.parametrize("lock", [None, "", "stages: {}", "stages: {evaluate: 3}", "a: [", "stages: {evaluate: {}}"])
def test_a_lock_without_an_evaluation_is_refused(store: Store, tmp_path: Path, lock: str | None) -> None:
    if lock is not None:
        (tmp_path / "dvc.lock").write_text(lock)
    with pytest.raises(MovierecError, match="dvc.lock"):
        register_models(store.client, store.experiment_id, tmp_path)
