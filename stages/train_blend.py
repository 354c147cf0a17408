"""Stage train_blend: blend EASE and the tuned ALS, with the weight that ranks best on validation."""

from movierec import io, paths
from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.metrics.rating import rmse
from movierec.metrics.relevance import Relevance
from movierec.models.als import ALS
from movierec.models.blend import Blend
from movierec.models.ease import EASE
from movierec.params import load_scaled_params
from movierec.progress import count_step, make_bar
from movierec.roster import VALIDATION_RMSE
from movierec.tracking.stage import run_stage, timed
from movierec.tuning.blend import WEIGHTS, choose_weight


def main() -> None:
    """Write models/blend.npz, metrics/train_blend.json and its details."""
    params = load_scaled_params()
    train, validation = io.read_parquet(paths.TRAIN), io.read_parquet(paths.VALIDATION)
    ease, als = EASE.load(paths.MODELS / "ease.npz"), ALS.load(paths.MODELS / "als_tuned.npz")
    model, threshold = Blend().adopt(ease, als), params.evaluate.relevance_threshold
    found = {}
    with make_bar("blend", total=len(WEIGHTS) + 1, unit="step") as bar:
        with timed("training_time_s"):
            relevance = Relevance(train, validation, threshold)
            model.weight, ndcg = choose_weight(model, relevance, on_weight=lambda _: bar.update())
        if not params.is_implicit:
            model.calibrate(validation)
            found[VALIDATION_RMSE] = rmse(validation[RATING], model.predict(validation[USER_ID], validation[MOVIE_ID]))
        count_step(bar, model).save(paths.MODELS / "blend.npz")
    io.write_json({"blend": found | {"weight": model.weight}}, paths.DETAILS / "train_blend.json")
    io.write_json({"blend": found}, paths.METRICS / "train_blend.json")
    print(f"blend: {model.weight:.0%} EASE, the rest ALS; NDCG@10 {ndcg:.4f} on validation")


if __name__ == "__main__":
    run_stage("train_blend", main)
