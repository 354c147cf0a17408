"""MLflow after real commands of DVC: each result is one run, however it came about."""

import json
import sqlite3
import subprocess
from collections import Counter
from contextlib import closing
from pathlib import Path

from movierec.evaluation.champion import choose_champion
from tests.pipeline.conftest import Project
from tests.pipeline.tracking.runs import ON, dump, keys, parents, read_runs, sync

TRAININGS = ("train_als", "train_bayes", "train_blend", "train_ease", "train_svd")
TRACKED = (*TRAININGS, "tune", "evaluate", "abtest")
PARENTS = ["abtest", "evaluate", *TRAININGS, "tune als", "tune bayes", "tune svd"]


def champion(project: Project) -> str:
    """Name the model that the registry's alias points at."""
    with closing(sqlite3.connect(project.folder / "mlflow.db")) as database:
        query = (
            "select value from model_version_tags t join registered_model_aliases a on t.name = a.name "
            "and t.version = a.version where a.alias = 'champion' and t.key = 'model'"
        )
        ((name,),) = database.execute(query).fetchall()
    return str(name)


def test_sync_logs_each_result_with_all_that_belongs_to_it(synced: Project) -> None:
    assert sorted(run["name"] for run in parents(synced)) == PARENTS
    runs = read_runs(synced)
    assert {run["status"] for run in runs} == {"FINISHED"}
    assert {run["tags"]["dvc.exp"] for run in runs} == {"workspace"}
    head = synced.run("git", "rev-parse", "HEAD").strip()
    assert {run["tags"]["mlflow.source.git.commit"] for run in runs} == {head}
    assert {run["tags"]["dvc.stage"] for run in runs} == set(TRACKED)
    count = Counter(run["tags"]["dvc.stage"] for run in runs)
    assert count == {**dict.fromkeys(TRAININGS, 1), "abtest": 1, "evaluate": 1 + 9, "tune": 1 + 10 + 1 + 4 + 1 + 3}
    metrics = json.loads((synced.folder / "metrics/details/evaluate.json").read_text())
    (tuned,) = (run for run in runs if run["params"].get("model") == "svd_tuned")
    assert tuned["metrics"]["ndcg_at_10"] == metrics["svd_tuned"]["ndcg@10"]
    winner = json.loads((synced.folder / "metrics/details/tune.json").read_text())["svd"]
    assert tuned["params"]["svd.epochs"] == str(winner["epochs"])
    with closing(sqlite3.connect(synced.folder / "mlflow.db")) as database:
        data = database.execute("select name from datasets").fetchall()
        inputs = database.execute(
            "select count(distinct destination_id) from inputs where source_type = 'DATASET'"
        ).fetchone()
        steps = database.execute("select count(*) from metrics where key = 'train_rmse' and step > 0").fetchone()
    assert data == [("synthetic/tiny",)]
    assert inputs == (len(runs),)
    assert steps == (10,)
    assert champion(synced) == choose_champion(metrics)
    runs_folders = [folder for folder in (synced.folder / "mlartifacts").iterdir() if folder.name != "models"]
    files = sorted(path.name for folder in runs_folders for path in folder.rglob("*") if path.is_file())
    for shared in 2 * ("tune_trials.csv", "tune_curves.csv"):  # all three searches have them
        files.remove(shared)
    assert {"train_svd.csv", "tune_curves.csv", "tune_trials.csv", "learning_curve_svd.png", "abtest_power.png"} <= set(
        files
    )
    assert "long_tail.png" not in files  # of the data, not of a run
    assert len(files) == len(set(files))


def test_synchronising_twice_changes_nothing(copy: Project) -> None:
    before = dump(copy)
    assert sync(copy) == "10 results: 0 new, 10 known, 0 updated; 0 new model versions\n"
    assert dump(copy) == before


def test_stages_log_what_sync_would_and_write_the_same_bytes(built: Project, synced: Project, tmp_path: Path) -> None:
    subprocess.run(["cp", "-a", built.folder, tmp_path / "project"], check=True)
    project = Project(tmp_path / "project")
    output = project.run("dvc", "repro", "--force", "--no-run-cache", "--single-item", *TRACKED, variables=ON)
    assert "warning" not in output
    assert project.run("git", "status", "--porcelain") == ""  # dvc.lock holds the hash of every output
    assert keys(project) == keys(synced)
    assert {run["tags"]["dvc.exp"] for run in read_runs(project)} == {"workspace"}
    own = {run["name"]: run["metrics"] for run in parents(project)}
    for name in PARENTS:
        assert own[name]["stage_time_s"] > 0
        assert own[name]["peak_memory_mb"] > 50
    assert own["train_svd"]["stage_time_s"] > own["train_svd"]["training_time_s"] > 0
    assert sync(project).startswith(
        "10 results: 0 new, 10 known, 8 updated;"
    )  # now with figures; EASE and the blend have none
    (project.folder / "mlflow.db").unlink()
    assert sync(project).startswith("10 results: 10 new, 0 known, 0 updated;")
    assert {run["name"]: run["metrics"] for run in parents(project)} == own  # the costs were kept


