"""Stage tune: search for good settings of each kind of model on validation, and keep the best model or settings."""

from contextlib import closing
from functools import partial
from typing import Any

from movierec import io, paths
from movierec.data.content import Content
from movierec.feedback import LEFT_OUT, NO_RATINGS, leave_out
from movierec.params import load_scaled_params
from movierec.progress import make_bar
from movierec.roster import TUNED
from movierec.spark.als import fit_als_on_spark
from movierec.tracking.stage import note_trial, run_stage
from movierec.tuning import report
from movierec.tuning.memory import TrialMemory
from movierec.tuning.plan import plan_searches
from movierec.tuning.search import run_searches


def main() -> None:
    """Write the tuned models, metrics/tune.json, its details and plots/tune_*.csv."""
    params = load_scaled_params()
    train, validation = io.read_parquet(paths.TRAIN), io.read_parquet(paths.VALIDATION)
    data = train, validation, params.seed, Content.load(paths.CONTENT), io.read_parquet(paths.CLEAN_MOVIES)
    threshold, counts = params.evaluate.relevance_threshold, params.is_implicit
    fit_als = partial(fit_als_on_spark, paths.TRAIN) if params.engine == "spark" else None
    searches = plan_searches(params.tune, threshold, *data, counts=counts, fit_als=fit_als)
    memory = TrialMemory(paths.state_dir() / "trials")
    with (
        closing(run_searches(searches, memory, params.tune.workers)) as running,
        make_bar("tune", total=sum(search.planned + 1 for search in searches), unit="fit") as bar,
    ):
        for _ in running:
            bar.update()
        for search in searches:
            report.store_winner(search)
            bar.update()
    for search in searches:
        io.write_csv(report.tabulate_trials(search), paths.PLOTS / f"tune_{search.objective.model}.csv")
        for trial in search.trials:
            note_trial(search.objective.model, trial.proposal.configuration, trial.outcome.training_time_s)
        print(report.describe_search(search))
    io.write_csv(report.tabulate_curves(searches), paths.PLOTS / "tune_curves.csv")
    io.write_csv(report.tabulate_settings(searches), paths.PLOTS / "tune_trials.csv")
    found: dict[str, Any] = {search.objective.model: report.summarize_search(search) for search in searches}
    best = {search.objective.model: {search.objective.metric: search.best_score} for search in searches}
    for kind in sorted(set(TUNED) - set(found)):  # left out of the plan
        leave_out(kind, (report.name_winner(kind), paths.PLOTS / f"tune_{kind}.csv"))
        found[kind], best[kind] = {LEFT_OUT: NO_RATINGS}, {}
    io.write_json(found, paths.DETAILS / "tune.json")
    io.write_json(best, paths.METRICS / "tune.json")


if __name__ == "__main__":
    run_stage("tune", main)
