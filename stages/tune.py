"""Stage tune: score the listed configurations on validation, refit the winner and keep it."""

from tqdm import tqdm

from movierec import io, paths, tracking
from movierec.errors import run_command
from movierec.models.svd import SVD
from movierec.params import load_params
from movierec.tuning import TrialMemory, choose_best, run_trials, summarize_trials, tabulate_trials


def main() -> None:
    """Write models/svd_tuned.npz, metrics/tune.json and plots/tune.csv."""
    params = load_params()
    configurations, seed = params.tune.configurations, params.seed
    train, validation = io.read_parquet(paths.TRAIN), io.read_parquet(paths.VALIDATION)
    memory = TrialMemory(paths.state_dir() / "trials", train, validation, seed)
    running = run_trials(configurations, train, validation, memory, seed, params.tune.workers)
    trials = list(tqdm(running, total=len(configurations), desc="tune", unit="trial", disable=None))
    best = choose_best(trials)
    SVD(**configurations[best.configuration].model_dump(), seed=seed).fit(train).save(paths.MODELS / "svd_tuned.npz")
    io.write_csv(tabulate_trials(trials), paths.PLOTS / "tune.csv")
    io.write_json(summarize_trials(trials), paths.METRICS / "tune.json")
    scores = {trial.configuration: (trial.settings, {"validation_rmse": trial.validation_rmse}) for trial in trials}
    tracking.log_run("tune", best.settings, {"validation_rmse": best.validation_rmse}, children=scores)
    remembered = sum(trial.remembered for trial in trials)
    print(
        f"{len(trials)} configurations ({remembered} remembered): best {best.configuration!r}, "
        f"RMSE {best.validation_rmse:.4f} on validation",
    )


if __name__ == "__main__":
    run_command(main)
