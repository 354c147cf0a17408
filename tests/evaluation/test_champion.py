from typing import Any

import pytest

from movierec.errors import MovierecError
from movierec.evaluation.champion import choose_champion
from movierec.roster import STORED


def figures(**values: float) -> dict[str, Any]:
    found: dict[str, Any] = {name: {"validation_ndcg@10": 0.1, "ndcg@10": 0.5} for name in STORED}
    found |= {name: {"validation_ndcg@10": value} for name, value in values.items()}
    return found | {"popularity": {"validation_ndcg@10": 0.9}, "data": {"test_users": 3}}


@pytest.mark.parametrize("name", STORED)
def test_the_highest_on_validation_wins_whatever_test_says(name: str) -> None:
    assert choose_champion(figures(**{name: 0.2})) == name


def test_the_first_by_name_wins_among_equals() -> None:
    assert choose_champion(figures(svd_tuned=0.2, als_tuned=0.2)) == "als_tuned"
    assert choose_champion(dict(reversed(figures().items()))) == "als"


def test_all_zeros_have_a_champion() -> None:
    assert choose_champion(figures(**dict.fromkeys(STORED, 0))) == "als"


@pytest.mark.parametrize("broken", [None, {}, {"validation_ndcg@10": None}, {"validation_ndcg@10": "0.3"}, 0.3])
def test_a_missing_figure_names_its_model(broken: object) -> None:
    with pytest.raises(MovierecError, match=r"no validation_ndcg@10 of svd: run `dvc repro evaluate`"):
        choose_champion(figures() | {"svd": broken})


@pytest.mark.parametrize("value", [float("nan"), -0.1, 1.5, True])
def test_what_cannot_be_an_ndcg_is_refused(value: float) -> None:
    with pytest.raises(MovierecError, match="no validation_ndcg@10 of als_tuned"):
        choose_champion(figures(als_tuned=value))
