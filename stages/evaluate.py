"""Stage evaluate: judge every model on every test rating and for every test user."""

from tqdm import tqdm

from movierec import io, paths, seeds
from movierec.evaluation import report
from movierec.evaluation.deciles import tabulate_by_activity, tabulate_by_popularity
from movierec.evaluation.judge import TestBed, evaluate_model
from movierec.models.als import ALS
from movierec.models.base import Recommender
from movierec.models.bias import Bias
from movierec.models.popularity import Popularity
from movierec.models.svd import SVD
from movierec.params import load_params
from movierec.tracking.stage import run_stage


def main() -> None:
    """Write metrics/evaluate.json, plots/evaluate_*.csv and data/evaluation/per_user.parquet."""
    params = load_params()
    als = ALS.load(paths.MODELS / "als.npz")
    bed = TestBed(
        train=io.read_parquet(paths.TRAIN),
        validation=io.read_parquet(paths.VALIDATION),
        test=io.read_parquet(paths.TEST),
        movies=io.read_parquet(paths.CLEAN_MOVIES),
        relevance_threshold=params.evaluate.relevance_threshold,
        movie_factors=als.movie_factors,
    )
    models: dict[str, Recommender] = {
        "svd": SVD.load(paths.MODELS / "svd.npz"),
        "svd_tuned": SVD.load(paths.MODELS / "svd_tuned.npz"),
        "als": als,
        "als_tuned": ALS.load(paths.MODELS / "als_tuned.npz"),
        "bias": Bias().fit(bed.train),
        "popularity": Popularity().fit(bed.train),
    }
    results = {name: evaluate_model(model, bed) for name, model in tqdm(models.items(), "evaluate", disable=None)}
    resampling = int(seeds.rng(params.seed, "evaluate", "bootstrap").integers(2**63)), params.evaluate.bootstrap_samples
    summary = report.summarize_results(results, *resampling)
    floor = report.compare_with_floor(summary, io.read_json(paths.METRICS / "fetch.json"))
    comparisons = report.compare_results(results, *resampling)
    tables = {
        "accuracy": report.tabulate_accuracy(summary),
        "at_k": report.tabulate_by_k(summary),
        "calibration": report.tabulate_calibration(results, bed),
        "comparisons": report.tabulate_comparisons(comparisons),
        "by_activity": tabulate_by_activity(results, bed, *resampling),
        "by_popularity": tabulate_by_popularity(results, bed, *resampling),
    }
    for name, table in tables.items():
        io.write_csv(table, paths.PLOTS / f"evaluate_{name}.csv")
    io.write_parquet(report.tabulate_users(results, bed), paths.PER_USER)
    print(f"{report.format_summary(summary, floor)}\n{report.format_comparisons(comparisons)}")
    found = {"comparisons": report.summarize_comparisons(comparisons), "data": bed.describe()}
    io.write_json(summary | found, paths.METRICS / "evaluate.json")


if __name__ == "__main__":
    run_stage("evaluate", main)
