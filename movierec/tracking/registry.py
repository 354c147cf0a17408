"""The evaluated models in MLflow's registry, as arrays and source; what they answer is in `served_model`."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
from filelock import FileLock

import movierec
from movierec import paths
from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.data.source_ids import SOURCE_ID
from movierec.errors import MovierecError
from movierec.evaluation.champion import choose_champion, list_fitted, read_validation_ndcg
from movierec.io import read_json, read_parquet, write_parquet
from movierec.lockfile import LOCK, hash_output
from movierec.recommender.own_ids import OwnIds
from movierec.tracking.git import read_commit
from movierec.tracking.snapshots import read_snapshot

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel
    from mlflow.models import ModelSignature

NAME: Final = "movie-recommender"
CHAMPION: Final = "champion"
KEY: Final = "movierec.model_key"
NEEDS: Final = (
    "filelock",
    "mlflow",
    "numba",
    "numpy",
    "pandas",
    "pyarrow",
    "pydantic",
    "rapidfuzz",
    "ruamel.yaml",
    "scipy",
    "tabulate",
)
LOCK_TIMEOUT_S: Final = 300  # nine models are registered in ten seconds on an idle machine
FIGURES: Final = paths.DETAILS / "evaluate.json"
SCRIPT: Final = Path(__file__).with_name("served_model.py")


@dataclass(frozen=True)
class Registration:
    """What `register_models` found and did.

    Attributes
    ----------
    versions : dict of str to str
        Version of ``movie-recommender`` by the model's name.
    new : tuple of str
        Names of the models registered by this call.
    skipped : tuple of str
        One sentence a model that is not what dvc.lock says.
    """

    versions: dict[str, str]
    new: tuple[str, ...]
    skipped: tuple[str, ...]


def register_models(
    client: "MlflowClient", experiment_id: str, folder: Path = Path(), run_ids: Mapping[str, str] | None = None
) -> Registration:
    """Register each evaluated model once, and point the alias ``champion`` at the best one by validation.

    Parameters
    ----------
    client : MlflowClient
        Of the store to write to.
    experiment_id : str
        Where the models are logged.
    folder : Path
        The project: dvc.lock and the files that it names.
    run_ids : mapping of str to str, optional
        The run that evaluated each model, by the model's name; a model without one gets a run of its own.

    Returns
    -------
    Registration
        The alias is left alone when the champion's file is among the skipped.

    Raises
    ------
    MovierecError
        If dvc.lock knows no evaluation; or the data or the figures of it are absent or others than it says.
    """
    lock = _read_lock(folder)
    for path in (paths.TRAIN, paths.VALIDATION, FIGURES):
        if not _is_as_locked(folder, path, lock):
            raise MovierecError(f"{path} is not the one that dvc.lock names: run `dvc repro` or `dvc checkout`")
    figures = read_json(folder / FIGURES)
    champion = choose_champion(figures)
    fitted = list_fitted(figures)
    ready = [name for name in fitted if _is_as_locked(folder, _model_path(name), lock)]
    skipped = tuple(f"{_model_path(name)} is not the one that dvc.lock names" for name in fitted if name not in ready)
    commit = read_commit(folder)
    tags = {name: _describe(name, figures, lock, commit) for name in ready}
    with FileLock(_make(paths.state_dir()) / "registry.lock", timeout=LOCK_TIMEOUT_S), _fluent(client):
        versions = {name: found for name in ready if (found := _find_version(client, tags[name][KEY]))}
        new = tuple(name for name in ready if name not in versions)
        if new:
            missing = {name: tags[name] for name in new}
            versions |= _log_models(client, experiment_id, folder, missing, run_ids or {})
        if champion in versions:
            _point_champion(client, versions[champion])
    return Registration(versions, new, skipped)


def _read_lock(folder: Path) -> dict[str, str]:
    """Return the md5 of every file that the evaluate stage read or wrote, by path, as dvc.lock says."""
    stage = read_snapshot(folder).stages.get("evaluate")
    if not stage:
        raise MovierecError(f"{folder / LOCK} knows no evaluation: run `dvc repro`")
    return {**stage.deps, **stage.outs}


def _model_path(name: str) -> Path:
    return paths.MODELS / f"{name}.npz"


def _make(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _is_as_locked(folder: Path, path: Path, lock: Mapping[str, str]) -> bool:
    return path.as_posix() in lock and hash_output(folder / path) == lock[path.as_posix()]


def _describe(name: str, figures: Mapping[str, Any], lock: Mapping[str, str], commit: str) -> dict[str, str]:
    """Return a version's tags; the key stands for the model and for the data that its answers depend on."""
    md5s = [lock[path.as_posix()] for path in (_model_path(name), paths.TRAIN, paths.VALIDATION)]
    return {
        KEY: hashlib.sha256(" ".join([name, *md5s]).encode()).hexdigest(),
        "model": name,
        "md5": md5s[0],
        "validation_ndcg_at_10": f"{read_validation_ndcg(figures, name):.6f}",
        "git_commit": commit,
    }


