"""The offline experiment: who takes part, whose outcome counts, what the stage writes, and clear errors."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from movierec.abtest.assignment import Experiment
from movierec.abtest.difference import welch_test
from movierec.abtest.offline import run_experiment, select_users
from movierec.abtest.report import Report
from movierec.errors import MovierecError
from movierec.io import write_parquet
from movierec.paths import PER_USER
from movierec.settings import AbtestParams
from stages.abtest import main

USERS = np.arange(1, 2001, dtype=np.int32)
ACTIVITY = np.random.default_rng(14).integers(5, 500, USERS.size).astype(np.int32)


def _params(**changes: Any) -> AbtestParams:
    values: dict[str, Any] = {
        "experiment": "als-against-popularity",
        "control": "popularity",
        "treatment": "als",
        "metric": "ndcg@10",
        "significance": 0.05,
        "power": 0.8,
        "minimum_effect": 0.01,
    }
    return AbtestParams(**{**values, **changes})


def _table() -> pd.DataFrame:
    rng = np.random.default_rng(15)
    models = []
    for model, quality in (("als", 0.3), ("popularity", 0.2), ("svd", 0.1)):
        outcome = (quality + 0.05 * np.log(ACTIVITY) + rng.normal(0, 0.1, USERS.size)).astype(np.float32)
        outcome[::10] = np.nan  # nothing relevant
        columns = {"user_id": USERS, "model": model, "squared_error": 1 - outcome, "n_test": ACTIVITY // 4}
        models.append(pd.DataFrame({**columns, "n_train": ACTIVITY, "ndcg@10": outcome}))
    return pd.concat(models, ignore_index=True)


def _run(table: pd.DataFrame, **changes: Any) -> Report:
    return run_experiment(table, _params(**changes), np.random.default_rng(0))


def test_users_need_an_outcome_under_both_models() -> None:
    table = pd.DataFrame(
        {
            "user_id": np.array([3, 1, 2, 1, 2, 3, 4, 5], dtype=np.int32),
            "model": ["als"] * 3 + ["popularity"] * 4 + ["svd"],
            "n_train": [30, 10, 20, 10, 20, 30, 40, 50],
            "ndcg@10": [0.3, 0.1, np.nan, 0.5, 0.6, 0.7, 0.8, 0.9],
        }
    )
    found = select_users(table, _params(), "ndcg@10")
    assert found[["user_id", "n_train", "popularity", "als"]].to_numpy().tolist() == [
        [1, 10, 0.5, 0.1],
        [3, 30, 0.7, 0.3],
    ]


def test_a_user_counts_for_the_assigned_model_alone() -> None:
    table = _table()
    report = _run(table)
    experiment = Experiment("als-against-popularity", {"popularity": 1, "als": 1})
    for arm, summary in (("popularity", report.difference.control), ("als", report.difference.treatment)):
        rows = table[(table["model"] == arm) & table["ndcg@10"].notna()]
        mine = rows[[experiment.assign(int(user)) == arm for user in rows["user_id"]]]
        assert summary.n == len(mine)
        assert summary.mean == pytest.approx(mine["ndcg@10"].mean(), rel=1e-6)
    assert report.difference.control.n + report.difference.treatment.n == 1800


def test_finds_the_effect_and_cuped_sharpens_it() -> None:
    report = _run(_table())
    assert report.difference.estimate == pytest.approx(0.1, abs=4 * report.difference.standard_error)
    assert report.verdict.decision == "ship"
    assert report.cuped is not None
    # log activity explains 0.05^2 var(log n) of it, beside a noise of 0.1^2
    explained = 0.05**2 * np.log(ACTIVITY).var()
    assert report.cuped.variance_saved == pytest.approx(explained / (explained + 0.1**2), abs=0.05)


def test_less_error_is_better() -> None:
    report = _run(_table(), metric="squared_error")
    assert report.difference.estimate < 0
    assert report.verdict.decision == "ship"


def test_arms_swapped_reverse_the_verdict() -> None:
    assert _run(_table(), control="als", treatment="popularity").verdict.decision == "do not ship"


def test_order_of_the_rows_does_not_matter() -> None:
    table = _table()
    assert _run(table).to_details() == _run(table.sample(frac=1, random_state=0)).to_details()


def test_the_experiments_name_salts_the_assignment() -> None:
    assert _run(_table()).difference != _run(_table(), experiment="another").difference


def test_a_model_against_itself_is_found_different_as_rarely_as_allowed() -> None:
    table = _table().drop(columns="squared_error")
    twin = table[table["model"] == "als"].assign(model="popularity")
    table = pd.concat([table[table["model"] == "als"], twin])
    p_values = [_run(table, experiment=f"a/a {run}").difference.p_value for run in range(100)]
    # the 0.001 quantile of a binomial (100, 0.05) ends at 13
    assert np.sum(np.array(p_values) < 0.05) <= 13


def test_secondary_metrics_are_compared_on_the_users_they_are_defined_for() -> None:
    table = _table()
    table["recall@10"] = 0.0
    table["precision@10"] = 0.25 + np.tile(USERS % 7, 3) / 10 * (table["model"] == "als")
    table.loc[table["user_id"] <= 50, "precision@10"] = np.nan
    found = _run(table).secondary
    assert list(found.compared) == ["precision@10", "squared_error"]
    assert found.left_out == {"recall@10": "the outcome does not vary within either arm: there is nothing to test"}
    experiment = Experiment("als-against-popularity", {"popularity": 1, "als": 1})
    rows = table[table["precision@10"].notna()]
    control, treatment = (
        rows[(rows["model"] == arm) & (rows["user_id"].map(experiment.assign) == arm)] for arm in ("popularity", "als")
    )
    precision = found.compared["precision@10"].difference
    assert precision == welch_test(control["precision@10"].to_numpy(), treatment["precision@10"].to_numpy())
    assert precision.control.n + precision.treatment.n == 1950
    assert found.compared["squared_error"].difference.control.n > 800
    assert "squared_error" not in _run(table, metric="squared_error").secondary.compared


@pytest.mark.parametrize(("metric", "nearest"), [("ndcg@5", "ndcg@10"), ("absolute_error", "squared_error")])
def test_an_outcome_that_was_not_evaluated_names_the_nearest(metric: str, nearest: str) -> None:
    with pytest.raises(MovierecError, match=rf"abtest.metric is '{metric}', .* the nearest is '{nearest}'"):
        _run(_table(), metric=metric)


def test_a_model_that_was_not_evaluated_names_the_nearest() -> None:
    with pytest.raises(MovierecError, match=r"abtest.treatment is 'svd_tuned', .* the nearest is 'svd'"):
        _run(_table(), treatment="svd_tuned")


def test_an_empty_table_is_refused() -> None:
    with pytest.raises(MovierecError, match=r"abtest.control is 'popularity', .*: there is none"):
        _run(_table().iloc[:0])


def test_too_few_users_are_refused() -> None:
    table = _table()
    with pytest.raises(MovierecError, match=r"has [01] user\(s\) with an outcome: at least 2 are needed"):
        _run(table[table["user_id"].isin([2, 3])])


def test_a_user_twice_under_one_model_is_a_defect() -> None:
    table = _table()
    with pytest.raises(pd.errors.MergeError, match="not a one-to-one merge"):
        _run(pd.concat([table, table.iloc[1:2]]))


def test_the_stage_writes_metrics_plot_data_and_a_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    params = Path("params.yaml").read_text(encoding="utf-8")
    arms = params.replace("control: als", "control: popularity").replace("treatment: blend", "treatment: als")
    (tmp_path / "params.yaml").write_text(arms, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    write_parquet(_table(), PER_USER)
    main()
    metrics = json.loads(Path("metrics/details/abtest.json").read_text(encoding="utf-8"))
    assert metrics["verdict"]["text"] in capsys.readouterr().out
    assert metrics["arms"]["control"]["n"] + metrics["arms"]["treatment"]["n"] == 1800
    assert metrics["secondary"]["squared_error"]["estimate"] < 0
    assert pd.read_csv("plots/abtest.csv")["label"].tolist()[:2] == ["popularity", "als"]
    assert pd.read_csv("plots/abtest_power.csv")["effect"].unique().tolist() == [0.005, 0.01, 0.02]
    written = [Path(name) for name in ("metrics/details/abtest.json", "plots/abtest.csv", "plots/abtest_power.csv")]
    first = [path.read_bytes() for path in written]
    main()
    assert [path.read_bytes() for path in written] == first
