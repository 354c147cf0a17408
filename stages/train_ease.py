"""Stage train_ease: solve EASE on train and calibrate its scores to stars on validation."""

from movierec import io, paths
from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.data.content import Content
from movierec.feedback import describe_rmse
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
    found = {}
    with make_bar("EASE", total=2, unit="step") as bar:
        with timed("training_time_s"):
            model = EASE(**params.ease.model_dump(), counts=params.is_implicit)
            count_step(bar, model.fit(train, Content.load(paths.CONTENT)))
        if not params.is_implicit:
            model.calibrate(validation)
            found[VALIDATION_RMSE] = rmse(validation[RATING], model.predict(validation[USER_ID], validation[MOVIE_ID]))
        count_step(bar, model).save(paths.MODELS / "ease.npz")
    io.write_json({"ease": found}, paths.METRICS / "train_ease.json")
    print(f"EASE of {len(model.modelled):,} movies: {describe_rmse(found.get(VALIDATION_RMSE))}")


if __name__ == "__main__":
    run_stage("train_ease", main)
