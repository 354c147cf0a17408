"""The model that MLflow serves: the recommender's answers by one stored model; MLflow keeps and runs this very file.

It needs movierec's code beside it and its files, of which none is ever unpickled; `movierec.tracking.registry` logs
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

MODEL, MOVIES, RATINGS, USERS = "model", "movies", "ratings", "users"  # names of the files
K: Final = 10
LONGEST: Final = 200
COLUMNS: Final = (USER_ID, "rank", MOVIE_ID, "score", "strategy")


class ServedModel(PythonModel):  # type: ignore[misc]  # MLflow is untyped
    """Recommend movies that a user has not rated, to users the model knows and to strangers."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read the files: the model, the movies, the ratings of train and validation, and users with ids of text."""
        files = {name: Path(path) for name, path in context.artifacts.items()}
        self.engine = Engine(gather_artifacts(files[MODEL], files[MOVIES], files[RATINGS], files.get(USERS)))

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Recommend up to `k` movies to each user, without those that the user rated in train or validation.

        Parameters
        ----------
        context : PythonModelContext
            Unused.
        model_input : DataFrame
            ``user_id`` (int64, or text where the data's ids are); a user asked for twice is answered once, in the first
            place.
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
        artifacts = self.engine.artifacts
        kind = str if artifacts.profiles.users.are_text else np.int64
        for user_id in pd.unique(model_input[USER_ID].astype(kind)).tolist():
            answer = self.engine.recommend(artifacts.profiles.find(user_id), k)
            rows += [
                (user_id, rank, item.movie.movie_id, item.score, answer.strategy)
                for rank, item in enumerate(answer.items, start=1)
            ]
        user_kind, movie_kind = (
            "str" if ids.are_text else "int64" for ids in (artifacts.profiles.users, artifacts.catalogue.ids)
        )
        types = {USER_ID: user_kind, "rank": "int64", MOVIE_ID: movie_kind, "score": "float64", "strategy": "str"}
        return pd.DataFrame(rows, columns=list(COLUMNS)).astype(types)


set_model(ServedModel())
