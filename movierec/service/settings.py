"""How one instance of the service is set up, read from the environment; nothing here starts it."""

import re
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, StringConstraints, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from movierec.errors import MovierecError
from movierec.params import load_params
from movierec.paths import PARAMS
from movierec.roster import SERVED, ServedName
from movierec.service.storage.database import locate_file

ARMS: Final = ("control", "treatment")
Arm = Literal["control", "treatment"]

_PREFIX: Final = "MOVIEREC_"


def _split(names: object) -> object:
    return re.split(r"[\s,]+", names.strip(" ,")) if isinstance(names, str) else names


_HOST_NAME: Final = r"^((\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:]+\])$"  # or an address of IPv6
HostName = Annotated[str, StringConstraints(to_lower=True, pattern=_HOST_NAME)]


class OnlineExperiment(BaseModel):
    """What params.yaml's section `abtest` compares, or what ``MOVIEREC_EXPERIMENT_ARMS`` names instead.

    Attributes
    ----------
    name : str
        Salts the assignment.
    models : dict
        Which model each arm is served by.
    minimum_effect : float or None
        Smallest improvement worth having.
    significance, power : float
        False positive rate, and chance to see `minimum_effect` if it is there.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    models: dict[Arm, ServedName]
    minimum_effect: float | None = None
    significance: float = 0.05
    power: float = 0.8


class _Choices(BaseModel):
    """What the environment may set: the name of each field in capitals after ``MOVIEREC_`` is its variable."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    api_token: Annotated[SecretStr, Field(min_length=16)] | None = Field(default=None, description="for writing routes")
    allowed_hosts: Annotated[tuple[HostName, ...], NoDecode, BeforeValidator(_split)] = Field(
        default=(),
        description="names that the service is reached by, beside the machine's own, such as movies.example or "
        "*.example; by default any with a token, none without",
    )
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


class ServiceSettings(_Choices):
    """Everything that `create_app` needs to know."""

    root: Path = Field(description="folder of dvc.lock")
    database_url: str = Field(min_length=1, description="an SQLAlchemy URL")
    experiment: OnlineExperiment | None = Field(default=None, description="the one of params.yaml")
    serve_experiment: bool = Field(default=False, description="by ``MOVIEREC_EXPERIMENT=on``")


class _Environment(BaseSettings, _Choices):
    model_config = SettingsConfigDict(env_prefix=_PREFIX, env_ignore_empty=True)

    database_url: str = ""
    experiment: Literal["on", "off"] = "off"
    experiment_arms: Annotated[tuple[ServedName, ServedName] | None, NoDecode, BeforeValidator(_split)] = None


def read_settings(root: Path) -> ServiceSettings:
    """Read the settings from environment variables; an empty one counts as absent.

    Parameters
    ----------
    root : Path
        Folder of params.yaml, dvc.lock and what the pipeline made.

    Returns
    -------
    ServiceSettings
        By default an SQLite database in the state folder of `root`, and the champion for everyone.

    Raises
    ------
    MovierecError
        If a value is out of range (the message names the variable), both arms are one model, or the experiment is on
        but params.yaml is missing, wrong, or compares a model that cannot be served.
    """
    try:
        given = _Environment().model_dump(exclude_unset=True)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        variable = f"{_PREFIX}{str(problem['loc'][0]).upper()}"
        raise MovierecError(f"{variable}: {problem['msg'][0].lower()}{problem['msg'][1:]}") from None  # no secrets
    on, arms = given.pop("experiment", "off") == "on", given.pop("experiment_arms", None)
    given.setdefault("database_url", locate_file(root))
    return ServiceSettings(
        root=root, experiment=_read_experiment(root, arms, required=on), serve_experiment=on, **given
    )


def _read_experiment(root: Path, arms: tuple[str, str] | None, *, required: bool) -> OnlineExperiment | None:
    """Read what is compared; `arms` may be models that only a service has, which no offline test can compare."""
    if arms and arms[0] == arms[1]:
        raise MovierecError(f"MOVIEREC_EXPERIMENT_ARMS: both arms are {arms[0]}: name two models")
    if not required and not (root / PARAMS).exists():
        return None
    section = load_params(root / PARAMS).abtest
    models = dict(zip(ARMS, arms or (section.control, section.treatment), strict=True))
    name = (
        f"{arms[1]}-against-{arms[0]}" if arms else section.experiment
    )  # events of other arms are another experiment's
    unserved = [model for model in models.values() if model not in SERVED]
    if unserved and required:
        raise MovierecError(f"abtest compares {unserved[0]!r}, which cannot be served: take two of {', '.join(SERVED)}")
    if unserved:
        return None
    rates = section.model_dump(include={"minimum_effect", "significance", "power"})
    return OnlineExperiment.model_validate({"name": name, "models": models, **rates})
