"""The ids that people use, and the int32 codes that stand for them in models and tables, both ways."""

import copy
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from movierec.data.source_ids import SOURCE_ID
from movierec.errors import MovierecError
from movierec.ids import UNKNOWN, OwnId

Codes = npt.NDArray[np.int64]


class UnknownIdError(MovierecError):
    """The data can have no such id."""


class OwnIds:
    """The users' or the movies' own ids.

    Parameters
    ----------
    codes : sequence of int
        Inside.
    own : sequence of str
        What the data calls them, one a code, distinct. Where each is its own code, as in MovieLens, any other integer
        stands for itself, too, and people see integers; otherwise they see text.

    Examples
    --------
    >>> ids = OwnIds([1, 2], ["007", "U12"])
    >>> ids.find("U12"), ids.find("U13"), ids.name([1])
    (2, None, ['007'])
    """

    def __init__(self, codes: Sequence[int] = (), own: Sequence[str] = ()) -> None:
        self.are_text = list(own) != [str(code) for code in codes]
        self._codes: dict[OwnId, int] = dict(zip(own, codes, strict=True)) if self.are_text else {}
        self._own: dict[int, OwnId] = dict(zip(codes, own, strict=True)) if self.are_text else {}

    @classmethod
    def from_table(cls, table: pd.DataFrame, column: str) -> "OwnIds":
        """Read the ids of users.parquet or movies.parquet, whose codes are in `column`."""
        return cls(table[column].tolist(), table[SOURCE_ID].tolist()) if SOURCE_ID in table else cls()

    def find(self, own: OwnId) -> int | None:
        """Return the code of an id; None if the data does not know it.

        Raises
        ------
        UnknownIdError
            If it is text where all ids are integers.
        """
        if self.are_text:
            return self._codes.get(str(own))
        if isinstance(own, str):
            raise UnknownIdError(f"there is no id {own[:40]!r}: the ids of this data are whole numbers")
        return self._codes.get(own, own)

    def extend(self, codes: Mapping[OwnId, int]) -> "OwnIds":
        """Return the ids with codes for further ones, or with others for known ones."""
        extended, shown = copy.copy(self), {self.show(own): code for own, code in codes.items()}
        vars(extended)["_codes"] = {**self._codes, **shown}
        vars(extended)["_own"] = {**self._own, **{code: own for own, code in shown.items()}}
        return extended

    def find_all(self, own: Iterable[OwnId]) -> Codes:
        """Return the codes of ids, shape (n,), -1 for unknown ones; see `find`."""
        found = (self.find(each) for each in own)
        return np.array([UNKNOWN if code is None else code for code in found], dtype=np.int64)

    def name(self, codes: Iterable[int]) -> list[OwnId]:
        """Return the own ids of codes."""
        return [self._own.get(code, code) for code in codes]

    def show(self, own: OwnId) -> OwnId:
        """Return an id, known or not, as this data's are shown: text among texts."""
        return str(own) if self.are_text else own
