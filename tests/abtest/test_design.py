"""The design: its ranges, and values by arm."""

from typing import Any

import pytest

from movierec.abtest.design import Design
from movierec.errors import MovierecError


def test_values_are_named_by_arm() -> None:
    assert Design("ndcg@10", 0.1, control="old", treatment="new").by_arm((1, 2)) == {"old": 1, "new": 2}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"minimum_effect": 0.0}, r"minimum effect is 0\.0: it must be a positive number"),
        ({"minimum_effect": -0.1}, r"minimum effect is -0\.1"),
        ({"minimum_effect": float("nan")}, "minimum effect is nan"),
        ({"minimum_effect": float("inf")}, "minimum effect is inf"),
        ({"control": "new", "treatment": "new"}, "both arms are called 'new': name two"),
    ],
)
def test_a_design_that_no_data_could_answer_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(MovierecError, match=message):
        Design("ndcg@10", **changes)
