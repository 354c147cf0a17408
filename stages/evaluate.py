"""Stage evaluate: judge every model on every test rating and for every test user."""

from tqdm import tqdm

from movierec import evaluation, io, paths, reporting, seeds, tracking
from movierec.errors import run_command
from movierec.models.als import ALS
from movierec.models.base import Recommender
from movierec.models.bias import Bias
from movierec.models.popularity import Popularity
from movierec.models.svd import SVD
from movierec.params import load_params


def main() -> None:
    """Write metrics/evaluate.json, plots/evaluate_*.csv and data/evaluation/per_user.parquet."""
    params = load_params()
    bed = evaluation.TestBed(
        train=io.read_parquet(paths.TRAIN),
        validation=io.read_parquet(paths.VALIDATION),
        test=io.read_parquet(paths.TEST),
        movies=io.read_parquet(paths.CLEAN_MOVIES),
        relevance_threshold=params.evaluate.relevance_threshold,
    )
    models: dict[str, Recommender] = {
        "svd": SVD.load(paths.MODELS / "svd.npz"),
        "svd_tuned": SVD.load(paths.MODELS / "svd_tuned.npz"),
        "als": ALS.load(paths.MODELS / "als.npz"),
        "bias": Bias().fit(bed.train),
        "popularity": Popularity().fit(bed.train),
    }
    progress = tqdm(models.items(), desc="evaluate", unit="model", disable=None)
    results = {name: evaluation.evaluate_model(model, bed) for name, model in progress}
    rng = seeds.rng(params.seed, "evaluate", "bootstrap")
    summary = evaluation.summarize_results(results, rng, params.evaluate.bootstrap_samples)
    floor = io.read_json(paths.METRICS / "fetch.json").get("noise_floor", {}).get("rmse")
    evaluation.compare_with_floor(summary, floor)
    io.write_parquet(reporting.tabulate_users(results, bed), paths.PER_USER)
    io.write_csv(reporting.tabulate_accuracy(summary), paths.PLOTS / "evaluate_accuracy.csv")
    io.write_csv(reporting.tabulate_by_k(summary), paths.PLOTS / "evaluate_at_k.csv")
    io.write_csv(reporting.tabulate_calibration(results), paths.PLOTS / "evaluate_calibration.csv")
    io.write_json({**summary, "data": bed.describe()}, paths.METRICS / "evaluate.json")
    for name, figures in summary.items():
        flat = {metric: value for metric, value in figures.items() if not isinstance(value, dict)}
        tracking.log_run(f"evaluate {name}", {"model": name}, flat)
    print(reporting.format_summary(summary, floor))


if __name__ == "__main__":
    run_command(main)
