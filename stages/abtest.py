"""Stage abtest: an offline experiment between two models on the test users, from assignment to verdict."""

from movierec.abtest.offline import run_experiment
from movierec.abtest.power_curve import tabulate_power
from movierec.io import read_parquet, write_csv, write_json
from movierec.params import load_params
from movierec.paths import DETAILS, METRICS, PER_USER, PLOTS
from movierec.seeds import rng
from movierec.tracking.stage import run_stage


def main() -> None:
    """Compare the arms of `abtest` in params.yaml; write the report, its figures' data and print the verdict."""
    params = load_params()
    report = run_experiment(read_parquet(PER_USER), params.abtest, rng(params.seed, "abtest", "bootstrap"))
    write_json(report.to_details(), DETAILS / "abtest.json")
    write_json(report.to_metrics(), METRICS / "abtest.json")
    write_csv(report.to_table(), PLOTS / "abtest.csv")
    write_csv(tabulate_power(report), PLOTS / "abtest_power.csv")
    print(report.summarize())


if __name__ == "__main__":
    run_stage("abtest", main)
