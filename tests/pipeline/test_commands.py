"""The commands of the README, typed for real in a throw-away copy of the project."""

import json
import re
import shlex
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from movierec.data.described_movie import DescribedMovie
from movierec.figures import Name
from movierec.models.roster import load_model
from movierec.roster import BY_NAME
from movierec.service.storage.database import locate_file
from movierec.service.storage.store import Store, StoredRating
from tests.pipeline.conftest import Project, copy_project


def ran(output: str) -> list[str]:
    """List the stages that DVC says it ran."""
    return [line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage")]


def read_metrics(project: Project, stage: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((project.folder / f"metrics/{stage}.json").read_text())
    return content


def check_table(table: str) -> None:
    """Check that what `dvc metrics diff` prints fits a screen and shows each model's RMSE."""
    lines = table.splitlines()
    assert len(lines) <= 45
    assert max(map(len, lines)) <= 100
    changed = [line for line in lines if line.split()[1].endswith(".rmse")]
    assert {"svd.rmse", "als.rmse"} <= {line.split()[1] for line in changed}


def test_the_largest_difference_of_metrics_fits_a_screen(project: Project) -> None:
    project.run("dvc", "exp", "run", "-S", "seed=7", "-S", "synthetic.noise=0.5")
    table = project.run("dvc", "metrics", "diff", "--all")
    check_table(table)
    shown = {line.split()[1] for line in table.splitlines()}
    assert {f"{model}.rmse" for model in BY_NAME} <= shown


def test_no_metric_is_a_string(project: Project) -> None:
    shown = json.loads(project.run("dvc", "metrics", "show", "--json"))
    files = shown[""]["data"]
    assert set(files) == {f"metrics/{path.name}" for path in (project.folder / "metrics").glob("*.json")}
    for name, content in files.items():
        leaves = list(content["data"].values()) if content["data"] else []
        while leaves:
            leaf = leaves.pop()
            leaves += leaf.values() if isinstance(leaf, dict) else []
            assert isinstance(leaf, dict | int | float), name


def test_the_committed_lock_is_current(tmp_path: Path) -> None:
    assert "up to date" in copy_project(tmp_path / "project").run("dvc", "repro", "--allow-missing", "--dry")


def test_a_second_repro_runs_nothing(project: Project) -> None:
    assert ran(project.run("dvc", "repro")) == []
    assert project.run("git", "status", "--porcelain") == ""


def test_repro_rebuilds_only_what_changed(project: Project) -> None:
    project.replace("params.yaml", "power: 0.8", "power: 0.9")
    assert ran(project.run("dvc", "repro")) == ["abtest", "plot"]


def test_a_new_configuration_its_metrics_and_its_parameters(project: Project) -> None:
    before, headline = read_metrics(project, "details/evaluate"), read_metrics(project, "evaluate")
    output = project.run("dvc", "exp", "run", "-S", "factors=100")
    assert ran(output) == ["train_svd", "train_als", "evaluate", "abtest", "plot"]
    after = read_metrics(project, "details/evaluate")
    assert after["svd"]["rmse"] != before["svd"]["rmse"]
    for tuned in ("svd_tuned", "als_tuned"):
        for figures in (before, after):
            del figures[tuned]["factor_diversity@10"]  # the distance of two movies is by ALS's factors
        assert after[tuned] == before[tuned]
    assert after["comparisons"]["rmse"]["bias_vs_popularity"] == before["comparisons"]["rmse"]["bias_vs_popularity"]
    difference = json.loads(project.run("dvc", "metrics", "diff", "--json"))["metrics/evaluate.json"]
    assert difference["svd.rmse"] == {
        "old": headline["svd"]["rmse"],
        "new": after["svd"]["rmse"],
        "diff": pytest.approx(after["svd"]["rmse"] - before["svd"]["rmse"]),
    }
    check_table(project.run("dvc", "metrics", "diff"))
    compared = project.run("python", "-c", "from movierec.cli import main; main()", "compare")
    assert [line for line in compared.splitlines() if "compared with HEAD" in line] == [
        "svd, compared with HEAD",
        "als, compared with HEAD",
    ]
    assert compared.count("factors=100") == 2  # the workspace is that experiment's
    listing = re.search(r"^experiments:.*\n\t@COLUMNS=120 \S*/(.*)$", project.read("Makefile"), re.MULTILINE)
    assert listing
    shown = re.search(r"^SHOWN := (.*)$", project.read("Makefile"), re.MULTILINE)
    assert shown
    command = listing[1].replace("$(SHOWN)", shown[1]).replace("$$", "$")
    table = project.run(*shlex.split(command), variables={"COLUMNS": "120"})
    assert max(map(len, table.splitlines())) <= 120
    assert ["Experiment", "als.ndcg@10", "als_tuned.ndcg@10", "svd.rmse", "svd_tuned.rmse", "dataset", "factors"] in [
        line.split() for line in table.splitlines()
    ]
    estimate = after["svd"]["rmse"] - before["svd"]["rmse"]
    assert f"{estimate:+.4f} (" in compared
    parameters = json.loads(project.run("dvc", "params", "diff", "--json"))
    assert parameters == {"params.yaml": {"factors": {"old": 50, "new": 100, "diff": 50}}}


def test_the_queue_runs_each_configuration(project: Project) -> None:
    project.run("dvc", "exp", "run", "--queue", "-S", "factors=3,4")
    project.run("dvc", "exp", "run", "--run-all")
    shown = json.loads(project.run("dvc", "exp", "show", "--json"))
    factors = set()
    for revision in shown:
        for experiment in revision.get("experiments") or []:
            data = experiment["revs"][0]["data"]
            factors.add(data["params"]["params.yaml"]["data"]["factors"])
            assert data["metrics"]["metrics/evaluate.json"]["data"]["svd"]["rmse"] > 0
    assert factors == {3, 4}


def test_every_committed_plot_is_shown(project: Project) -> None:
    output = project.run("dvc", "plots", "show", "--out", "../shown")
    page = (project.folder.parent / "shown/index.html").read_text()
    assert output.strip().endswith("index.html")
    images = sorted(path.name for path in (project.folder / "plots").glob("*.png"))
    assert len(images) == len(Name)
    assert all(f"plots_{name}" in page for name in images)
    assert all(
        f'id = "{name}"' in page or name in page for name in ("learning_curve_svd", "tuning", "tuning_als", "accuracy")
    )


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("factors=abc", "params.yaml: factors is 'abc': it should be a valid integer (latent dimension)"),
        ("factors=-1", "params.yaml: factors is -1: it should be greater than or equal to 1 (latent dimension)"),
        ("split.test=1.5", "params.yaml: split.test is 1.5: it should be less than 1 (share of the ratings"),
        ("+factros=3", "params.yaml: unknown key 'factros': did you mean 'factors'?"),
        ("dataset=ml-1om", "'ml-1om'"),
    ],
)
def test_bad_parameters_are_refused_before_any_stage_works(project: Project, setting: str, message: str) -> None:
    output = project.run("dvc", "exp", "run", "-S", setting, "-S", "seed=7", fails=True)
    assert ran(output) == ["fetch"]
    assert f"error: {message}" in output or ("error: " in output and message in output)
    assert "Traceback" not in output
    changed = project.run("git", "status", "--porcelain", "metrics", "plots")
    assert (
        changed == " D metrics/details/fetch.json\n D metrics/fetch.json\n"
    )  # DVC removes a stage's outputs before it runs; none is half-written


