from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException

from movierec.columns import MOVIE_ID, USER_ID
from movierec.errors import MovierecError
from movierec.io import write_parquet
from movierec.models.roster import load_model
from movierec.recommender.catalogue import PRIOR_RATINGS
from movierec.roster import STORED
from movierec.tracking.served_model import ServedModel
from tests.tracking.stored_models import BED, build_project

KNOWN = [5, 3, 80]
STRANGER = 2**40
SEEN = pd.concat([BED.train, BED.validation]).sort_values([USER_ID, MOVIE_ID], ignore_index=True)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_project(tmp_path_factory.mktemp("served") / "project")


@pytest.fixture(scope="module")
def artifacts(project: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    files = {"model": project / "models/als_tuned.npz", "movies": project / "data/clean/movies.parquet"}
    files["ratings"] = tmp_path_factory.mktemp("artifacts") / "ratings.parquet"
    write_parquet(SEEN, files["ratings"])
    return {name: str(path) for name, path in files.items()}


def load(artifacts: dict[str, str]) -> ServedModel:
    model = ServedModel()
    model.load_context(SimpleNamespace(artifacts=artifacts))
    return model


def recommend(artifacts: dict[str, str], users: list[int], **params: Any) -> pd.DataFrame:
    return load(artifacts).predict(None, pd.DataFrame({USER_ID: np.array(users, dtype=np.int64)}), params or None)


@pytest.mark.parametrize("name", STORED)
def test_answers_are_those_of_recommend(project: Path, artifacts: dict[str, str], name: str) -> None:
    path = project / f"models/{name}.npz"
    found = recommend({**artifacts, "model": str(path)}, KNOWN, k=7)
    movies, scores = load_model(path).recommend(KNOWN, 7, exclude=BED.seen)
    assert found[MOVIE_ID].tolist() == movies.ravel().tolist()
    np.testing.assert_allclose(found["score"], scores.ravel(), rtol=1e-5)
    assert found[USER_ID].tolist() == np.repeat(KNOWN, 7).tolist()
    assert found["rank"].tolist() == [*range(1, 8)] * 3
    assert set(found["strategy"]) == {"personal"}


def test_nothing_seen_is_recommended_and_all_else_is(artifacts: dict[str, str]) -> None:
    found = recommend(artifacts, KNOWN, k=200)
    for user in KNOWN:
        seen = set(BED.seen[MOVIE_ID][BED.seen[USER_ID] == user])
        assert set(found[MOVIE_ID][found[USER_ID] == user]) == set(BED.catalogue.ids.tolist()) - seen


def test_a_stranger_gets_the_bayesian_averages_of_the_service(artifacts: dict[str, str]) -> None:
    found = recommend(artifacts, [STRANGER, -1])
    assert set(found["strategy"]) == {"popular"}
    overall = SEEN["rating"].astype(float).mean()
    rated = (SEEN["rating"].astype(float) - overall).groupby(SEEN[MOVIE_ID]).agg(["sum", "count"])
    means = (overall + rated["sum"] / (rated["count"] + PRIOR_RATINGS)).sort_values(ascending=False)[:10]
    assert found[MOVIE_ID].tolist() == means.index.tolist() * 2
    np.testing.assert_allclose(found["score"], np.tile(means, 2))


def test_a_stranger_to_the_model_with_ratings_in_validation_is_folded_in(
    artifacts: dict[str, str], tmp_path: Path
) -> None:
    best = recommend(artifacts, [STRANGER], k=1)[MOVIE_ID].item()
    more = pd.concat([SEEN, pd.DataFrame({USER_ID: [999], MOVIE_ID: [best], "rating": [5.0]})])
    write_parquet(more.sort_values([USER_ID, MOVIE_ID]), tmp_path / "ratings.parquet")
    with_validation = {**artifacts, "ratings": str(tmp_path / "ratings.parquet")}
    found = recommend(with_validation, [999])
    assert best not in found[MOVIE_ID].tolist()
    assert set(found["strategy"]) == {"folded_in"}
    assert best in recommend(with_validation, [998])[MOVIE_ID].tolist()


def test_a_user_asked_for_twice_is_answered_once_in_the_first_place(artifacts: dict[str, str]) -> None:
    found = recommend(artifacts, [5, STRANGER, 5, 3], k=2)
    assert found[USER_ID].tolist() == [5, 5, STRANGER, STRANGER, 3, 3]
    assert found["strategy"].tolist() == ["personal"] * 2 + ["popular"] * 2 + ["personal"] * 2


def test_nobody_gets_an_empty_table_of_the_same_types(artifacts: dict[str, str]) -> None:
    empty, full = recommend(artifacts, []), recommend(artifacts, KNOWN)
    assert len(empty) == 0
    assert list(empty) == list(full) == [USER_ID, "rank", MOVIE_ID, "score", "strategy"]
    assert empty.dtypes[:4].equals(full.dtypes[:4])


@pytest.mark.parametrize("k", [0, -1, 201, 10**12])
def test_k_out_of_range_is_refused(artifacts: dict[str, str], k: int) -> None:
    with pytest.raises(MlflowException, match=f"k is {k}: ask for 1 to 200 movies"):
        recommend(artifacts, KNOWN, k=k)


def test_a_file_that_holds_another_kind_is_refused(project: Path, tmp_path: Path) -> None:
    (tmp_path / "svd.npz").write_bytes((project / "models/als.npz").read_bytes())
    with pytest.raises(MovierecError, match="holds a model 'als', not 'svd'"):
        load_model(tmp_path / "svd.npz")


def test_pickled_arrays_are_refused(artifacts: dict[str, str], tmp_path: Path) -> None:
    np.savez(tmp_path / "als.npz", user_ids=np.array([{}], dtype=object))
    with pytest.raises(MovierecError, match="no model file or is damaged"):
        load({**artifacts, "model": str(tmp_path / "als.npz")})


def test_own_ids_that_are_text_go_in_and_come_out(project: Path, artifacts: dict[str, str], tmp_path: Path) -> None:
    users, movies = (pd.read_parquet(project / f"data/clean/{name}.parquet") for name in ("users", "movies"))
    write_parquet(users.assign(source_id=[f"U{code}" for code in users[USER_ID]]), tmp_path / "users.parquet")
    write_parquet(movies.assign(source_id=[f"B{code}" for code in movies[MOVIE_ID]]), tmp_path / "movies.parquet")
    files = {**artifacts, **{name: str(tmp_path / f"{name}.parquet") for name in ("users", "movies")}}
    asked = pd.DataFrame({USER_ID: [f"U{code}" for code in KNOWN]})
    found, codes = load(files).predict(None, asked, {"k": 3}), recommend(artifacts, KNOWN, k=3)
    assert found[USER_ID].tolist() == [f"U{code}" for code in codes[USER_ID]]
    assert found[MOVIE_ID].tolist() == [f"B{code}" for code in codes[MOVIE_ID]]
    assert found["score"].tolist() == codes["score"].tolist()
    assert set(load(files).predict(None, pd.DataFrame({USER_ID: ["nobody"]}))["strategy"]) == {"popular"}
