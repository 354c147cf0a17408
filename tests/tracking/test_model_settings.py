"""Settings of stored models are named as params.yaml names them, and complete."""

from movierec.lockfile import Stage
from movierec.roster import BY_NAME, STORED
from movierec.tracking.model_settings import find_settings, name_settings, split_scores


def test_scores_are_parted_from_settings() -> None:
    row = {"configuration": "a", "factors": 3, "validation_rmse": 0.9, "validation_ndcg@10": 0.1}
    assert split_scores(row) == (
        {"configuration": "a", "factors": 3},
        {"validation_rmse": 0.9, "validation_ndcg@10": 0.1},
    )


def test_factors_are_shared_by_svd_and_als_alone() -> None:
    settings = {"factors": 3, "epochs": 4}
    assert name_settings("svd", settings) == {"factors": 3, "svd.epochs": 4}
    assert name_settings("bayes", {"factors": 3}) == {"bayes.factors": 3}


def test_what_is_left_open_is_as_it_was_tuned() -> None:
    params: dict[str, object] = {"seed": 1, "bayes.factors": None, "bayes.directions": 64, "bayes.sweeps": None}
    stages = {str(BY_NAME[name].stage): _stage({"seed": 1}) for name in STORED} | {"train_bayes": _stage(params)}
    counts = {"trials": 1, "pruned": 0, "diverged": 0, "validation_rmse": 0.9}
    tuned = {kind: {"configuration": "best", "factors": 5} | counts for kind in ("svd", "als")}
    tuned["bayes"] = {"configuration": "few", "factors": 15, "directions": 256} | counts
    found = find_settings(stages, tuned)
    assert found["svd_tuned"] == {"configuration": "best", "factors": 5}
    assert found["bayes"] == {"bayes.factors": 15, "bayes.directions": 64, "bayes.sweeps": None}


def _stage(params: dict[str, object]) -> Stage:
    return Stage("train", params, {}, {})
