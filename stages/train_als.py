"""Stage train_als: fit the ALS on train and calibrate its scores to stars on validation."""

import pandas as pd

from movierec import io, paths
from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.data.content import Content
from movierec.feedback import describe_rmse
from movierec.metrics.rating import rmse
from movierec.models.als import ALS
from movierec.params import load_scaled_params
from movierec.progress import make_bar
from movierec.roster import VALIDATION_RMSE
from movierec.spark.als import fit_als_on_spark
from movierec.tracking.stage import run_stage, timed


def main() -> None:
    """Write models/als.npz, metrics/train_als.json, its details and plots/train_als.csv."""
    params = load_scaled_params()
    settings = {"factors": params.factors, **params.als.model_dump(), "seed": params.seed, "counts": params.is_implicit}
    validation, content = io.read_parquet(paths.VALIDATION), Content.load(paths.CONTENT)
    with make_bar("ALS", total=params.als.iterations, unit="sweep") as bar, timed("training_time_s"):
        if params.engine == "spark":
            model = fit_als_on_spark(paths.TRAIN, settings, on_sweep=lambda _: bar.update(), content=content)
        else:
            train = io.read_parquet(paths.TRAIN)
            model = ALS(**settings).fit(train, on_sweep=lambda _: bar.update(), content=content)
    final = {"loss": model.objective[-1]}
    if not params.is_implicit:
        model.calibrate(validation)
        pairs = validation[USER_ID], validation[MOVIE_ID]
        final[VALIDATION_RMSE] = rmse(validation[RATING], model.predict(*pairs))
        final[f"{VALIDATION_RMSE}_raw"] = rmse(validation[RATING], model.predict_raw(*pairs))
    model.save(paths.MODELS / "als.npz")
    sweeps = range(1, len(model.objective) + 1)
    io.write_csv(pd.DataFrame({"iteration": sweeps, "loss": model.objective}), paths.PLOTS / "train_als.csv")
    io.write_json({"als": final}, paths.DETAILS / "train_als.json")
    headline = {name: value for name, value in final.items() if name == VALIDATION_RMSE}
    io.write_json({"als": headline}, paths.METRICS / "train_als.json")
    stars = describe_rmse(None)
    if headline:
        raw = final[f"{VALIDATION_RMSE}_raw"]
        stars = f"RMSE on validation {final[VALIDATION_RMSE]:.4f} calibrated, {raw:.4f} raw"
    print(f"ALS: loss {final['loss']:.5f}; {stars}")


if __name__ == "__main__":
    run_stage("train_als", main)
