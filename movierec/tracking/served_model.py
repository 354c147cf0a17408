"""The model that MLflow serves: the recommender's answers by one stored model; MLflow keeps and runs this very file.

It needs movierec's code beside it and three files, of which none is ever unpickled; `movierec.tracking.registry` logs
it.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, PythonModelContext

from movierec.columns import MOVIE_ID, USER_ID
from movierec.recommender.artifacts import gather_artifacts
from movierec.recommender.engine import Engine

MODEL, MOVIES, RATINGS = "model", "movies", "ratings"  # names of the files
K: Final = 10
LONGEST: Final = 200
COLUMNS: Final = (USER_ID, "rank", MOVIE_ID, "score", "strategy")


class ServedModel(PythonModel):  # type: ignore[misc]  # MLflow is untyped
    """Recommend movies that a user has not rated, to users the model knows and to strangers."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read the three files: the model, the movies, and the ratings of train and validation."""
        files = {name: Path(path) for name, path in context.artifacts.items()}
        self.engine = Engine(gather_artifacts(files[MODEL], files[MOVIES], files[RATINGS]))

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Recommend up to `k` movies to each user, without those that the user rated in train or validation.

        Parameters
        ----------
        context : PythonModelContext
            Unused.
        model_input : DataFrame
            ``user_id`` (int64); a user asked for twice is answered once, in the first place.
        params : dict, optional
            ``k`` of 1 to 200, by default 10.

        Returns
        -------
        DataFrame
            One row a movie: ``user_id``, ``rank`` from 1, ``movie_id``, ``score``, ``strategy``; the strategies and
            scores are those of `Engine.recommend`, which also answers the service and the command line.

        Raises
        ------
        MlflowException
            If `k` is out of range; a server answers with status 400.
        """
        del context
        k = int((params or {}).get("k", K))
        if not 1 <= k <= LONGEST:
            raise MlflowException.invalid_parameter_value(f"k is {k}: ask for 1 to {LONGEST} movies")
        rows = []
        for user_id in pd.unique(model_input[USER_ID].to_numpy(dtype=np.int64)).tolist():
            answer = self.engine.recommend(self.engine.artifacts.profiles.find(user_id), k)
            rows += [
                (user_id, rank, item.movie.movie_id, item.score, answer.strategy)
                for rank, item in enumerate(answer.items, start=1)
            ]
        types = {USER_ID: "int64", "rank": "int64", MOVIE_ID: "int64", "score": "float64", "strategy": "str"}
        return pd.DataFrame(rows, columns=list(COLUMNS)).astype(types)


set_model(ServedModel())
