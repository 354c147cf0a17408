from collections.abc import Callable

import pytest

from movierec.errors import MovierecError
from movierec.tracking import leaderboard
from movierec.tracking.leaderboard import Row, name_best_params, rank_rows, tabulate_runs

Show = Callable[..., None]


def judged(name: str, rmse: float, ndcg: float, experiments: str = "workspace", **params: str) -> Row:
    metrics = {"rmse": rmse, "mae": rmse / 2, "ndcg@10": ndcg}
    return Row(name, "evaluate", f"{experiments}/{name}", experiments, {"model": name, **params}, metrics)


def trial(model: str, name: str, params: dict[str, str], **metrics: float) -> Row:
    named = {key.replace("ndcg", "ndcg@10"): value for key, value in metrics.items()}
    return Row(name, "tune", f"k/{model}/{name}", "workspace", {"configuration": name, **params}, named)


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch) -> Show:
    def put(*rows: Row) -> None:
        monkeypatch.setattr(leaderboard, "read_rows", lambda: list(rows))

    return put


def test_models_are_compared_best_first_with_what_differs(show: Show) -> None:
    parent = Row("evaluate", "evaluate", "k", "workspace", {}, {"test_ratings": 5.0})
    show(
        parent,
        judged("svd", 0.9, 0.1, factors="50", seed="1"),
        judged("svd", 0.8, 0.05, "wide", factors="100", seed="2"),
        judged("bias", 0.95, 0.01),
        judged("bias", 0.95, 0.01, "wide"),
    )
    lines = [line.split() for line in tabulate_runs().splitlines()]
    assert lines == [
        ["model", "rmse", "mae", "ndcg@10", "factors", "DVC", "experiments"],
        ["svd", "0.8000", "0.4000", "0.0500", "100", "wide"],
        ["svd", "0.9000", "0.4500", "0.1000", "50", "workspace"],
        ["bias", "0.9500", "0.4750", "0.0100", "-", "wide,workspace"],
    ]
    assert tabulate_runs("ndcg@10", top=1).splitlines()[1].split() == [
        "svd",
        "0.1000",
        "0.9000",
        "0.4500",
        "workspace",
    ]


def test_an_unknown_metric_names_the_nearest(show: Show) -> None:
    show(judged("svd", 0.9, 0.1))
    with pytest.raises(MovierecError, match="no run has the metric 'ndgc@10': did you mean ndcg@10"):
        tabulate_runs("ndgc@10")


def test_without_runs_it_says_what_to_do(show: Show) -> None:
    show()
    for ask in (tabulate_runs, name_best_params):
        with pytest.raises(MovierecError, match="run `dvc repro`, then `movierec track sync`"):
            ask()


@pytest.mark.parametrize(
    ("metric", "best"), [("rmse_raw", 1), ("validation_mae", 1), ("loss", 1), ("ndcg@10", 2), ("mrr", 2)]
)
def test_errors_are_better_when_lower(metric: str, best: float) -> None:
    rows = [Row(str(value), "s", str(value), "", {}, {metric: value}) for value in (2.0, 1.0)]
    assert rank_rows(rows, metric)[0].metrics[metric] == best


def test_the_best_is_chosen_on_validation(show: Show) -> None:
    params = {"factors": "50", "svd.epochs": "10"}
    show(
        Row("train_svd", "train_svd", "a", "", {"seed": "1", **params}, {"validation_rmse": 0.9, "rmse": 0.1}),
        trial("svd", "wide", {"factors": "100", "svd.epochs": "20"}, validation_rmse=0.85, rmse=0.9),
        trial("als", "flat", {"factors": "8", "als.relevance_threshold": "null"}, validation_ndcg=0.3),
        trial("als", "steep", {"factors": "9"}, validation_ndcg=0.2),
        Row("train_als", "train_als", "b", "", {"factors": "7"}, {"validation_rmse": 0.1}),
    )
    assert name_best_params() == "-S factors=100 -S svd.epochs=20"
    assert name_best_params("als") == "-S als.relevance_threshold=null -S factors=8"


def test_without_trials_the_als_goes_by_its_training(show: Show) -> None:
    show(Row("train_als", "train_als", "b", "", {"factors": "7", "seed": "1"}, {"validation_rmse": 0.1}))
    assert name_best_params("als") == "-S factors=7"


def test_a_fit_on_more_data_is_no_trial(show: Show) -> None:
    best = trial("bayes", "few", {"bayes.factors": "15"}, validation_rmse=0.79)
    fit = Row("train_bayes", "train_bayes", "k", "workspace", {"bayes.factors": "null"}, {"validation_rmse": 0.77})
    show(fit, trial("bayes", "many", {"bayes.factors": "31"}, validation_rmse=0.8), best)
    assert name_best_params("bayes") == "-S bayes.factors=15"


def test_another_model_has_no_best() -> None:
    with pytest.raises(MovierecError, match="--model is 'bias': give svd or als"):
        name_best_params("bias")
