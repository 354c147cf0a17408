"""Stage plot: draw every figure of the experiment."""

from tqdm import tqdm

from movierec import figures, io, paths
from movierec.errors import run_command
from movierec.figures import data, deciles, evaluation, experiment, ranking, training
from movierec.figures.style import save_figure
from movierec.figures.tables import COLUMNS, read_table


def main() -> None:
    """Write plots/NAME.png for each of `figures.FIGURE_NAMES`; nothing is written unless all could be drawn."""
    table = {name: read_table(paths.PLOTS, name) for name in COLUMNS}
    noise_floor = io.read_json(paths.METRICS / "fetch.json").get("noise_floor")
    report = io.read_json(paths.METRICS / "abtest.json")
    drawn = {
        figures.RATING_DISTRIBUTION: data.draw_rating_distribution(table["clean_ratings"]),
        figures.LONG_TAIL: data.draw_long_tail(table["clean_long_tail"]),
        figures.LEARNING_CURVE_SVD: training.draw_svd_learning_curve(table["train_svd"]),
        figures.LEARNING_CURVE_ALS: training.draw_als_learning_curve(table["train_als"]),
        figures.TUNING: training.draw_svd_tuning(table["tune"]),
        figures.TUNING_ALS: training.draw_als_tuning(table["tune_als"]),
        figures.ACCURACY: evaluation.draw_accuracy(table["evaluate_accuracy"], noise_floor),
        figures.PRECISION_RECALL: ranking.draw_precision_recall(table["evaluate_at_k"]),
        figures.COVERAGE_ACCURACY: ranking.draw_coverage_accuracy(table["evaluate_at_k"]),
        figures.PREDICTED_ACTUAL: evaluation.draw_predicted_actual(table["evaluate_calibration"]),
        figures.BY_ACTIVITY: deciles.draw_by_activity(table["evaluate_by_activity"]),
        figures.BY_POPULARITY: deciles.draw_by_popularity(table["evaluate_by_popularity"]),
        figures.ABTEST: experiment.draw_abtest(table["abtest"], report),
        figures.ABTEST_POWER: experiment.draw_abtest_power(table["abtest_power"], report),
    }
    for name, figure in tqdm(drawn.items(), desc="plot", unit="figure", disable=None):
        save_figure(figure, paths.PLOTS / f"{name}.png")
    print(f"{len(drawn)} figures in {paths.PLOTS}/: {', '.join(drawn)}")


if __name__ == "__main__":
    run_command(main)
