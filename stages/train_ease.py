"""Stage train_ease: solve EASE on train and calibrate its scores to stars on validation."""

from movierec import io, paths
from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.data.content import Content
from movierec.metrics.rating import rmse
from movierec.models.ease import EASE
from movierec.params import load_scaled_params
from movierec.progress import count_step, make_bar
from movierec.roster import VALIDATION_RMSE
from movierec.tracking.stage import run_stage, timed


def main() -> None:
    """Write models/ease.npz and metrics/train_ease.json."""
    params = load_scaled_params()
    train, validation = io.read_parquet(paths.TRAIN), io.read_parquet(paths.VALIDATION)
    with make_bar("EASE", total=2, unit="step") as bar:
        with timed("training_time_s"):
            model = EASE(**params.ease.model_dump())
            count_step(bar, model.fit(train, Content.load(paths.CONTENT)))
        count_step(bar, model.calibrate(validation)).save(paths.MODELS / "ease.npz")
    found = rmse(validation[RATING], model.predict(validation[USER_ID], validation[MOVIE_ID]))
    io.write_json({"ease": {VALIDATION_RMSE: found}}, paths.METRICS / "train_ease.json")
    print(f"EASE of {len(model.modelled):,} movies: RMSE {found:.4f} on validation")


if __name__ == "__main__":
    run_stage("train_ease", main)
