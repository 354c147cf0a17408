"""The table of models: their names, where they come from, what they are chosen by and how they are drawn.

The classes, by `Entry.kind`, are listed in `movierec.models.roster`, which stages that fit nothing need not import.
"""

from dataclasses import dataclass
from typing import Annotated, Final, NamedTuple

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

VALIDATION_RMSE: Final = "validation_rmse"
VALIDATION_NDCG: Final = "validation_ndcg@10"


class Look(NamedTuple):
    """How a model is drawn in every figure; colour, marker and line each tell it apart alone."""

    color: str
    marker: str
    line: str | tuple[int, tuple[int, ...]]


@dataclass(frozen=True)
class Entry:
    """One model.

    Attributes
    ----------
    name : str
        In params.yaml, metrics, files and texts.
    kind : str
        Which class it is: `Recommender.name`.
    look : Look
        In figures. Colours are Okabe and Ito's ("Color universal design", 2008), those with a contrast of at least 3:1
        on white; then the dark ones of Tol's muted scheme ("Colour schemes", 2021), and a brown.
    stage : str or None
        Which stage writes ``models/NAME.npz``; None if the evaluate stage fits it.
    decided_by : str or None
        The metric on validation by which its settings are chosen, and it among its kind.
    needs_ratings : bool
        Whether it learns from how much was liked what was seen: left out where the data has events alone.
    """

    name: str
    kind: str
    look: Look
    stage: str | None = None
    decided_by: str | None = None
    needs_ratings: bool = False


ROSTER: Final = (
    Entry("svd", "svd", Look("#000000", "o", "dashed"), "train_svd", VALIDATION_RMSE, needs_ratings=True),
    Entry("svd_tuned", "svd", Look("#0072b2", "s", "solid"), "tune", VALIDATION_RMSE, needs_ratings=True),
    Entry("als", "als", Look("#d55e00", "^", (0, (7, 2))), "train_als", VALIDATION_NDCG),
    Entry("als_tuned", "als", Look("#7a3300", "v", (0, (6, 1, 1, 1, 1, 1))), "tune", VALIDATION_NDCG),
    Entry("ease", "ease", Look("#882255", "p", (0, (1, 1))), "train_ease", VALIDATION_NDCG),
    Entry("blend", "blend", Look("#117733", "*", (0, (5, 1, 1, 1))), "train_blend", VALIDATION_NDCG),
    Entry("bayes", "bayes", Look("#332288", "P", (0, (3, 1))), "train_bayes", VALIDATION_RMSE, needs_ratings=True),
    Entry("bias", "bias", Look("#009e73", "D", "dotted"), needs_ratings=True),
    Entry("popularity", "popularity", Look("#cc79a7", "X", "dashdot")),
)
BY_NAME: Final = {entry.name: entry for entry in ROSTER}
NEED_RATINGS: Final = tuple(entry.name for entry in ROSTER if entry.needs_ratings)
STORED: Final = tuple(entry.name for entry in ROSTER if entry.stage)
TUNED: Final = {  # what is searched; the winner among the first two is stored by the search itself
    entry.kind: entry for entry in ROSTER if entry.stage in {"tune", "train_bayes"}
}
POPULARITY: Final = "popularity"
EXPLORING: Final = {  # served as models of their own, so that an experiment can compare them with any other
    f"{entry.name}_explore": entry.name for entry in ROSTER if entry.kind == "bayes"
}
SERVED: Final = (*STORED, *EXPLORING, POPULARITY)


def _require_one_of(names: tuple[str, ...]) -> AfterValidator:
    allowed = f"{', '.join(repr(name) for name in names[:-1])} or {names[-1]!r}"

    def check(name: str) -> str:
        if name not in names:
            raise PydanticCustomError("model_name", f"Input should be {allowed}")
        return name

    return AfterValidator(check)


def _list_in_schema(names: tuple[str, ...]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": list(names)})


ModelName = Annotated[str, _require_one_of(tuple(BY_NAME)), _list_in_schema(tuple(BY_NAME))]
ServedName = Annotated[str, _require_one_of(SERVED), _list_in_schema(SERVED)]
