"""Stage train_bayes: draw the Bayesian factorisation on train, with its learning curve on validation."""

from typing import Final

import pandas as pd

from movierec import io, paths
from movierec.columns import MOVIE_ID, RATING, TIMESTAMP, USER_ID
from movierec.feedback import leave_out
from movierec.metrics.rating import rmse
from movierec.models.bayes import Bayes
from movierec.params import load_scaled_params
from movierec.progress import make_bar
from movierec.tracking.stage import run_stage, timed

OUTPUTS: Final = (paths.MODELS / "bayes.npz", paths.METRICS / "train_bayes.json", paths.PLOTS / "train_bayes.csv")


def main() -> None:
    """Write models/bayes.npz, metrics/train_bayes.json and plots/train_bayes.csv."""
    params = load_scaled_params()
    if params.is_implicit:
        leave_out("bayes", OUTPUTS)
        return
    train, validation = io.read_parquet(paths.TRAIN), io.read_parquet(paths.VALIDATION)
    movies = io.read_parquet(paths.CLEAN_MOVIES)
    tuned = io.read_json(paths.DETAILS / "tune_bayes.json")
    model = Bayes(**params.bayes.complete(tuned), seed=params.seed)
    bar = make_bar("Bayes", total=model.plan(len(train)).sweeps, unit="sweep")
    with bar as progress, timed("training_time_s"):
        model.fit(train, validation, on_sweep=lambda _: progress.update(), movies=movies)
    model.save(paths.MODELS / "bayes.npz")
    pairs = validation[USER_ID], validation[MOVIE_ID]
    final = {"validation_rmse": rmse(validation[RATING], model.predict(*pairs, validation.get(TIMESTAMP)))}
    io.write_csv(pd.DataFrame(model.history), paths.PLOTS / "train_bayes.csv")
    io.write_json({"bayes": final}, paths.METRICS / "train_bayes.json")
    print(f"Bayes: RMSE {final['validation_rmse']:.4f} on validation")


if __name__ == "__main__":
    run_stage("train_bayes", main)
