"""What the tuner chose the ALS by is what the evaluation says of it, down to the last digit written."""

from movierec.evaluation.champion import choose_champion
from movierec.io import read_json
from movierec.roster import STORED
from tests.pipeline.conftest import Project


def test_the_tuned_als_has_the_validation_figure_of_its_trial(built: Project) -> None:
    figures, tuned = (read_json(built.folder / f"metrics/details/{name}.json") for name in ("evaluate", "tune"))
    assert figures["als_tuned"]["validation_ndcg@10"] == tuned["als"]["validation_ndcg@10"] > 0
    assert choose_champion(figures) in STORED
