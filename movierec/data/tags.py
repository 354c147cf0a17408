"""Reader of the tags that users gave movies, where a data set has them; what a tag is worth is decided elsewhere."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from movierec.columns import MOVIE_ID, USER_ID
from movierec.data.layouts import LAYOUTS
from movierec.data.source_ids import SOURCE_ID, SourceIds
from movierec.errors import MovierecError

TAG: Final = "tag"
TAG_FILES: Final = {"csv": "tags.csv", "dat": "tags.dat", "tab": None}
_CSV_COLUMNS: Final = ("userId", "movieId", "tag")
_ID_LIMIT: Final = 2**31
NO_TAGS: Final = pd.DataFrame(
    {USER_ID: np.empty(0, np.int32), MOVIE_ID: np.empty(0, np.int32), TAG: pd.Series([], dtype="str")}
)


def read_tags(folder: Path, users: pd.DataFrame | None = None, movies: pd.DataFrame | None = None) -> pd.DataFrame:
    """Read every tag of a folder in any layout.

    Parameters
    ----------
    folder : Path
        Holds the files of one of MovieLens's layouts, or other ones; ``tags.csv`` or ``tags.dat`` may be among them.
    users, movies : DataFrame, optional
        As the clean stage writes them. Where they have other codes than the ids of the data, tags get these codes, too:
        those of unlisted movies are left out, and a user without ratings is -1.

    Returns
    -------
    DataFrame
        ``user_id`` and ``movie_id`` int32, ``tag`` str in lower case with single blanks, in the file's order.
        No rows where there is no such file beside one layout's others; a blank tag is left out.

    Raises
    ------
    MovierecError
        If a line of the tags has no ids or too few fields (the message names it).
    """
    found = [each for each in LAYOUTS if all((folder / n).is_file() for n in (each.ratings_file, each.movies_file))]
    name = TAG_FILES[found[0].name] if found else None
    path = folder / name if name else None
    if path is None or not path.is_file():
        return NO_TAGS.copy()
    lines = _csv_lines(path) if found[0].name == "csv" else _dat_lines(path)
    if users is None or movies is None or _are_own_codes(users, movies):
        rows = [_parse(line, fields, path) for line, fields in lines]
        table = pd.DataFrame(rows, columns=list(NO_TAGS.columns)).astype(NO_TAGS.dtypes)
    else:
        own = pd.DataFrame([_part(line, fields, path) for line, fields in lines], columns=list(NO_TAGS.columns))
        for column, listed in ((USER_ID, users), (MOVIE_ID, movies)):
            own[column] = SourceIds.from_table(listed, column).find_all(own[column])
        table = own[own[MOVIE_ID] >= 0].astype(NO_TAGS.dtypes)
    return table[table[TAG] != ""].reset_index(drop=True)


def _are_own_codes(users: pd.DataFrame, movies: pd.DataFrame) -> bool:
    """Tell whether users and movies are called what the data calls them."""
    return SOURCE_ID not in movies and bool((users[USER_ID].astype(str) == users[SOURCE_ID]).all())


def drop_held_out_tags(tags: pd.DataFrame, *held_out: pd.DataFrame) -> pd.DataFrame:
    """Leave out the tags of users for movies whose rating by that user is held out.

    Who tags a movie has most likely watched it, so such a tag would tell a model what it is to predict.

    Parameters
    ----------
    tags : DataFrame
        ``user_id``, ``movie_id`` and ``tag``.
    *held_out : DataFrame
        Parts such as validation and test, with ``user_id`` and ``movie_id``.

    Returns
    -------
    DataFrame
        The other rows, in their order.

    Examples
    --------
    >>> tags = pd.DataFrame({"user_id": [1, 2], "movie_id": [5, 5], "tag": ["noir", "slow"]})
    >>> drop_held_out_tags(tags, pd.DataFrame({"user_id": [2], "movie_id": [5]}))["tag"].tolist()
    ['noir']
    """
    hidden = np.concatenate([np.empty(0, dtype=np.int64), *(_keys(part) for part in held_out)])
    return tags[~np.isin(_keys(tags), hidden)].reset_index(drop=True)


def _keys(table: pd.DataFrame) -> npt.NDArray[np.int64]:
    keys: npt.NDArray[np.int64] = (table[USER_ID].to_numpy(dtype=np.int64) << 32) + table[MOVIE_ID].to_numpy()
    return keys


def _decode(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise MovierecError(f"{path} is not UTF-8 (at byte {error.start + 1}): save it as UTF-8") from error


def _csv_lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(_decode(path), newline=""))
    header = [name.strip() for name in next(reader, [])]
    if missing := [name for name in _CSV_COLUMNS if header.count(name) != 1]:
        raise MovierecError(f"{path}: the first line must name {', '.join(_CSV_COLUMNS)} once, {missing[0]!r} too")
    places = [header.index(name) for name in _CSV_COLUMNS]
    for row in reader:
        if row:
            yield reader.line_num, [row[place] for place in places if place < len(row)]


def _dat_lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(_decode(path).split("\n"), start=1):
        if line.strip():
            user, _, rest = line.partition("::")
            movie, _, rest = rest.partition("::")
            yield number, [user, movie, rest.rpartition("::")[0]]


def _part(line: int, fields: list[str], path: Path) -> tuple[str, str, str]:
    if len(fields) != len(_CSV_COLUMNS):
        raise MovierecError(f"{path}, line {line}: not a user id, a movie id and a tag: correct the file")
    user, movie, tag = fields
    return user.strip(), movie.strip(), " ".join(tag.lower().split())


def _parse(line: int, fields: list[str], path: Path) -> tuple[int, int, str]:
    user, movie, tag = _part(line, fields, path)
    try:
        ids = int(user), int(movie)
    except ValueError as error:
        raise MovierecError(f"{path}, line {line}: not a user id, a movie id and a tag: correct the file") from error
    if not all(0 < each < _ID_LIMIT for each in ids):
        raise MovierecError(f"{path}, line {line}: an id is not in 1 to {_ID_LIMIT - 1}: correct the file")
    return *ids, tag