def test_a_result_that_comes_again_is_the_same_run(copy: Project) -> None:
    before = keys(copy)
    copy.replace("params.yaml", "power: 0.8", "power: 0.9")
    copy.run("dvc", "repro", "abtest", variables=ON)
    assert len(parents(copy)) == 11
    copy.replace("params.yaml", "power: 0.9", "power: 0.8")
    (copy.folder / "models/svd.npz").unlink()
    copy.run("dvc", "repro", "abtest", variables=ON)  # restores the one, repeats the other
    sync(copy)
    assert len(parents(copy)) == 11
    assert sorted(run["tags"]["dvc.exp"] for run in parents(copy)) == ["", *["workspace"] * 10]
    assert set(before) < set(keys(copy))


def test_what_is_committed_can_be_compared_with_the_workspace(copy: Project) -> None:
    copy.replace("params.yaml", "power: 0.8", "power: 0.9")
    copy.run("dvc", "repro", "abtest")
    (copy.folder / "mlflow.db").unlink()
    assert sync(copy).startswith("11 results: 11 new")
    by_name = {run["tags"]["dvc.exp"]: run["name"] for run in parents(copy)}
    assert by_name.pop("HEAD,workspace") != "abtest"
    assert by_name == {"HEAD": "abtest", "workspace": "abtest"}
    copy.commit()
    sync(copy)
    assert sorted(run["tags"]["dvc.exp"] for run in parents(copy)) == ["", *["workspace"] * 10]


def test_experiments_are_synchronised_under_their_names(copy: Project, tmp_path: Path) -> None:
    one = ("dvc", "exp", "run", "--queue")
    copy.run(*one, "--name", "strong", "-S", "abtest.power=0.9")
    copy.run(*one, "--name", "weak", "-S", "abtest.power=0.7")
    copy.run("dvc", "exp", "run", "--run-all", variables=ON)
    assert sorted(run["tags"]["dvc.exp"] for run in parents(copy) if run["name"] == "abtest") == [
        "strong", "weak", "workspace",
    ]  # fmt: skip
    assert sync(copy).startswith("12 results: 0 new, 12 known, ")
    names = {run["tags"]["dvc.exp"] for run in parents(copy) if run["name"] != "abtest"}
    assert names == {"strong,weak,workspace"}
    (copy.folder / "mlflow.db").unlink()
    assert sync(copy).startswith("12 results: 12 new")
    before = dump(copy)
    assert sync(copy).startswith("12 results: 0 new, 12 known, 0 updated")
    assert dump(copy) == before
    copy.run("git", "clone", "--quiet", ".", str(tmp_path / "clone"))
    clone = Project(tmp_path / "clone")
    clone.run("dvc", "exp", "pull", "--no-cache", "origin", "strong", "weak")
    assert "12 results: 12 new, 0 known, 0 updated; 0 new model versions\n" in sync(clone)
    assert keys(clone) == keys(copy)
    copy.run("dvc", "exp", "remove", "weak")
    sync(copy)
    assert sorted(run["tags"]["dvc.exp"] for run in parents(copy) if run["name"] == "abtest") == [
        "", "strong", "workspace",
    ]  # fmt: skip


def test_every_trial_of_a_tpe_search_is_a_run_with_its_settings(copy: Project) -> None:
    copy.replace("params.yaml", "search: grid", "search: tpe")
    copy.replace("params.yaml", "trials: 32", "trials: 6")
    copy.run("dvc", "repro", "tune", variables=ON)
    found = json.loads((copy.folder / "metrics/details/tune.json").read_text())
    (own,) = {run["id"] for run in parents(copy) if run["params"].get("tune.search") == "tpe" and "svd" in run["name"]}
    trials = [run for run in read_runs(copy) if run["tags"].get("mlflow.parentRunId") == own]
    assert len(trials) == found["svd"]["trials"] == 10 + 6
    assert all({"configuration", "factors", "svd.epochs", "svd.learning_rate"} <= set(run["params"]) for run in trials)
    states = Counter(run["tags"]["state"] for run in trials)
    assert [states["pruned"], states["diverged"]] == [found["svd"]["pruned"], found["svd"]["diverged"]]
