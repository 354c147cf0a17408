"""What the pipeline made, verified and loaded: models, movies and ratings; nothing here answers a question."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from movierec import io, paths
from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.data.content import Content
from movierec.errors import MovierecError
from movierec.evaluation.champion import choose_champion, list_fitted
from movierec.lockfile import LOCK, hash_output, list_outputs, read_lock
from movierec.models.base import Recommender
from movierec.models.bayes import Bayes
from movierec.models.roster import load_model
from movierec.recommender.catalogue import Catalogue
from movierec.recommender.own_ids import OwnIds
from movierec.recommender.profiles import Profiles
from movierec.roster import BY_NAME, ROSTER, STORED, VALIDATION_RMSE
from movierec.scales import Scale

_EVALUATED: Final = paths.DETAILS / "evaluate.json"
_RATING_MODELS: Final = {  # where their validation RMSE is; the ALS's stars were calibrated on validation
    entry.name: paths.METRICS / f"{entry.stage}.json" for entry in ROSTER if entry.decided_by == VALIDATION_RMSE
}
_CLEANED: Final = paths.DETAILS / "clean.json"
_METRICS: Final = (_EVALUATED, _CLEANED, *_RATING_MODELS.values())
_CLEAN: Final = (paths.CLEAN_MOVIES, paths.CLEAN_RATINGS, paths.CLEAN_USERS)
_MODEL_FILES: Final = {name: paths.MODELS / f"{name}.npz" for name in STORED}
_FILES: Final = (*_CLEAN, paths.CONTENT, *_MODEL_FILES.values(), *_METRICS)


@dataclass(frozen=True, eq=False)
class Artifacts:
    """Everything that the service answers from, never changed.

    With the default data its models' arrays take 105 MB; loading takes 1.2 s, and the process grows by 280 MB.

    Attributes
    ----------
    version : str
        12 hex digits of the SHA-256 of the hashes that dvc.lock gives the files.
    champion : str
        Name of the best ranking model, by NDCG@10 on validation.
    models : mapping of str to Recommender
        Every stored model of the roster by its name; all know the same users and movies.
    catalogue : Catalogue
        All movies of data/clean.
    profiles : Profiles
        All ratings of data/clean.
    scale : Scale
        Of the ratings.
    baseline_rmse : float
        Of `rating_model` on the test part, in stars.
    rating_model : str or None
        Name of the model that predicts stars: the one with the lowest RMSE on validation among those that are chosen
        by it; None where there are no ratings.
    implicit : bool
        Whether there are events instead of ratings; what else is called a rating is the count of a pair's events.
    content : Content or None
        Of the movies, to place new ones among them; None where nobody can add any.
    """

    version: str
    champion: str
    models: Mapping[str, Recommender]
    catalogue: Catalogue
    profiles: Profiles
    scale: Scale
    baseline_rmse: float
    rating_model: str | None
    implicit: bool = False
    content: Content | None = None


def load_artifacts(root: Path) -> Artifacts:
    """Load what the pipeline made, after checking that it is what dvc.lock names.

    Parameters
    ----------
    root : Path
        The folder of dvc.lock.

    Returns
    -------
    Artifacts
        Of files that did not change while they were hashed and read.

    Raises
    ------
    MovierecError
        Naming the file that is absent, is damaged, has another hash than dvc.lock says, or changed meanwhile.
    """
    before = fingerprint(root)
    version = _verify(root)
    evaluated, cleaned = io.read_json(root / _EVALUATED), io.read_json(root / _CLEANED)
    implicit, champion = bool(cleaned["implicit"]), choose_champion(evaluated)
    rating_model = None if implicit else _choose_rating_model(root)
    ratings = io.read_parquet(root / paths.CLEAN_RATINGS, (USER_ID, MOVIE_ID, RATING))
    catalogue = Catalogue(io.read_parquet(root / paths.CLEAN_MOVIES), ratings, counts=implicit)
    users = OwnIds.from_table(io.read_parquet(root / paths.CLEAN_USERS), USER_ID)
    models = {name: _load_model(root / _MODEL_FILES[name]) for name in list_fitted(evaluated)}
    artifacts = Artifacts(
        version=version,
        champion=champion,
        models=models,
        catalogue=catalogue,
        profiles=Profiles(ratings, models[champion].users, users, catalogue.ids, counts=implicit),
        scale=Scale(**cleaned["scale"]),
        baseline_rmse=_find_metric(evaluated, rating_model, "rmse", _EVALUATED) if rating_model else math.nan,
        rating_model=rating_model,
        implicit=implicit,
        content=Content.load(root / paths.CONTENT),
    )
    changed = [name for name, *state in set(before) ^ set(fingerprint(root))]
    if changed:
        raise MovierecError(f"{min(changed)} changed while it was being read: wait for `dvc repro` to end, try again")
    return artifacts


def gather_artifacts(model: Path, movies: Path, ratings: Path, users: Path | None = None) -> Artifacts:
    """Gather what a single stored model answers from, outside the project's folder.

    Parameters
    ----------
    model : Path
        ``NAME.npz`` of the roster.
    movies, ratings : Path
        Parquet files as the clean stage writes them, the ratings of any choice of rows.
    users : Path, optional
        As they; without it the users' ids are their own codes.

    Returns
    -------
    Artifacts
        The model is the champion and, where there are ratings, the rating model; its error is not known (NaN).

    Raises
    ------
    MovierecError
        If a file is absent or damaged.
    """
    loaded, table = _load_model(model), io.read_parquet(ratings, (USER_ID, MOVIE_ID, RATING))
    catalogue = Catalogue(io.read_parquet(movies), table, counts=loaded.counts)
    own = OwnIds.from_table(io.read_parquet(users), USER_ID) if users else OwnIds()
    return Artifacts(
        version=model.stem,
        champion=model.stem,
        models={model.stem: loaded},
        catalogue=catalogue,
        profiles=Profiles(table, loaded.users, own, catalogue.ids, counts=loaded.counts),
        scale=Scale.detect(table[RATING]),
        baseline_rmse=math.nan,
        rating_model=None if loaded.counts else model.stem,
        implicit=loaded.counts,
    )


def fingerprint(root: Path) -> tuple[tuple[str, int, int, int], ...]:
    """Return name, inode, time of change and size of each file that `load_artifacts` reads, zeros for an absent one.

    Takes microseconds and reads no file: as long as two are equal, no reload is due.
    """
    files = (each for name in _FILES for each in _list_files(root / name))
    return tuple(_stat(each) for each in (root / LOCK, *files))


def _list_files(path: Path) -> list[Path]:
    return sorted(path.iterdir()) if path.is_dir() else [path]


def _load_model(path: Path) -> Recommender:
    model = load_model(path)
    return model.shed() if isinstance(model, Bayes) else model


def _choose_rating_model(root: Path) -> str:
    rmse = {
        name: _find_metric(io.read_json(root / path), BY_NAME[name].kind, VALIDATION_RMSE, path)
        for name, path in _RATING_MODELS.items()
    }
    return min(rmse, key=lambda name: rmse[name])


def _find_metric(found: Mapping[str, Any], model: str, metric: str, path: Path) -> float:
    try:
        value = float(found[model][metric])
    except (KeyError, TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise MovierecError(f"{path} has no {metric} of {model}: run `dvc repro` to make it")
    return value


def _verify(root: Path) -> str:
    """Compare every file with dvc.lock and return the version."""
    locked = list_outputs(read_lock(root).values())
    found = {path.as_posix(): _hash(root / path) for path in _FILES}
    for name, digest in found.items():
        if locked.get(name) != digest:
            raise MovierecError(
                f"{root / name} is not what dvc.lock names (md5 {digest} instead of {locked.get(name, 'none')}): "
                "run `dvc checkout` or `dvc repro`"
            )
    return hashlib.sha256(json.dumps(sorted(found.items())).encode()).hexdigest()[:12]


def _hash(path: Path) -> str:
    digest = hash_output(path)
    if digest is None:
        raise MovierecError(f"{path} is missing: run `dvc repro` to make it")
    return digest


def _stat(path: Path) -> tuple[str, int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return str(path), 0, 0, 0
    return str(path), found.st_ino, found.st_mtime_ns, found.st_size
