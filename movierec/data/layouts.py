"""Which files of a folder hold the ratings and the movies, and which of their columns are what; rows are read later."""

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from movierec.data import guessing
from movierec.data.guessing import GENRES, ITEM, RATING, TIMESTAMP, TITLE, USER, YEAR
from movierec.data.table_parts import blank_numbers, join_parts
from movierec.data.tables import FORMATS, Table, find_format, open_table
from movierec.errors import MovierecError
from movierec.settings import AUTO, ColumnParams, SourceParams

GUESS_ALL: Final = SourceParams(
    ratings=AUTO,
    movies=AUTO,
    separator=AUTO,
    decimal="auto",
    ids="auto",
    columns=ColumnParams(user=AUTO, item=AUTO, rating=AUTO, timestamp=AUTO, title=AUTO, genres=AUTO, year=AUTO),
)
_NO_HEADER: Final = {"ratings.dat": "::", "u.data": "\t"}
_NO_HEADER_COLUMNS: Final = (USER, ITEM, RATING, TIMESTAMP)


@dataclass(frozen=True)
class Layout:
    """How a MovieLens release calls its files.

    Attributes
    ----------
    name : str
        ``csv`` (with a header), ``dat`` (separated by ``::``) or ``tab`` (ml-100k).
    ratings_file, movies_file : str
        Both must be in the folder.
    """

    name: str
    ratings_file: str
    movies_file: str


LAYOUTS: Final = (
    Layout("csv", "ratings.csv", "movies.csv"),
    Layout("dat", "ratings.dat", "movies.dat"),
    Layout("tab", "u.data", "u.item"),
)


@dataclass(frozen=True)
class Source:
    """What is read of a folder.

    Attributes
    ----------
    layout : str
        Of MovieLens, ``csv``, ``dat`` or ``tab``; else ``own``.
    ratings : Table
        One row a rating, or an event.
    roles : dict of str to str
        Column of `ratings` by what it is: ``user`` and ``item``, and where there are any ``rating``, ``timestamp``
        and ``title``.
    is_implicit : bool
        Whether rows say that there was something, not how good it was; ``rating`` is a count then.
    movies : Table or None
        None where there is no such file. Of ``dat`` and ``tab`` it names no columns.
    movie_roles : dict of str to str
        Column of `movies`: ``item`` and ``title``, perhaps ``genres`` and ``year``; empty of ``dat`` and ``tab``.
    """

    layout: str
    ratings: Table
    roles: dict[str, str]
    is_implicit: bool = False
    movies: Table | None = None
    movie_roles: dict[str, str] = field(default_factory=dict)

    @property
    def has_times(self) -> bool:
        """Whether the ratings have times."""
        return TIMESTAMP in self.roles


def find_source(
    folder: Path, params: SourceParams = GUESS_ALL, feedback: str = AUTO, label: str | None = None
) -> Source:
    """Tell which files of a folder are read, and what their columns are.

    Parameters
    ----------
    folder : Path
        Holds the files, directly or in folders below.
    params : SourceParams
        What the user says of them; all else is guessed by names.
    feedback : str
        ``auto``, ``explicit`` or ``implicit``.
    label : str, optional
        What to call the folder in an error; its path by default.

    Raises
    ------
    MovierecError
        If no file has ratings or more than one could be it, or a column cannot be told; the message names them.
    """
    found = [each for each in LAYOUTS if all((folder / n).is_file() for n in (each.ratings_file, each.movies_file))]
    if len(found) > 1:
        known = ", or ".join(f"{each.ratings_file} and {each.movies_file}" for each in found)
        raise MovierecError(f"{label or folder} holds more than one MovieLens layout ({known}): keep one of them")
    if found and params.ratings == params.movies == AUTO:
        return _read_layout(folder, found[0], params, feedback)
    files, unusable = _open_tables(folder, params)
    tables = join_parts(files)
    if unusable and params.ratings == AUTO and not any(_may_be_ratings(table, params) for table in tables):
        raise next(iter(unusable.values()))  # it may be the one
    ratings = _choose_ratings(folder, tables, params, label or str(folder))
    movies = _choose_movies(folder, [table for table in tables if table != ratings], params)
    _refuse_damaged_parts(ratings, params.ratings, unusable)
    if movies:
        _refuse_damaged_parts(movies, params.movies or AUTO, unusable)
    return _describe("own", ratings, movies, params, feedback)


def _read_layout(folder: Path, layout: Layout, params: SourceParams, feedback: str) -> Source:
    path, movies = folder / layout.ratings_file, folder / layout.movies_file
    if layout.name == "csv":
        ratings, listed = (open_table(each, params.separator, params.decimal) for each in (path, movies))
        return _describe("csv", ratings, listed, params, feedback)
    bare = Table(path, "text", _NO_HEADER_COLUMNS, separator=_NO_HEADER[path.name], quote=None)
    is_implicit = feedback == "implicit" or params.columns.rating is None
    absent = {RATING} if is_implicit else set()
    absent |= {TIMESTAMP} if params.columns.timestamp is None else set()
    roles = {name: name for name in _NO_HEADER_COLUMNS if name not in absent}
    return Source(layout.name, bare, roles, is_implicit, movies=Table(movies, "text", ()))


