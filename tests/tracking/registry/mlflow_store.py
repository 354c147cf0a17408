"""An MLflow store of registered models that a test may ask."""

import sqlite3
from contextlib import closing
from pathlib import Path

from mlflow import MlflowClient

from movierec.tracking.registry import NAME


class Store:
    """A SQLite store with an experiment."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "mlflow.db"
        self.uri = f"sqlite:///{self.database}"
        self.client = MlflowClient(self.uri)
        self.experiment_id = self.client.create_experiment("movierec", (folder / "artifacts").as_uri())

    def dump(self) -> list[str]:
        with closing(sqlite3.connect(self.database)) as connection:
            return list(connection.iterdump())


def champion(client: MlflowClient) -> str:
    return str(client.get_model_version_by_alias(NAME, "champion").tags["model"])
