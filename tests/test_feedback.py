from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from movierec import io, paths
from movierec.errors import MovierecError
from movierec.evaluation.champion import choose_champion, list_fitted
from movierec.feedback import describe_rmse, is_left_out, leave_out, require_no_ratings
from movierec.figures.style import name_unit, new_figure
from movierec.figures.tables import read_table
from movierec.figures.training import draw_svd_learning_curve
from movierec.models.svd import SVD
from movierec.params import load_params, load_scaled_params
from movierec.roster import NEED_RATINGS
from movierec.scales import Scale


def test_every_kind_of_output_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    monkeypatch.chdir(tmp_path)
    outputs = [paths.MODELS / "svd.npz", paths.PLOTS / "train_svd.csv"]
    outputs += [folder / "train_svd.json" for folder in (paths.METRICS, paths.DETAILS)]
    leave_out("svd", outputs)
    assert capsys.readouterr().out == "svd left out: no ratings\n"
    assert io.read_json(paths.METRICS / "train_svd.json") == {"svd": {}}
    assert io.read_json(paths.DETAILS / "train_svd.json") == {"svd": {"left_out": "no ratings"}}
    with pytest.raises(MovierecError, match="models/svd.npz holds no model: no ratings"):
        SVD.load(paths.MODELS / "svd.npz")
    table = read_table(paths.PLOTS, "train_svd")
    assert is_left_out(table)
    assert "No ratings" in draw_svd_learning_curve(table).get_suptitle()


def test_the_same_output_every_time(tmp_path: Path) -> None:
    leave_out("svd", [tmp_path / "a.npz"])
    leave_out("svd", [tmp_path / "b.npz"])
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_words_for_what_is_missing() -> None:
    assert (describe_rmse(None), describe_rmse(0.5)) == ("stars left out: no ratings", "RMSE 0.5000 on validation")


def test_the_champion_is_one_of_the_fitted() -> None:
    ndcg = {"als": 0.1, "als_tuned": 0.3, "ease": 0.2, "blend": 0.2}
    figures: dict[str, Any] = {name: {"validation_ndcg@10": value} for name, value in ndcg.items()}
    figures["left_out"] = dict.fromkeys(NEED_RATINGS, "no ratings")
    assert list_fitted(figures) == ("als", "als_tuned", "ease", "blend")
    assert choose_champion(figures) == "als_tuned"


@pytest.mark.parametrize(
    ("key", "value"),
    [("metric", "squared_error"), ("control", "bayes"), ("control", "bias")],
)
def test_an_experiment_on_ratings_is_refused_by_name(tmp_path: Path, key: str, value: str) -> None:
    yaml = YAML()
    content = yaml.load(paths.PARAMS)
    require_no_ratings(load_params().abtest)
    content["abtest"][key] = value
    yaml.dump(content, tmp_path / "params.yaml")
    with pytest.raises(MovierecError, match=f"abtest.{key} {value} needs ratings, but the data has none"):
        require_no_ratings(load_params(tmp_path / "params.yaml").abtest)


@pytest.mark.parametrize(("implicit", "feedback", "threshold"), [(1, "implicit", 1.0), (0, "explicit", 8.0)])
def test_stages_learn_what_the_feedback_is(tmp_path: Path, implicit: int, feedback: str, threshold: float) -> None:
    io.write_json({"implicit": implicit, "scale": {"low": 1.0, "high": 10.0, "step": 1.0}}, tmp_path / "clean.json")
    params = load_scaled_params(clean=tmp_path / "clean.json")
    assert (params.feedback, params.is_implicit) == (feedback, bool(implicit))
    assert params.evaluate.relevance_threshold == threshold


@pytest.mark.parametrize(
    ("scale", "text"), [(Scale(0.5, 5, 0.5), "RMSE (stars)"), (Scale(1, 10, 1), "RMSE (rating units)")]
)
def test_figures_name_stars_where_ratings_are_stars(scale: Scale, text: str) -> None:
    figure, axes = new_figure()
    axes.set_xlabel("RMSE (stars)")
    name_unit(figure, scale)
    assert axes.get_xlabel() == text


def test_ratings_in_words() -> None:
    assert Scale(1, 5, 1).format(4) == "4 stars"
    assert Scale(0, 10, 1).format(0) == "0 of 10"