def _describe(layout: str, ratings: Table, movies: Table | None, params: SourceParams, feedback: str) -> Source:
    columns = params.columns
    roles = {name: guessing.require_column(ratings, name, getattr(columns, name)) for name in (USER, ITEM)}
    rating, is_implicit = guessing.find_rating(ratings, columns, feedback)
    found = {RATING: rating, TIMESTAMP: guessing.find_column(ratings, TIMESTAMP, columns.timestamp)}
    if movies is None:
        found[TITLE] = guessing.find_column(ratings, TITLE, columns.title)
    roles |= {name: column for name, column in found.items() if column is not None}
    return Source(layout, ratings, roles, is_implicit, movies, _find_movie_roles(movies, columns) if movies else {})


def _find_movie_roles(movies: Table, columns: ColumnParams) -> dict[str, str]:
    item = AUTO if columns.item not in movies.columns else columns.item
    roles = {
        ITEM: guessing.require_column(movies, ITEM, item),
        TITLE: guessing.require_column(movies, TITLE, columns.title),
    }
    optional = {name: guessing.find_column(movies, name, getattr(columns, name)) for name in (GENRES, YEAR)}
    return roles | {name: column for name, column in optional.items() if column is not None}


def _open_tables(folder: Path, params: SourceParams) -> tuple[list[Table], dict[Path, MovierecError]]:
    """Open every file that its name makes a table, and keep what is wrong with those that are none."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and find_format(path.name))
    tables, unusable = list[Table](), dict[Path, MovierecError]()
    for path in paths:
        try:
            tables.append(open_table(path, params.separator, params.decimal))
        except MovierecError as error:
            if path.name in {params.ratings, params.movies}:
                raise
            unusable[path] = error
    return tables, unusable


def _refuse_damaged_parts(table: Table, name: str, unusable: dict[Path, MovierecError]) -> None:
    """Raise what is wrong with a file that would be a part of a table, unless the table is one file by its name."""
    if name == AUTO or "*" in name:
        for path, error in unusable.items():
            if blank_numbers(path) == blank_numbers(table.path) and path.stat().st_size:
                raise error


def _choose_ratings(folder: Path, tables: list[Table], params: SourceParams, label: str) -> Table:
    if params.ratings != AUTO:
        return _choose_named(folder, tables, params.ratings, "ratings")
    likely = [table for table in tables if _may_be_ratings(table, params)]
    if not likely and len(tables) == 1:
        return tables[0]  # whose columns are asked for
    if len(likely) > 1:
        likely = [table for table in likely if _has_role(table, RATING, params)] or likely
    if len(likely) > 1:
        likely = [table for table in likely if "rating" in table.path.name.lower()] or likely
    if len(likely) == 1:
        return likely[0]
    if likely:
        names = " and ".join(str(table.path.relative_to(folder)) for table in likely[:2])
        raise MovierecError(f"{label}: {names} could both be the ratings: set source.ratings to the file's name")
    known = ", or ".join(f"{each.ratings_file} and {each.movies_file}" for each in LAYOUTS)
    raise MovierecError(
        f"{label} holds no ratings: expected {known}, or one file ({', '.join(FORMATS)}, each also with .gz) "
        "whose columns name a user and an item; or set source.ratings, source.columns.user and source.columns.item"
    )


def _choose_movies(folder: Path, tables: list[Table], params: SourceParams) -> Table | None:
    if params.movies is None:
        return None
    if params.movies != AUTO:
        return _choose_named(folder, tables, params.movies, "movies")
    likely = [
        table
        for table in tables
        if all(_has_role(table, role, params) for role in (ITEM, TITLE)) and not _has_role(table, USER, params)
    ]
    if len(likely) > 1:
        names = " and ".join(str(table.path.relative_to(folder)) for table in likely[:2])
        raise MovierecError(f"{names} could both be the movies: set source.movies to the file's name, or to null")
    return likely[0] if likely else None


def _choose_named(folder: Path, tables: list[Table], name: str, key: str) -> Table:
    files = [file for table in tables for file in table.files]
    found = [file for file in files if name in {file.path.name, str(file.path.relative_to(folder))}]
    if "*" in name:
        found = join_parts([file for file in files if fnmatchcase(file.path.name, name)])
    if len(found) != 1:
        there = ", ".join(sorted(file.path.name for file in files)) or "none that can be read"
        raise MovierecError(f"source.{key} is {name!r}, but the files of the data set are {there}: correct it")
    return found[0]


def _may_be_ratings(table: Table, params: SourceParams) -> bool:
    return _has_role(table, USER, params) and _has_role(table, ITEM, params)


def _has_role(table: Table, role: str, params: SourceParams) -> bool:
    chosen = getattr(params.columns, role)
    if chosen not in {AUTO, None}:
        return str(chosen) in table.columns
    return bool(guessing.guess_column(role, table.columns))
