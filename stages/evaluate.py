"""Stage evaluate: judge every model on every test rating and for every test user."""

from typing import Any

from movierec import io, paths, seeds
from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.data.content import Content
from movierec.evaluation import comparisons, report
from movierec.evaluation.bed import TestBed
from movierec.evaluation.cold_movies import format_cold_movies, judge_cold_movies
from movierec.evaluation.deciles import tabulate_by_decile
from movierec.evaluation.judge import evaluate_model
from movierec.feedback import leave_out_stars
from movierec.models.als import ALS
from movierec.models.roster import list_models, obtain_model
from movierec.params import load_scaled_params
from movierec.progress import count_step, make_bar
from movierec.spark.ranking import open_ranking
from movierec.tracking.stage import run_stage

STEPS_AFTER = 5  # the models: summary, comparisons, the tables by decile, uncertainty and users


def main() -> None:
    """Write metrics/evaluate.json, its details, plots/evaluate_*.csv and data/evaluation/per_user.parquet."""
    params = load_scaled_params()
    train, validation = (io.read_parquet(path, [USER_ID, MOVIE_ID, RATING]) for path in (paths.TRAIN, paths.VALIDATION))
    test, movies = (io.read_parquet(path) for path in (paths.TEST, paths.CLEAN_MOVIES))
    threshold, factors = params.evaluate.relevance_threshold, ALS.load(paths.MODELS / "als.npz").movie_factors
    models = list_models(implicit=params.is_implicit)
    rng = seeds.rng(params.seed, "evaluate", "bootstrap")
    with make_bar("evaluate", total=len(models) + STEPS_AFTER, unit="step") as bar:
        with open_ranking(params.engine) as rank_chunks:
            bed = TestBed(train, validation, test, movies, threshold, factors, not params.is_implicit, rank_chunks)
            results = {
                name: count_step(bar, evaluate_model(obtain_model(name, paths.MODELS, train), bed)) for name in models
            }
        bootstrap, signs = report.start_resampling(bed, rng, params.evaluate.bootstrap_samples)
        summary = count_step(bar, report.summarize_results(results, bootstrap))
        floor = report.compare_with_floor(summary, io.read_json(paths.DETAILS / "fetch.json"))
        compared = count_step(bar, comparisons.compare_results(results, bootstrap, signs))
        tables = {"at_k": report.tabulate_by_k(summary), "comparisons": comparisons.tabulate_comparisons(compared)}
        tables |= count_step(bar, tabulate_by_decile(results, bed, bootstrap))
        tables |= count_step(bar, report.tabulate_stars(results, summary))
        io.write_parquet(count_step(bar, report.tabulate_users(results, bed)), paths.PER_USER)
    for name, table in tables.items():
        io.write_csv(table, paths.PLOTS / f"evaluate_{name}.csv")
    found: dict[str, Any] = {"comparisons": comparisons.summarize_comparisons(compared), "data": bed.describe()}
    if params.is_implicit:
        found |= leave_out_stars([paths.PLOTS / f"evaluate_{name}.csv" for name in report.STAR_TABLES])
    if params.split.method == "cold_movies":
        found["cold_movies"] = judge_cold_movies(bed, Content.load(paths.CONTENT), params.seed)
        print(format_cold_movies(found["cold_movies"]))
    io.write_json(summary | found, paths.DETAILS / "evaluate.json")
    io.write_json(report.select_headline(summary), paths.METRICS / "evaluate.json")
    print(f"{report.format_headline(summary, floor)}\n{comparisons.format_comparisons(compared)}")


if __name__ == "__main__":
    run_stage("evaluate", main)