def test_an_unknown_parameter_is_refused_by_dvc(project: Project) -> None:
    assert "Key 'factros' is not in struct" in project.run("dvc", "exp", "run", "-S", "factros=3", fails=True)


def test_too_few_ratings_after_cleaning(project: Project) -> None:
    output = project.run("dvc", "exp", "run", "-S", "clean.min_movie_ratings=10000", fails=True)
    assert ran(output) == ["clean"]
    assert "error: only 0 of 5000 ratings are left after cleaning" in output
    assert "Traceback" not in output


@pytest.mark.parametrize(
    ("dataset", "ratings", "users", "movies"),
    [("ml-latest-small", 100_836, 610, 9_724), ("ml-100k", 100_000, 943, 1_682)],
)
def test_the_whole_pipeline_on_real_data(
    project: Project, mirror: Path, dataset: str, ratings: int, users: int, movies: int
) -> None:
    project.run("dvc", "exp", "run", "-S", f"dataset={dataset}", variables={"MOVIELENS_MIRROR": str(mirror)})
    cleaned = read_metrics(project, "clean")
    assert (cleaned["ratings"], cleaned["users"], cleaned["movies"]) == (ratings, users, movies)
    figures = read_metrics(project, "evaluate")
    assert figures["svd_tuned"]["rmse"] < figures["svd"]["rmse"]
    assert figures["als"]["ndcg@10"] > figures["popularity"]["ndcg@10"] + 0.1
    assert "noise_floor" not in read_metrics(project, "fetch")


