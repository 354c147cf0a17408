"""Stage plot: draw every figure of the experiment."""

from movierec import io, paths
from movierec.errors import run_command
from movierec.figures import Name, data, deciles, evaluation, experiment, ranking, training, uncertainty
from movierec.figures.style import name_unit, save_figure
from movierec.figures.tables import read_table
from movierec.plot_tables import COLUMNS
from movierec.progress import make_bar
from movierec.scales import Scale


def main() -> None:
    """Write plots/NAME.png for each of `movierec.figures.Name`; nothing is written unless all could be drawn."""
    table = {name: read_table(paths.PLOTS, name) for name in COLUMNS}
    noise_floor = io.read_json(paths.DETAILS / "fetch.json").get("noise_floor")
    report = io.read_json(paths.DETAILS / "abtest.json")
    scale = Scale(**io.read_json(paths.DETAILS / "clean.json")["scale"])
    drawn = {
        Name.RATING_DISTRIBUTION: data.draw_rating_distribution(table["clean_ratings"]),
        Name.LONG_TAIL: data.draw_long_tail(table["clean_long_tail"]),
        Name.LEARNING_CURVE_SVD: training.draw_svd_learning_curve(table["train_svd"]),
        Name.LEARNING_CURVE_ALS: training.draw_als_learning_curve(table["train_als"]),
        Name.LEARNING_CURVE_BAYES: training.draw_bayes_learning_curve(table["train_bayes"]),
        Name.TUNING_SVD: training.draw_svd_tuning(table["tune_svd"]),
        Name.TUNING_ALS: training.draw_als_tuning(table["tune_als"]),
        Name.TUNING_BAYES: training.draw_bayes_tuning(table["tune_bayes"]),
        Name.ACCURACY: evaluation.draw_accuracy(table["evaluate_accuracy"], noise_floor),
        Name.PRECISION_RECALL: ranking.draw_precision_recall(table["evaluate_at_k"]),
        Name.COVERAGE_ACCURACY: ranking.draw_coverage_accuracy(table["evaluate_at_k"]),
        Name.PREDICTED_ACTUAL: evaluation.draw_predicted_actual(table["evaluate_calibration"]),
        Name.BY_ACTIVITY: deciles.draw_by_activity(table["evaluate_by_activity"]),
        Name.BY_POPULARITY: deciles.draw_by_popularity(table["evaluate_by_popularity"]),
        Name.UNCERTAINTY: uncertainty.draw_uncertainty(table["evaluate_intervals"], table["evaluate_deviations"]),
        Name.ABTEST: experiment.draw_abtest(table["abtest"], report),
        Name.ABTEST_POWER: experiment.draw_abtest_power(table["abtest_power"], report),
    }
    with make_bar("plot", total=len(drawn), unit="figure") as bar:
        for name, figure in drawn.items():
            name_unit(figure, scale)
            save_figure(figure, paths.PLOTS / f"{name}.png")
            bar.update()
    print(f"{len(drawn)} figures in {paths.PLOTS}/: {', '.join(drawn)}")


if __name__ == "__main__":
    run_command(main)
