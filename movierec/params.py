"""The parameters of an experiment: what params.yaml may say, checked before any stage starts work."""

import difflib
import re
import reprlib
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from movierec.errors import MovierecError
from movierec.paths import PARAMS

Factors = Annotated[int, Field(ge=1, le=2000, description="latent dimension")]
Epochs = Annotated[int, Field(ge=1, le=10_000, description="passes over the training ratings")]
LearningRate = Annotated[float, Field(gt=0, le=1, description="step size of SGD")]
Regularization = Annotated[float, Field(ge=0, le=1e6, description="L2 penalty")]
InitStdDev = Annotated[float, Field(ge=0, le=10, description="standard deviation of the factors' first draw")]
StarThreshold = Annotated[float, Field(ge=0.5, le=5, description="stars from which a rating counts as liked")]
Fraction = Annotated[float, Field(ge=0, le=1)]

ModelName = Literal["svd", "svd_tuned", "als", "bias", "popularity"]
OUTCOME = re.compile(r"(precision|recall|ndcg|map|hit_rate|diversity|novelty)@(5|10|20)|mrr|(squared|absolute)_error")
MODEL_NAMES: tuple[ModelName, ...] = get_args(ModelName)


class Section(BaseModel):
    """A part of params.yaml: exactly these keys, exactly these types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class SyntheticParams(Section):
    """The embedded data generator."""

    preset: Literal["tiny", "small", "headline", "ml-25m"] = Field(description="scale of the generated data")
    noise: float = Field(ge=0.01, le=3, description="standard deviation of a rating around its mean, in stars")


class CleanParams(Section):
    """What the clean stage drops."""

    sample_fraction: float = Field(gt=0, le=1, description="share of the ratings to keep, drawn at random")
    min_user_ratings: int = Field(ge=1, description="ratings a user must have")
    min_movie_ratings: int = Field(ge=1, description="ratings a movie must have")
    iterate: bool = Field(description="repeat both minimum counts until stable")
    max_bad_fraction: Fraction = Field(description="share of broken rows above which the data is refused")


class SplitParams(Section):
    """How ratings are divided into train, validation and test."""

    method: Literal["random", "temporal", "per_user_temporal"]
    validation: float = Field(gt=0, lt=1, description="share of the ratings")
    test: float = Field(gt=0, lt=1, description="share of the ratings")

    @model_validator(mode="after")
    def _leave_something_to_train_on(self) -> "SplitParams":
        if self.validation + self.test >= 1:
            raise ValueError(f"validation + test is {self.validation + self.test:g} and leaves nothing to train on")
        return self


class SvdParams(Section):
    """Biased matrix factorisation by SGD, beside `factors`."""

    engine: Literal["fast", "surprise"]
    epochs: Epochs
    learning_rate: LearningRate
    regularization: Regularization
    init_std_dev: InitStdDev


class AlsParams(Section):
    """Implicit-feedback ALS, beside `factors`."""

    iterations: int = Field(ge=1, le=1000, description="sweeps over users and movies")
    regularization: Regularization
    alpha: float = Field(gt=0, le=1e6, description="confidence of a rating for each of its stars")
    relevance_threshold: StarThreshold | None = Field(
        description="ratings below it get confidence 1 only; null: every rating's confidence is alpha times its stars",
    )


class SvdConfiguration(Section):
    """One trial of the SVD's hyperparameters."""

    factors: Factors
    epochs: Epochs
    learning_rate: LearningRate
    regularization: Regularization
    init_std_dev: InitStdDev = 0.1


class TuneParams(Section):
    """The trials of the tune stage."""

    configurations: dict[str, SvdConfiguration] = Field(min_length=1)
    workers: int = Field(ge=1, le=256, description="trials at a time; no result depends on it")


class EvaluateParams(Section):
    """How models are judged."""

    relevance_threshold: StarThreshold
    bootstrap_samples: int = Field(ge=100, le=100_000, description="resamples behind each interval")


def _require_outcome(metric: str) -> str:
    if not OUTCOME.fullmatch(metric):
        raise PydanticCustomError(
            "outcome",
            "Input should be mrr, squared_error, absolute_error, or precision, recall, ndcg, map, hit_rate, diversity "
            "or novelty at 5, 10 or 20 (such as ndcg@10)",
        )
    return metric


