"""The MovieLens archives that movierec knows by name: addresses and checksums, but nothing that reads them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from movierec.errors import MovierecError
from movierec.text import find_nearest

GROUPLENS: Final = "https://files.grouplens.org/datasets/movielens"
SYNTHETIC: Final = "synthetic"


@dataclass(frozen=True)
class Dataset:
    """An archive and what proves it genuine: its own md5, or else the sha256 of the members that hold the data.

    Attributes
    ----------
    name : str
        What `dataset` says in params.yaml; the archive is `name`.zip.
    url : str
        Where GroupLens publishes the archive.
    md5 : str or None
        Of the whole archive, as GroupLens publishes it; None where it changes with each release.
    members : mapping of str to str
        sha256 by path below the archive's top folder. They also prove a copy that was zipped again.
        Empty where only `md5` is known.
    """

    name: str
    url: str
    md5: str | None = None
    members: Mapping[str, str] = field(default_factory=dict)


def _grouplens(name: str, md5: str | None, members: Mapping[str, str] = MappingProxyType({})) -> Dataset:
    return Dataset(name, f"{GROUPLENS}/{name}.zip", md5, members)


_ML_100K_MEMBERS = {
    "u.data": "06416e597f82b7342361e41163890c81036900f418ad91315590814211dca490",
    "u.item": "553841ebc7de3a0fd0d6b62a204ea30c1e651aacfb2814c7a6584ac52f2c5701",
    "u.genre": "9757e0d3e6b298159a80dd48eaf938114690e911e39af97a76949ef1663610bb",
}
_ML_LATEST_SMALL_MEMBERS = {  # the release of 2018-09
    "ratings.csv": "aa289ca83157595d0df6aea1be6a4ded676ddc4385472e8313a8ed9805352646",
    "movies.csv": "5a5f32dd9bb3797b8e728a1b98958789d2b13f294a69fdfbc5727f8a9611aa07",
}

DATASETS: dict[str, Dataset] = {
    dataset.name: dataset
    for dataset in (
        _grouplens("ml-100k", "0e33842e24a9c977be4e0107933c0723", _ML_100K_MEMBERS),
        _grouplens("ml-1m", "c4d9eecfca2ab87c1945afe126590906"),
        _grouplens("ml-10m", "ce571fd55effeba0271552578f2648bd"),
        _grouplens("ml-20m", "cd245b17a1ae2cc31bb14903e1204af3"),
        _grouplens("ml-25m", "6b51fb2759a8657d3bfcbfc42b592ada"),
        _grouplens("ml-32m", "d472be332d4daa821edc399621853b57"),
        _grouplens("ml-latest-small", None, _ML_LATEST_SMALL_MEMBERS),
    )
}


def find_dataset(name: str) -> Dataset:
    """Look up a registered data set.

    Parameters
    ----------
    name : str
        Exactly as registered, in lower case.

    Returns
    -------
    Dataset
        Its entry in `DATASETS`.

    Raises
    ------
    MovierecError
        If the name is unknown; the message holds the nearest name and everything that `dataset` may be.

    Examples
    --------
    >>> find_dataset("ml-25m").url
    'https://files.grouplens.org/datasets/movielens/ml-25m.zip'
    """
    if name in DATASETS:
        return DATASETS[name]
    known = [SYNTHETIC, *DATASETS]
    raise MovierecError(
        f"unknown data set {name!r}: did you mean {find_nearest(name.lower(), known)!r}? "
        f"Allowed are {', '.join(known)}, or the path, http(s) or s3 address of a table or zip of ratings, "
        "or of a folder"
    )