@contextmanager
def _fluent(client: "MlflowClient") -> Iterator[None]:
    """Let MLflow's functions without a client parameter use this client's store."""
    import mlflow  # noqa: PLC0415  # takes a second

    before = mlflow.get_tracking_uri() if mlflow.is_tracking_uri_set() else None
    mlflow.set_tracking_uri(client.tracking_uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(before)


def _find_version(client: "MlflowClient", key: str) -> str | None:
    found = client.search_model_versions(f"name = '{NAME}' and tags.`{KEY}` = '{key}'")
    return min((str(each.version) for each in found), key=int, default=None)


def _log_models(
    client: "MlflowClient",
    experiment_id: str,
    folder: Path,
    tags: Mapping[str, Mapping[str, str]],
    run_ids: Mapping[str, str],
) -> dict[str, str]:
    """Log and register models that share their movies and ratings; return their versions by name."""
    from movierec.tracking import served_model  # noqa: PLC0415  # imports MLflow

    parts = (read_parquet(folder / path, (USER_ID, MOVIE_ID, RATING)) for path in (paths.TRAIN, paths.VALIDATION))
    ratings = pd.concat(parts).sort_values([USER_ID, MOVIE_ID], ignore_index=True)
    with TemporaryDirectory() as temporary:
        shared = {
            served_model.RATINGS: Path(temporary) / "ratings.parquet",
            served_model.MOVIES: folder / paths.CLEAN_MOVIES,
        }
        write_parquet(ratings, shared[served_model.RATINGS])
        users = ratings[[USER_ID]].drop_duplicates().nsmallest(2, USER_ID).astype("int64")
        own_movies = SOURCE_ID in read_parquet(shared[served_model.MOVIES])
        own_users = OwnIds.from_table(read_parquet(folder / paths.CLEAN_USERS), USER_ID)
        if own_users.are_text:
            shared[served_model.USERS] = folder / paths.CLEAN_USERS
            users[USER_ID] = pd.Series(own_users.name(users[USER_ID].tolist()), users.index, dtype="str")
        signature = _sign(text_users=own_users.are_text, text_movies=own_movies)
        versions = {}
        for name, of_model in tags.items():
            files = {served_model.MODEL: folder / _model_path(name), **shared}
            run_id = run_ids.get(name) or _create_run(client, experiment_id, name, of_model)
            model = client.create_logged_model(experiment_id, NAME, run_id, dict(of_model))
            _log_model(run_id, model.model_id, files, users, signature)
            versions[name] = _register(client, model, of_model)
        return versions


def _create_run(client: "MlflowClient", experiment_id: str, name: str, tags: Mapping[str, str]) -> str:
    run = client.create_run(experiment_id, run_name=name, tags=dict(tags))
    client.set_terminated(run.info.run_id)
    return str(run.info.run_id)


def _log_model(
    run_id: str, model_id: str, files: Mapping[str, Path], users: pd.DataFrame, signature: "ModelSignature"
) -> None:
    """Fill a logged model; MLflow would make one of its own in the default experiment."""
    from mlflow import pyfunc  # noqa: PLC0415  # takes a second
    from mlflow.models import Model  # noqa: PLC0415

    Model.log(
        artifact_path=None,
        name=NAME,
        model_id=model_id,
        flavor=pyfunc,
        run_id=run_id,
        python_model=str(SCRIPT),
        artifacts={name: str(path.resolve()) for name, path in files.items()},
        code_paths=[os.fspath(Path(movierec.__file__).parent)],
        signature=signature,
        input_example=(users, {"k": 3}),
        pip_requirements=[f"{package}=={version(package)}" for package in NEEDS],
    )


def _sign(*, text_users: bool, text_movies: bool) -> "ModelSignature":
    from mlflow.models import ModelSignature  # noqa: PLC0415  # takes a second
    from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema  # noqa: PLC0415

    from movierec.tracking.served_model import K  # noqa: PLC0415

    user, movie = ("string" if is_text else "long" for is_text in (text_users, text_movies))
    columns = {USER_ID: user, "rank": "long", MOVIE_ID: movie, "score": "double", "strategy": "string"}
    return ModelSignature(
        inputs=Schema([ColSpec(user, USER_ID)]),
        outputs=Schema([ColSpec(kind, column) for column, kind in columns.items()]),
        params=ParamSchema([ParamSpec("k", "long", K)]),
    )


def _register(client: "MlflowClient", model: "LoggedModel", tags: Mapping[str, str]) -> str:
    """Make a version of a logged model, as ``mlflow.register_model`` does, which tells the user of each."""
    if not client.search_registered_models(f"name = '{NAME}'"):
        client.create_registered_model(NAME)
    source = model.artifact_location
    return str(client.create_model_version(NAME, source, tags=dict(tags), model_id=model.model_id).version)


def _point_champion(client: "MlflowClient", wanted: str) -> None:
    aliases: Mapping[str, Any] = client.get_registered_model(NAME).aliases
    if str(aliases.get(CHAMPION)) != wanted:
        client.set_registered_model_alias(NAME, CHAMPION, wanted)