class AbtestParams(Section):
    """The offline experiment between two models."""

    experiment: str = Field(min_length=1, max_length=100, description="name; salts the assignment of users")
    control: ModelName
    treatment: ModelName
    metric: Annotated[str, AfterValidator(_require_outcome)] = Field(description="the experiment's outcome")
    significance: float = Field(gt=0, lt=0.5, description="false positive rate")
    power: float = Field(gt=0.5, lt=1, description="chance to see the minimum effect if it is there")
    minimum_effect: float = Field(gt=0, description="smallest difference worth seeing, in units of the metric")

    @model_validator(mode="after")
    def _compare_two_models(self) -> "AbtestParams":
        if self.control == self.treatment:
            raise ValueError(f"control and treatment are both {self.control}: name two models")
        return self


class Params(Section):
    """Everything that params.yaml says."""

    seed: int = Field(ge=0, le=2**32 - 1, description="seed of every random draw")
    dataset: str = Field(min_length=1, description="registered name, `synthetic`, path or URL")
    factors: Factors
    synthetic: SyntheticParams
    clean: CleanParams
    split: SplitParams
    svd: SvdParams
    als: AlsParams
    tune: TuneParams
    evaluate: EvaluateParams
    abtest: AbtestParams


def read_params_yaml(path: Path = PARAMS) -> dict[str, Any]:
    """Read a params file as DVC reads it: YAML 1.2, so that ``1e-05`` is a number and ``no`` is a word.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    dict
        The mapping at its top level.

    Raises
    ------
    MovierecError
        If the file is absent or cannot be read, is not YAML or holds no mapping.
    """
    try:
        content = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise MovierecError(f"{path} not found: run from the root of the project") from error
    except OSError as error:
        raise MovierecError(f"{path} cannot be read: {error.strerror}") from error
    except (YAMLError, ValueError) as error:  # ValueError: not UTF-8, or a date that no calendar has
        raise MovierecError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise MovierecError(f"{path} must hold `key: value` lines")
    return content


def load_params(path: Path = PARAMS) -> Params:
    """Read and check every parameter of the experiment.

    Parameters
    ----------
    path : Path
        The params file.

    Returns
    -------
    Params
        Immutable.

    Raises
    ------
    MovierecError
        On the first key that is unknown (the message names the nearest known one), missing, of the
        wrong type or out of range (the message names the value and what is allowed).
    """
    content = read_params_yaml(path)
    try:
        return Params.model_validate(content)
    except ValidationError as error:
        raise MovierecError(f"{path}: {_explain(error)}") from error


def _explain(error: ValidationError) -> str:
    problems = error.errors(include_url=False)
    # A misspelt key is an unknown one and a missing one: the former tells more.
    first = next(
        (problem for problem in problems if problem["type"] in {"extra_forbidden", "invalid_key"}), problems[0]
    )
    location = tuple(str(part) for part in first["loc"])
    key = ".".join(location)
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(location[-1], _keys_at(location[:-1]), n=1, cutoff=0)
        return f"unknown key {key!r}: did you mean {'.'.join((*location[:-1], *near))!r}?"
    if first["type"] == "missing":
        return f"key {key!r} is missing"
    if first["type"] == "invalid_key" or location[-1] == "[key]":
        return f"key {key.removesuffix('.[key]')!r} is no text: put it in quotes or correct it"
    rule = re.sub("^(Value error, |Input |String |Dictionary )", "", first["msg"])
    if first["type"] == "value_error":
        return f"{key}: {rule}"
    if first["type"] in {"model_type", "dict_type"}:
        rule = "should hold `key: value` lines"
    return f"{key} is {reprlib.repr(first['input'])}: it {rule}{_meaning(location)}"


def _section_at(location: tuple[str, ...]) -> type[BaseModel]:
    section: type[BaseModel] = Params
    for name in location:
        field = section.model_fields.get(name)
        inner = field.annotation if field else SvdConfiguration
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            section = inner
    return section


def _keys_at(location: tuple[str, ...]) -> list[str]:
    return list(_section_at(location).model_fields)


def _meaning(location: tuple[str, ...]) -> str:
    field = _section_at(location[:-1]).model_fields.get(location[-1])
    return f" ({field.description})" if field and field.description else ""
