"""Stage train_svd: fit the SVD on train, with its learning curve on validation."""

from typing import Final

import pandas as pd

from movierec import io, paths
from movierec.feedback import leave_out
from movierec.models.svd import SVD
from movierec.params import load_scaled_params
from movierec.progress import make_bar
from movierec.roster import VALIDATION_RMSE
from movierec.tracking.stage import run_stage, timed

OUTPUTS: Final = (
    paths.MODELS / "svd.npz",
    paths.METRICS / "train_svd.json",
    paths.DETAILS / "train_svd.json",
    paths.PLOTS / "train_svd.csv",
)


def main() -> None:
    """Write models/svd.npz, metrics/train_svd.json, its details and plots/train_svd.csv."""
    params = load_scaled_params()
    if params.is_implicit:
        leave_out("svd", OUTPUTS)
        return
    settings = {"factors": params.factors, **params.svd.model_dump(), "seed": params.seed}
    train, validation = io.read_parquet(paths.TRAIN), io.read_parquet(paths.VALIDATION)
    with make_bar("SVD", total=params.svd.epochs, unit="epoch") as bar, timed("training_time_s"):
        model = SVD(**settings).fit(train, validation, on_epoch=lambda _: bar.update())
    model.save(paths.MODELS / "svd.npz")
    curve = pd.DataFrame(model.history)
    final = {name: float(curve[name].iloc[-1]) for name in ("train_rmse", "validation_rmse")}
    io.write_csv(curve, paths.PLOTS / "train_svd.csv")
    io.write_json({"svd": final}, paths.DETAILS / "train_svd.json")
    io.write_json({"svd": {VALIDATION_RMSE: final[VALIDATION_RMSE]}}, paths.METRICS / "train_svd.json")
    print(f"SVD: RMSE {final['train_rmse']:.4f} on train, {final['validation_rmse']:.4f} on validation")


if __name__ == "__main__":
    run_stage("train_svd", main)
