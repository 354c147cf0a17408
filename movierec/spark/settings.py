"""How this machine reaches Spark: where its master is, and how much each process may take; never part of a result."""

import os
import sys
from typing import Any, Final

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from movierec.errors import MovierecError
from movierec.paths import state_dir

FILE: Final = "spark.toml"
MOST_PARTITIONS: Final = 64  # the blocks by which sums are taken


class SparkSettings(BaseSettings):
    """Read from the environment, ``MOVIEREC_SPARK_MASTER`` and so on, and from ``.movierec/spark.toml``."""

    model_config = SettingsConfigDict(env_prefix="MOVIEREC_SPARK_", extra="forbid", frozen=True)

    master: str = Field("local[*]", min_length=1, description="such as spark://host:7077, yarn or k8s://https://host")
    partitions: int = Field(0, ge=0, le=MOST_PARTITIONS, description="tasks of a step; 0: as many as there are cores")
    driver_memory: str = Field("2g", pattern=r"^\d+[kmgt]$", description="of the driver's JVM")
    executor_memory: str = Field("1g", pattern=r"^\d+[kmgt]$", description="of an executor's JVM, Python not counted")
    executor_cores: int = Field(1, ge=1, le=1024, description="threads of an executor, all of them in one task")
    python: str = Field(sys.executable, description="the workers' Python, with movierec's packages")
    exchange: str = Field(
        "", description="through which files go if workers do not see this folder: s3://bucket/prefix"
    )
    packages: str = Field("", description="further Java packages, such as org.apache.hadoop:hadoop-aws:3.4.2")
    patience_s: int = Field(120, ge=1, le=86_400, description="seconds without any executor after which a run ends")
    conf: dict[str, str] = Field({}, description="any other setting of Spark, by its own name")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let arguments win over the environment, and that over the file."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, state_dir() / FILE)


def load_spark_settings(**given: Any) -> SparkSettings:  # noqa: ANN401  # as pydantic takes them
    """Read the settings of this machine.

    Parameters
    ----------
    **given
        Settings that win over the environment and the file.

    Raises
    ------
    MovierecError
        If the file is no TOML, or a setting is unknown or out of range.
    """
    try:
        return SparkSettings(**given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise MovierecError(
            f"Spark's setting {key!r} (MOVIEREC_SPARK_{key.upper()} or {FILE}): {first['msg']}"
        ) from error
    except ValueError as error:
        raise MovierecError(f"{os.path.relpath(state_dir() / FILE)} is not valid TOML: {error}") from error
