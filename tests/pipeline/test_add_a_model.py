"""A model is added by the edits that CONTRIBUTING.md names, and is then judged, drawn and open to experiments."""

import json

from tests.pipeline.conftest import Project

MODEL = '''\
"""The mean: everything is rated alike."""

from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from movierec.columns import RATING
from movierec.models.base import Array, Recommender, Rows, index_ids


class Mean(Recommender):
    """Predict the mean training rating."""

    name: ClassVar[str] = "mean"
    mean: Array

    def fit(self, ratings: pd.DataFrame) -> Self:
        """Take the mean."""
        self.users, self.movies, _, _ = index_ids(ratings)
        self.mean = np.asarray(ratings[RATING].to_numpy(dtype=np.float64).mean())
        return self

    def predict(self, user_ids: npt.ArrayLike, movie_ids: npt.ArrayLike) -> Array:
        """Predict it."""
        return np.full(len(np.asarray(user_ids)), float(self.mean))

    def score_rows(self, user_rows: Rows) -> npt.NDArray[np.float32]:
        """Score all alike."""
        return np.zeros((len(user_rows), len(self.movies)), dtype=np.float32)

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        return {"mean": self.mean}

    def _settings(self) -> dict[str, Any]:
        return {}
'''
STAGE = '''\
"""Stage train_mean: take the mean of train."""

from movierec import io, paths
from movierec.errors import run_command
from movierec.models.mean import Mean


def main() -> None:
    """Write models/mean.npz."""
    Mean().fit(io.read_parquet(paths.TRAIN)).save(paths.MODELS / "mean.npz")


if __name__ == "__main__":
    run_command(main)
'''
DECLARED = """\
  train_mean:
    desc: Take the mean of train
    cmd: python -m stages.train_mean
    deps:
      - data/split/train
      # the code, written by `make deps`
    outs:
      - models/mean.npz

  tune:
"""


def test_a_new_model_is_a_row_a_file_and_a_stage(project: Project) -> None:
    (project.folder / "movierec/models/mean.py").write_text(MODEL)
    (project.folder / "stages/train_mean.py").write_text(STAGE)
    project.replace(
        "movierec/models/roster.py",
        "from movierec.models.pop",
        "from movierec.models.mean import Mean\nfrom movierec.models.pop",
    )
    project.replace("movierec/models/roster.py", "(SVD, ", "(Mean, SVD, ")
    project.replace(
        "movierec/roster.py",
        "ROSTER: Final = (\n",
        'ROSTER: Final = (\n    Entry("mean", "mean", Look("#e69f00", "*", "solid"), "train_mean"),\n',
    )
    project.replace("dvc.yaml", "  tune:\n", DECLARED)
    project.replace(
        "dvc.yaml",
        "      - models/svd.npz\n      - models/svd_tuned.npz\n",
        "      - models/mean.npz\n      - models/svd.npz\n      - models/svd_tuned.npz\n",
    )
    project.run("python", "-m", "movierec.stage_code")
    project.replace("params.yaml", "treatment: blend", "treatment: mean")
    output = project.run("dvc", "repro")
    assert "mean against als on ndcg@10" in output
    metrics = json.loads((project.folder / "metrics/evaluate.json").read_text())
    assert metrics["mean"]["rmse"] > metrics["bias"]["rmse"]
    assert "movierec/models/mean.py" in (project.folder / "dvc.lock").read_text()
