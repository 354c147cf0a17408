"""The whole pipeline and the service on text ids graded 1 to 10, on likes alone, and on plays without times."""

import json
from pathlib import Path

import pandas as pd
import pytest
from polars import col, lit
from typer.testing import CliRunner

from movierec import paths
from movierec.cli import app
from movierec.errors import MovierecError
from movierec.feedback import LEFT_OUT, NO_RATINGS
from movierec.figures import Name
from movierec.io import read_json, read_parquet
from movierec.models.base import Recommender
from movierec.models.roster import load_model
from movierec.plot_tables import COLUMNS, TEXT
from movierec.recommender.artifacts import load_artifacts
from movierec.recommender.engine import Engine
from movierec.roster import NEED_RATINGS, STORED
from movierec.service.storage.database import locate_file
from tests.pipeline.own_data import EACH, ITEMS, USERS, make_events, run_pipeline
from tests.service.clients import ready, recommend, set_up

pytestmark = pytest.mark.anyio
FIRST_TIME = 1_600_000_000


@pytest.fixture(scope="module")
def survey(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("survey")
    events = make_events(lambda user: f"U/{user:03d}", lambda item: f"B{item:09d}")
    graded = events.with_row_index().with_columns(
        rating=(col("index") * 7) % 10 + 1, timestamp=FIRST_TIME + col("index")
    )
    graded.drop("index").write_csv(folder / "grades.csv")
    return run_pipeline(folder / "project", folder / "grades.csv")


@pytest.fixture(scope="module")
def likes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("likes")
    make_events(lambda user: f"U/{user:03d}", lambda item: f"B{item:09d}").write_csv(folder / "likes.csv")
    return run_pipeline(folder / "project", folder / "likes.csv")


@pytest.fixture(scope="module")
def plays(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plays")
    events = make_events(lambda user: user + 1, lambda item: item + 1)
    events.with_columns(plays=(col("user_id") * col("item_id")) % 30 + lit(1)).write_parquet(folder / "plays.parquet")
    return run_pipeline(folder / "project", folder / "plays.parquet")


@pytest.mark.parametrize("shape", ["likes", "plays"])
def test_events_leave_out_what_needs_ratings(request: pytest.FixtureRequest, shape: str) -> None:
    project: Path = request.getfixturevalue(shape)
    evaluated = read_json(project / paths.DETAILS / "evaluate.json")
    assert evaluated[LEFT_OUT] == dict.fromkeys(NEED_RATINGS, NO_RATINGS)
    fitted = {name for name in evaluated if name not in {LEFT_OUT, "comparisons", "data"}}
    assert fitted == {"als", "als_tuned", "ease", "blend", "popularity"}
    assert not [key for name in fitted for key in evaluated[name] if "rmse" in key or "mae" in key]
    assert evaluated["blend"]["ndcg@10"] > evaluated["popularity"]["ndcg@10"]
    assert set(evaluated["comparisons"]) == {"ndcg@10"}
    for name in ("svd", "svd_tuned", "bayes"):
        with pytest.raises(MovierecError, match=f"{name}.npz holds no model: no ratings"):
            load_model(project / paths.MODELS / f"{name}.npz")
    for table in ("clean_ratings", "train_svd", "train_bayes", "tune_svd", "evaluate_accuracy", "evaluate_calibration"):
        (row,) = pd.read_csv(project / paths.PLOTS / f"{table}.csv").to_dict("records")
        assert list(row) == [LEFT_OUT, *COLUMNS[table]]  # `dvc plots` wants the columns that dvc.yaml names
        assert {column for column, value in row.items() if pd.isna(value)} == {*COLUMNS[table]} - TEXT
    assert read_json(project / paths.METRICS / "train_svd.json") == {"svd": {}}
    assert {path.stem for path in (project / paths.PLOTS).glob("*.png")} == set(Name)
    users = read_parquet(project / paths.PER_USER)
    assert "squared_error" not in users
    assert users["n_test"].sum() == 5 * evaluated["data"]["test_ratings"]


def test_confidence_grows_with_the_logarithm_of_counts(plays: Path) -> None:
    model = load_model(plays / paths.MODELS / "als.npz")
    assert isinstance(model, Recommender)
    assert model.counts
    blend = load_model(plays / paths.MODELS / "blend.npz")
    assert blend.counts


def test_every_output_of_a_survey_is_on_its_scale(survey: Path) -> None:
    cleaned = read_json(survey / paths.DETAILS / "clean.json")
    assert cleaned["scale"] == {"low": 1.0, "high": 10.0, "step": 1.0}
    assert (cleaned["ratings"], cleaned["users"], cleaned["movies"]) == (USERS * EACH, USERS, ITEMS)
    artifacts = load_artifacts(survey)
    assert set(artifacts.models) == set(STORED)
    profile = artifacts.profiles.find("U/007")
    movies = ["B000000003", "B000000004"]
    for model in STORED:
        stars = Engine(artifacts).predict(profile, movies, model).stars
        assert ((stars >= 1) & (stars <= 10)).all()


@pytest.mark.parametrize("shape", ["survey", "likes", "plays"])
def test_recommend_prints_own_ids(
    request: pytest.FixtureRequest, shape: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(request.getfixturevalue(shape))
    monkeypatch.setenv("MOVIEREC_DATABASE_URL", locate_file(tmp_path))
    user, first = ("4", "") if shape == "plays" else ("U/003", "B")
    printed = (
        CliRunner().invoke(app, ["recommend", "--user", user, "-k", "3", "--explain"], catch_exceptions=False).output
    )
    header = printed.splitlines()[2].split()
    assert header == ["title", "movie", "score", *(["rating", "low", "high"] if shape == "survey" else [])]
    assert printed.splitlines()[3].split()[1].startswith(first)
    assert (" of 10 for " in printed) == (shape == "survey")
    found = json.loads(CliRunner().invoke(app, ["recommend", "--user", user, "--json"]).output)
    assert found["user_id"] == (4 if shape == "plays" else user)
    assert all((item["predicted_rating"] is None) == (shape != "survey") for item in found["items"])


async def test_service_takes_events_where_there_are_no_ratings(likes: Path, tmp_path: Path) -> None:
    async with ready(set_up(likes, tmp_path)) as client:
        scale = (await client.get("/v1/genres")).json()
        assert (scale["feedback"], scale["text_ids"]) == ("implicit", True)
        models = (await client.get("/v1/models")).json()
        assert (models["rating_model"], set(NEED_RATINGS) & set(models["models"])) == (None, set())
        event = {"user_id": "new", "movie_id": "B000000004"}
        refused = await client.post("/v1/ratings", json={**event, "rating": 5})
        assert (refused.status_code, refused.json()["detail"]) == (
            422, "body.rating: this data has events without ratings: leave the rating out"
        )  # fmt: skip
        for movie in (4, 6, 8):
            stored = await client.post("/v1/ratings", json={"user_id": "new", "movie_id": f"B{movie:09d}"})
            assert (stored.status_code, stored.json()["rating"]) == (201, None)
        answer = await recommend(client, "new", k=4, explain=True)
        assert answer["strategy"] == "folded_in"
        ids = [item["movie"]["movie_id"] for item in answer["items"]]
        assert not {"B000000004", "B000000006", "B000000008"} & set(ids)
        assert all(int(own[1:]) % 2 == 0 for own in ids)  # the half of the items that suits them
        assert {item["predicted_rating"] for item in answer["items"]} == {None}
        own = (await client.get("/v1/users/new/ratings")).json()["ratings"]
        assert [(each["rating"], each["source"]) for each in own] == [(1.0, "service")] * 3
        predicted = await client.post("/v1/predictions", json={"pairs": [event]})
        assert predicted.status_code == 409
        assert (await recommend(client, "nobody"))["strategy"] == "popular"


async def test_service_counts_repeated_events(plays: Path, tmp_path: Path) -> None:
    async with ready(set_up(plays, tmp_path)) as client:
        for second in range(3):
            body = {"user_id": 900, "movie_id": 7, "timestamp": FIRST_TIME + second}
            assert (await client.post("/v1/ratings", json=body)).status_code == 201
        own = (await client.get("/v1/users/900/ratings")).json()["ratings"]
        assert [(each["movie"]["movie_id"], each["rating"]) for each in own] == [(7, 3.0)]


async def test_ids_may_hold_a_slash(survey: Path, tmp_path: Path) -> None:
    async with ready(set_up(survey, tmp_path)) as client:
        answer = await recommend(client, "U%2F007", k=2)
        assert (answer["user_id"], answer["strategy"]) == ("U/007", "personal")
        assert len((await client.get("/v1/users/U%2F007/ratings")).json()["ratings"]) == EACH
        refused = await client.post("/v1/ratings", json={"user_id": "U/007", "movie_id": "B000000001"})
        assert (refused.status_code, refused.json()["detail"]) == (
            422, "body.rating: the ratings of this data are from 1 to 10 in steps of 1"
        )  # fmt: skip
