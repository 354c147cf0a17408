"""Which column of a table is the user, the item, the rating: told by the columns' names, or by what the user says."""

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Final

from movierec.data.tables import Table
from movierec.errors import MovierecError
from movierec.settings import AUTO, ColumnParams

USER: Final = "user"
ITEM: Final = "item"
RATING: Final = "rating"
COUNT: Final = "count"
TIMESTAMP: Final = "timestamp"
TITLE: Final = "title"
GENRES: Final = "genres"
YEAR: Final = "year"

# Names without case and punctuation; one of an earlier text is a better guess than one of a later.
_NAMES: Final[Mapping[str, Sequence[str]]] = {
    USER: (
        "user userid uid useridx",
        (
            "reviewerid customerid customer memberid member accountid account profileid profile listenerid listener "
            "viewerid viewer visitorid visitor clientid client personid person respondentid respondent "
            "participantid participant subscriberid subscriber readerid reader"
        ),
        "username reviewer reviewername author",
    ),
    ITEM: (
        (
            "item itemid iid movie movieid film filmid product productid asin book bookid isbn track trackid song "
            "songid artist artistid album albumid show showid anime animeid game gameid appid business businessid "
            "recipe recipeid joke jokeid article articleid stockcode sku"
        ),
        "parentasin objectid contentid",
    ),
    RATING: ("rating ratings stars star score overall", "userrating starrating bookrating reviewscore vote grade rate"),
    COUNT: (
        "count plays playcount listens listencount purchases quantity qty views clicks scrobbles",
        "weight frequency times hours events total",
    ),
    TIMESTAMP: (
        "timestamp unixreviewtime unixtime time ts datetime ratedat createdat playedat listenedat purchasedat",
        "date reviewdate reviewtime purchasedate orderdate invoicedate eventtime day created watchedat",
    ),
    TITLE: (
        "title movietitle booktitle itemtitle producttitle tracktitle songtitle",
        "name moviename itemname productname trackname artistname bookname songname",
        "description",
    ),
    GENRES: ("genres genre", "categories category tags maincategory"),
    YEAR: ("year releaseyear", "yearofpublication publicationyear published"),
}


def guess_column(role: str, columns: Sequence[str]) -> tuple[str, ...]:
    """Find the columns whose names fit best, all equally well; none where no name fits.

    Examples
    --------
    >>> guess_column("user", ["reviewerID", "asin", "overall"])
    ('reviewerID',)
    """
    for names in _NAMES[role]:
        words = set(names.split())
        if found := tuple(column for column in columns if re.sub(r"[\W_]", "", column).lower() in words):
            return found
    return ()


def find_column(table: Table, role: str, chosen: str | int | None) -> str | None:
    """Give the column that the user chose for something, or else the one whose name says so.

    Parameters
    ----------
    table : Table
        Names its columns.
    role : str
        What is looked for, such as `USER`.
    chosen : str, int or None
        ``auto``, a column's name, its number from 1, or None for no column.

    Returns
    -------
    str or None
        A column of the table that is there once.

    Raises
    ------
    MovierecError
        If the chosen column is absent or there twice, or two names are equally good guesses.
    """
    if chosen is None:
        return None
    if chosen != AUTO:
        return _find_chosen(table, role, chosen)
    found = guess_column(role, table.columns)
    if len(found) > 1:
        problem = "appears twice" if len(set(found)) == 1 else f"and {found[1]!r} could both be the {role}"
        raise MovierecError(f"{table.path}: column {found[0]!r} {problem}: {_say_how(table, role)}")
    return found[0] if found else None


def require_column(table: Table, role: str, chosen: str | int | None) -> str:
    """Give the column as `find_column` does, and refuse a table without one."""
    found = find_column(table, role, chosen)
    if found is None:
        names = ", ".join(table.columns[:20])
        problem = (
            f"no column is called like the {role} (there are {names})"
            if table.has_names
            else f"the first line holds no names, only values of {len(table.columns)} columns"
        )
        raise MovierecError(f"{table.path}: {problem}: {_say_how(table, role)}")
    return found


def find_rating(table: Table, columns: ColumnParams, feedback: str) -> tuple[str | None, bool]:
    """Tell the column of the ratings or counts, and whether it is feedback without ratings.

    Parameters
    ----------
    table : Table
        Names its columns.
    columns : ColumnParams
        What the user chose.
    feedback : str
        ``auto``, ``explicit`` or ``implicit``.

    Returns
    -------
    column : str or None
        None where each row says no more than that there was something.
    is_implicit : bool
        Whether the numbers count events.

    Raises
    ------
    MovierecError
        As `find_column`; or if ratings are asked for and there are none.
    """
    if columns.rating not in {AUTO, None}:
        column = _find_chosen(table, RATING, columns.rating)
        counts = bool(guess_column(COUNT, [column]))
        return column, feedback == "implicit" or (feedback == AUTO and counts)
    if feedback != "implicit" and (rating := find_column(table, RATING, columns.rating)) is not None:
        return rating, False
    if feedback == "explicit":
        return require_column(table, RATING, columns.rating), False
    return find_column(table, COUNT, columns.rating), True


def _find_chosen(table: Table, role: str, chosen: str | int | None) -> str:
    if isinstance(chosen, int) and str(chosen) not in table.columns and chosen <= len(table.columns):
        return table.columns[chosen - 1]
    name = str(chosen)
    if table.columns.count(name) == 1:
        return name
    problem = "appears twice" if name in table.columns else "is missing"
    near = difflib.get_close_matches(name, table.columns, n=1, cutoff=0)
    hint = f"did you mean {near[0]!r}? " if near and problem == "is missing" else ""
    raise MovierecError(f"{table.path}: column {name!r} {problem}: {hint}correct source.columns.{role}")


def _say_how(table: Table, role: str) -> str:
    setting = "rating" if role == COUNT else role
    return f"set source.columns.{setting} to its {'name' if table.has_names else 'number, from 1'}"
