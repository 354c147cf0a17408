"""Stage tune: search for good settings of the SVD and the ALS on validation, and keep the best model of each."""

from contextlib import closing

from tqdm import tqdm

from movierec import io, paths
from movierec.params import load_params
from movierec.tracking.stage import note_trial, run_stage
from movierec.tuning.memory import TrialMemory
from movierec.tuning.plan import plan_searches
from movierec.tuning.report import (
    describe_search,
    summarize_search,
    tabulate_curves,
    tabulate_settings,
    tabulate_trials,
)
from movierec.tuning.search import run_searches

TABLES = {"svd": "tune", "als": "tune_als"}


def main() -> None:
    """Write models/svd_tuned.npz and models/als_tuned.npz, metrics/tune.json and plots/tune*.csv."""
    params = load_params()
    train, validation = io.read_parquet(paths.TRAIN), io.read_parquet(paths.VALIDATION)
    searches = plan_searches(params.tune, params.evaluate.relevance_threshold, train, validation, params.seed)
    planned = sum(search.planned for search in searches)
    memory = TrialMemory(paths.state_dir() / "trials")
    with closing(run_searches(searches, memory, params.tune.workers)) as running:
        for _ in tqdm(running, total=planned, desc="tune", unit="trial", disable=None):
            pass
    for search in searches:
        model = search.objective.model
        search.fit_winner().save(paths.MODELS / f"{model}_tuned.npz")
        io.write_csv(tabulate_trials(search), paths.PLOTS / f"{TABLES[model]}.csv")
        if model == "svd":  # the ALS is scored when it is done
            io.write_csv(tabulate_curves(search), paths.PLOTS / "tune_curves.csv")
    io.write_csv(tabulate_settings(searches), paths.PLOTS / "tune_trials.csv")
    io.write_json(
        {search.objective.model: summarize_search(search) for search in searches}, paths.METRICS / "tune.json"
    )
    for search in searches:
        for trial in search.trials:
            note_trial(search.objective.model, trial.proposal.configuration, trial.outcome.training_time_s)
        print(describe_search(search))


if __name__ == "__main__":
    run_stage("tune", main)
