"""Events as rows of their table, and rows counted as outcomes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd
from sqlalchemy import Row, Select, case, func, select

from movierec.columns import MOVIE_ID, USER_ID
from movierec.ids import OwnId
from movierec.service.storage.database import EVENTS
from movierec.service.storage.insertion import hash_text
from movierec.service.storage.records import Event


def list_rows(events: Iterable[Event], keys: Mapping[OwnId, int]) -> list[dict[str, Any]]:
    """Return each event as a row by column: keys for ids, its key as a hash or None, in order of the hashes."""
    rows = [{**asdict(each), USER_ID: keys[each.user_id], MOVIE_ID: keys[each.movie_id]} for each in events]
    for row in rows:
        key = row.pop("key")
        row["key_hash"] = None if key is None else hash_text(key)
    rows.sort(key=lambda row: row["key_hash"] or "")  # one order for all, or two batches might wait for each other
    return rows


def select_outcomes(experiment: str) -> Select[Any]:
    """Return the query of user id, arm, movies shown and movies clicked among them, by user id and arm.

    A movie that was shown or clicked several times counts once; who was shown none is left out.
    """
    shown, clicked = (func.max(case((EVENTS.c.kind == kind, 1), else_=0)) for kind in ("impression", "click"))
    user = (EVENTS.c.user_id, EVENTS.c.arm)
    movies = select(*user, shown.label("shown"), clicked.label("clicked")).where(EVENTS.c.experiment == experiment)
    seen = movies.group_by(*user, EVENTS.c.movie_id).subquery()
    counts = func.sum(seen.c.shown), func.sum(seen.c.shown * seen.c.clicked)
    by_user = select(seen.c.user_id, seen.c.arm, *counts).group_by(seen.c.user_id, seen.c.arm)
    return by_user.having(counts[0] > 0).order_by(seen.c.user_id, seen.c.arm)


def tabulate_outcomes(rows: Sequence[Row[Any]]) -> pd.DataFrame:
    """Return the rows of `select_outcomes` as the table that `Store.outcomes` describes."""
    table = pd.DataFrame([tuple(row) for row in rows], columns=[USER_ID, "arm", "impressions", "clicks"])
    return table.astype({USER_ID: "int64", "arm": "str", "impressions": "int64", "clicks": "int64"})