RATINGS = [(user, movie, 1 + (user * movie) % 5, 10**9 + user) for user in range(1, 31) for movie in range(1, 9)]
MOVIES = [(movie, f"Café {movie} (19{movie}0)") for movie in range(1, 10)]
ARCHIVES = {
    "csv": {
        "ratings.csv": "userId,movieId,rating,timestamp\n" + "".join(f"{u},{m},{r}.0,{t}\n" for u, m, r, t in RATINGS),
        "movies.csv": "movieId,title,genres\n" + "".join(f"{movie},{title},Drama|War\n" for movie, title in MOVIES),
    },
    "dat": {
        "ratings.dat": "".join(f"{u}::{m}::{r}::{t}\n" for u, m, r, t in RATINGS),
        "movies.dat": "".join(f"{movie}::{title}::Drama|War\n" for movie, title in MOVIES),
    },
    "tab": {
        "u.data": "".join(f"{u}\t{m}\t{r}\t{t}\n" for u, m, r, t in RATINGS),
        "u.item": "".join(f"{movie}|{title}||||{'|'.join('0' * 19)}\n" for movie, title in MOVIES),
    },
}


@pytest.mark.parametrize("packed", [True, False], ids=["zip", "folder"])
@pytest.mark.parametrize("layout", ARCHIVES)
def test_ones_own_data_in_each_layout(project: Project, tmp_path: Path, layout: str, packed: bool) -> None:  # noqa: FBT001
    encoding = "utf-8" if layout == "csv" else "latin-1"
    contents = {f"ml-own/{name}": text.encode(encoding) for name, text in ARCHIVES[layout].items()}
    source = tmp_path / "ml-own"
    if packed:
        source = tmp_path / "ml-own.zip"
        with zipfile.ZipFile(source, "w") as archive:
            for name, content in contents.items():
                archive.writestr(name, content)
    else:
        source.mkdir()
        for name, content in contents.items():
            (tmp_path / name).write_bytes(content)
    project.run("dvc", "exp", "run", "-S", f"dataset={source}", "clean")
    table = pd.read_parquet(project.folder / "data/clean/ratings")
    assert list(table.itertuples(index=False, name=None)) == RATINGS
    movies = pd.read_parquet(project.folder / "data/clean/movies.parquet")
    assert movies["title"].tolist() == [f"Café {movie}" for movie, _ in MOVIES]
    assert movies["year"].tolist() == [1900 + 10 * movie for movie, _ in MOVIES]


def test_verify_rebuilds_what_is_committed_and_names_what_differs(project: Project) -> None:
    verify = ("python", "-c", "from movierec.cli import main; main()", "verify")
    assert project.run(*verify).endswith(" outputs rebuilt from nothing, every byte as dvc.lock says\n")
    assert project.run("git", "status", "--porcelain") == ""
    lock = (project.folder / "dvc.lock").read_text()
    md5 = lock.split("path: metrics/evaluate.json")[1].split("md5: ")[1][:32]
    project.replace("dvc.lock", md5, "f" * 32)
    project.commit()
    output = project.run(*verify, fails=True).splitlines()[-1]
    assert output == f"error: metrics/evaluate.json differs: dvc.lock says {'f' * 32}, rebuilt it is {md5}"
    project.run("git", "rm", "--quiet", "--cached", "dvc.lock")
    project.run("git", "commit", "--quiet", "--message", "test: forget the lock")
    assert project.run(*verify, fails=True) == "error: dvc.lock is not committed: run `dvc repro`, then commit it\n"


def test_a_movie_that_was_added_while_serving_is_trained_on(project: Project) -> None:
    store, described = Store(locate_file(project.folder)), DescribedMovie(1_000_000_000, "Zebra", 2019, ("Drama",))
    store.add_movie(described, lambda _: described, author=None, timestamp=5)
    for user in range(1, 41):
        store.add_rating(StoredRating(user, 1_000_000_000, 4.0, 2_000_000_000 + user))
    store.close()
    project.run("python", "-c", "from movierec.cli import main; main()", "ratings", "export")
    project.run("dvc", "exp", "run", "-S", "dataset=.movierec/export", "train_als")
    model = load_model(project.folder / "models/als.npz")
    assert 1_000_000_000 in model.movies.ids
    movies = pd.read_parquet(project.folder / "data/clean/movies.parquet").set_index("movie_id")
    assert list(movies.loc[1_000_000_000, ["title", "year"]]) == ["Zebra", 2019]
