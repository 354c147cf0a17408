"""How one instance of the service is set up, read from the environment; nothing here starts it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from movierec.errors import MovierecError
from movierec.params import load_params
from movierec.paths import PARAMS
from movierec.roster import SERVED, ServedName
from movierec.service.storage.database import locate_file

ARMS: Final = ("control", "treatment")
Arm = Literal["control", "treatment"]


class OnlineExperiment(BaseModel):
    """What params.yaml's section `abtest` compares.

    Attributes
    ----------
    name : str
        Salts the assignment.
    models : dict
        Which model each arm is served by.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    models: dict[Arm, ServedName]


class ServiceSettings(BaseModel):
    """Everything that `create_app` needs to know.

    The name of each field in capitals after ``MOVIEREC_`` is its environment variable, except those of `root`,
    `experiment` and `serve_experiment`: params.yaml names the experiment, and ``MOVIEREC_EXPERIMENT=on`` serves it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    root: Path = Field(description="folder of dvc.lock")
    database_url: str = Field(min_length=1, description="an SQLAlchemy URL")
    api_token: Annotated[SecretStr, Field(min_length=16)] | None = Field(default=None, description="for writing routes")
    cache_size: int = Field(default=64, ge=0, le=100_000, description="megabytes of answers kept; 0: none")
    cache_ttl_s: float = Field(default=300.0, gt=0, le=86_400, description="seconds that an answer is kept")
    rate_limit: int = Field(
        default=30_000, ge=0, le=10_000_000, description="requests a minute a client; 0: any number"
    )
    max_body_bytes: int = Field(default=1_000_000, ge=1_000, le=100_000_000, description="largest request body")
    reload_interval_s: float = Field(
        default=2.0,
        ge=0.01,
        le=3600,
        description="seconds between looks for new models, and for ratings from other processes",
    )
    experiment: OnlineExperiment | None = None
    serve_experiment: bool = False


def read_settings(root: Path, environment: Mapping[str, str]) -> ServiceSettings:
    """Read the settings from environment variables; an empty one counts as absent.

    Parameters
    ----------
    root : Path
        Folder of params.yaml, dvc.lock and what the pipeline made.
    environment : mapping of str to str
        Such as `os.environ`.

    Returns
    -------
    ServiceSettings
        By default an SQLite database in the state folder of `root`, and the champion for everyone.

    Raises
    ------
    MovierecError
        If a value is out of range (the message names the variable), or the experiment is on but params.yaml is
        missing, wrong, or compares a model that cannot be served.
    """
    names = [name for name in ServiceSettings.model_fields if name not in {"root", "experiment", "serve_experiment"}]
    given: dict[str, Any] = {name: environment.get(f"MOVIEREC_{name.upper()}") for name in names}
    found = {name: value for name, value in given.items() if value}
    found.setdefault("database_url", locate_file(root))
    switch = environment.get("MOVIEREC_EXPERIMENT") or "off"
    if switch not in {"on", "off"}:
        raise MovierecError(f"MOVIEREC_EXPERIMENT is {switch!r}: it must be on or off")
    experiment = _read_experiment(root, required=switch == "on")
    try:
        return ServiceSettings(root=root, experiment=experiment, serve_experiment=switch == "on", **found)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        variable = f"MOVIEREC_{str(problem['loc'][0]).upper()}"
        raise MovierecError(f"{variable}: {problem['msg'][0].lower()}{problem['msg'][1:]}") from None  # no secrets


def _read_experiment(root: Path, *, required: bool) -> OnlineExperiment | None:
    if not required and not (root / PARAMS).exists():
        return None
    section = load_params(root / PARAMS).abtest
    models = dict(zip(ARMS, (section.control, section.treatment), strict=True))
    unserved = [model for model in models.values() if model not in SERVED]
    if unserved and required:
        raise MovierecError(f"abtest compares {unserved[0]!r}, which cannot be served: take two of {', '.join(SERVED)}")
    if unserved:
        return None
    return OnlineExperiment.model_validate({"name": section.experiment, "models": models})
