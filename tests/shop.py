"""A folder as the pipeline leaves it, with tiny data: what the service is started in."""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
import yaml

from movierec import io, paths
from movierec.columns import USER_ID
from movierec.data.catalogue import list_users
from movierec.data.clean import clean_ratings
from movierec.data.content import describe_movies
from movierec.data.parts import cut_parts
from movierec.data.readers import read_movies, read_ratings
from movierec.data.split import split_ratings
from movierec.data.synthetic import PRESETS, write_synthetic
from movierec.models.als import ALS
from movierec.models.bayes import Bayes
from movierec.models.blend import Blend
from movierec.models.ease import EASE
from movierec.models.svd import SVD
from movierec.recommender.artifacts import Artifacts, load_artifacts
from movierec.recommender.engine import Engine
from movierec.service.storage.store import Store
from tests.service.databases import Server, run_server

CLEAN = {"sample_fraction": 1.0, "min_user_ratings": 1, "min_movie_ratings": 1, "iterate": True, "max_bad_fraction": 0}
FIGURES = {
    "svd": {"rmse": 0.91, "validation_ndcg@10": 0.05},
    "svd_tuned": {"rmse": 0.9, "validation_ndcg@10": 0.06},
    "als": {"rmse": 0.95, "validation_ndcg@10": 0.2},
    "als_tuned": {"rmse": 0.94, "validation_ndcg@10": 0.25},
    "ease": {"rmse": 0.93, "validation_ndcg@10": 0.22},
    "blend": {"rmse": 0.93, "validation_ndcg@10": 0.23},
    "bayes": {"rmse": 0.85, "validation_ndcg@10": 0.08},
}


def build_shop(root: Path) -> None:
    """Make what the stages make: cleaned data, seven models, figures, dvc.lock. Tests change a copy only."""
    (root / paths.RAW).mkdir(parents=True)
    write_synthetic(root / paths.RAW, PRESETS["tiny"], noise=0.8, seed=42)
    raw = read_ratings(root / paths.RAW)
    tables, report = clean_ratings(raw, **CLEAN, seed=42)  # type: ignore[arg-type]
    ratings = pd.concat(tables, ignore_index=True)
    parts = split_ratings(ratings, "random", 0.1, 0.2, 42)
    io.write_parts(cut_parts([ratings], 2_000), root / paths.CLEAN_RATINGS)
    movies = read_movies(root / paths.RAW)
    io.write_parquet(movies, root / paths.CLEAN_MOVIES)
    describe_movies(movies, size=30).save(root / paths.CONTENT)
    io.write_parquet(list_users(raw, ratings[USER_ID]), root / paths.CLEAN_USERS)
    io.write_json({"scale": report.scale._asdict(), "implicit": 0}, root / paths.DETAILS / "clean.json")
    for name, factors in (("svd", 8), ("svd_tuned", 12)):
        SVD(factors, epochs=20, seed=42).fit(parts["train"]).save(root / paths.MODELS / f"{name}.npz")
    for name, factors in (("als", 12), ("als_tuned", 8)):
        als = ALS(factors, regularization=5.0, seed=42).fit(parts["train"]).calibrate(parts["validation"])
        als.save(root / paths.MODELS / f"{name}.npz")
    ease = EASE(regularization=20.0, max_movies=150).fit(parts["train"]).calibrate(parts["validation"])
    ease.save(root / paths.MODELS / "ease.npz")
    Blend(weight=0.6).adopt(ease, als).calibrate(parts["validation"]).save(root / paths.MODELS / "blend.npz")
    bayes = Bayes(factors=3, sweeps=12, burn_in=4, directions=4, samples=8, seed=42)
    bayes.fit(parts["train"], movies=movies).save(root / paths.MODELS / "bayes.npz")
    io.write_json(FIGURES, root / paths.DETAILS / "evaluate.json")
    for stage, kind, rmse in (("train_svd", "svd", 0.92), ("tune", "svd", 0.91), ("train_bayes", "bayes", 0.9)):
        io.write_json({kind: {"validation_rmse": rmse}}, root / paths.METRICS / f"{stage}.json")
    lock_shop(root)


def lock_shop(root: Path) -> None:
    """Write dvc.lock for what is in the folder now."""
    clean = (root / paths.CLEAN_MOVIES, root / paths.CLEAN_USERS)
    files = [*clean, root / paths.CONTENT, *(root / paths.MODELS).iterdir(), *(root / paths.METRICS).rglob("*.json")]
    outputs = [{"path": file.relative_to(root).as_posix(), "md5": md5(file.read_bytes())} for file in sorted(files)]
    parts = sorted((root / paths.CLEAN_RATINGS).iterdir())
    listing = json.dumps([{"md5": md5(file.read_bytes()), "relpath": file.name} for file in parts])
    outputs.append({"path": paths.CLEAN_RATINGS.as_posix(), "md5": md5(listing.encode()) + ".dir"})
    lock = {"schema": "2.0", "stages": {"all": {"cmd": "make", "outs": outputs}, "none": {"cmd": "true"}}}
    (root / "dvc.lock").write_text(yaml.safe_dump(lock))


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that the pipeline could have left; not to be changed."""
    root = tmp_path_factory.mktemp("shop") / "shop"
    build_shop(root)
    return root


@pytest.fixture
def own_shop(shop: Path, tmp_path: Path) -> Path:
    """Return a copy of the shop that a test may change."""
    shutil.copytree(shop, tmp_path / "shop")
    return tmp_path / "shop"


@pytest.fixture(scope="session")
def artifacts(shop: Path) -> Artifacts:
    return load_artifacts(shop)


@pytest.fixture(scope="session")
def engine(artifacts: Artifacts) -> Engine:
    return Engine(artifacts)


@pytest.fixture(scope="session")
def running_server() -> Iterator[Server]:
    """Return a PostgreSQL server; a test that stops it starts it again."""
    with run_server() as running:
        yield running


@pytest.fixture
def server(running_server: Server) -> Server:
    """Return the server, empty."""
    running_server.empty()
    return running_server


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """Return the URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{request.getfixturevalue('tmp_path') / 'ratings.db'}"
    server: Server = request.getfixturevalue("server")
    return server.url


@pytest.fixture
def opened() -> Iterator[Callable[[str], Store]]:
    """Return a function that opens a store, which is closed after the test."""
    stores: list[Store] = []

    def open_store(url: str) -> Store:
        stores.append(Store(url))
        return stores[-1]

    yield open_store
    for store in stores:
        store.close()
