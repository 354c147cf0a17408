"""The parameters of an experiment: params.yaml read and checked before any stage starts work."""

import re
import reprlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from movierec.errors import MovierecError
from movierec.io import read_json
from movierec.paths import DETAILS, PARAMS
from movierec.scales import Scale
from movierec.settings import (
    RELEVANCE_OUTCOME,
    AbtestParams,
    AlsParams,
    BayesParams,
    CleanParams,
    EaseParams,
    EvaluateParams,
    Factors,
    RatingScale,
    Section,
    SourceParams,
    SplitParams,
    SvdParams,
    SyntheticParams,
    TuneParams,
)
from movierec.text import find_nearest


class Params(Section):
    """Everything that params.yaml says."""

    seed: int = Field(ge=0, le=2**32 - 1, description="seed of every random draw")
    dataset: str = Field(min_length=1, description="registered name, `synthetic`, path or URL")
    engine: Literal["local", "spark"] = Field(description="where the heavy steps run; no result depends on it")
    factors: Factors
    synthetic: SyntheticParams
    source: SourceParams
    feedback: Literal["auto", "explicit", "implicit"] = Field(description="ratings, or events such as likes and plays")
    rating_scale: RatingScale
    clean: CleanParams
    split: SplitParams
    svd: SvdParams
    als: AlsParams
    ease: EaseParams
    bayes: BayesParams
    tune: TuneParams
    evaluate: EvaluateParams
    abtest: AbtestParams

    @model_validator(mode="after")
    def _order_by_times_there_are(self) -> "Params":
        if self.source.columns.timestamp is None and "temporal" in self.split.method:
            raise ValueError(f"split.method {self.split.method} needs times, but source.columns.timestamp is null")
        return self

    @model_validator(mode="after")
    def _compare_what_can_differ(self) -> "Params":
        if self.split.method == "cold_movies" and RELEVANCE_OUTCOME.fullmatch(self.abtest.metric):
            raise ValueError(
                f"no list can hold a movie of test with split.method cold_movies, so {self.abtest.metric} is 0 for "
                "everybody: choose abtest.metric squared_error or absolute_error"
            )
        return self

    @model_validator(mode="after")
    def _ask_of_spark_what_it_does(self) -> "Params":
        if self.engine == "spark" and self.als.engine != "fast":
            raise ValueError(f"engine: spark does not offer als.engine {self.als.engine}: set it to fast")
        if self.engine == "spark" and self.split.method == "cold_movies":
            raise ValueError("engine: spark does not offer split.method cold_movies: choose another, or engine: local")
        return self

    @property
    def is_implicit(self) -> bool:
        """Whether there are events instead of ratings, as far as is known; see `load_scaled_params`."""
        return self.feedback == "implicit"


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


def load_params(path: Path = PARAMS, scale: Scale | None = None) -> Params:
    """Read and check every parameter of the experiment.

    Parameters
    ----------
    path : Path
        The params file.
    scale : Scale, optional
        Of the ratings; each `relevance_threshold` that is ``auto`` becomes its `liked_from`. Without it they stay
        words, for stages that come before the scale is known.

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
    return _check(read_params_yaml(path), path, scale)


def load_scaled_params(path: Path = PARAMS, clean: Path = DETAILS / "clean.json") -> Params:
    """Read the parameters for stages that come after the cleaning, which has told the scale of the ratings.

    Parameters
    ----------
    path : Path
        The params file.
    clean : Path
        What the clean stage wrote. Of feedback without ratings every event counts as liked.

    Returns
    -------
    Params
        `feedback` is what it turned out to be.

    Raises
    ------
    MovierecError
        As `load_params`; or if the clean stage has not run.
    """
    found = read_json(clean)
    scale, implicit = Scale(**found["scale"]), bool(found["implicit"])
    params = load_params(path, Scale(scale.low, scale.low, 0.0) if implicit else scale)
    return params.model_copy(update={"feedback": "implicit" if implicit else "explicit"})


def override_params(settings: Sequence[str], path: Path = PARAMS) -> Params:
    """Read the parameters with some of them changed, as ``dvc exp run -S`` changes them in the file.

    Parameters
    ----------
    settings : sequence of str
        Such as ``source.columns.user=uid``; the value is YAML.
    path : Path
        The params file; it stays as it is.

    Raises
    ------
    MovierecError
        As `load_params`; or if a setting is no ``key=value``.
    """
    content = read_params_yaml(path)
    for setting in settings:
        key, equals, value = setting.partition("=")
        *sections, name = key.split(".")
        inner = content
        for section in sections:
            inner = inner.get(section, {}) if isinstance(inner, dict) else {}
        if not equals or not isinstance(inner, dict):
            raise MovierecError(f"{setting!r} is no setting: give a key and a value, such as source.columns.user=uid")
        try:
            inner[name] = YAML(typ="safe", pure=True).load(value)
        except YAMLError as error:
            raise MovierecError(f"{key}: {value!r} is not valid YAML: {' '.join(str(error).split())}") from error
    return _check(content, path)


def _check(content: dict[str, Any], path: Path, scale: Scale | None = None) -> Params:
    try:
        return Params.model_validate(content, context={"scale": scale})
    except ValidationError as error:
        raise MovierecError(f"{path}: {_explain(error)}") from error


def _explain(error: ValidationError) -> str:
    problems = error.errors(include_url=False)
    # A misspelt key is an unknown one and a missing one: the former tells more.
    first = next(
        (problem for problem in problems if problem["type"] in {"extra_forbidden", "invalid_key"}), problems[0]
    )
    location = tuple(str(part) for part in first["loc"])
    if not location:  # of the file as a whole
        return first["msg"].removeprefix("Value error, ")
    key = ".".join(location)
    if first["type"] == "extra_forbidden":
        near = find_nearest(location[-1], _keys_at(location[:-1]))
        return f"unknown key {key!r}: did you mean {'.'.join((*location[:-1], near))!r}?"
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
    """Find the section that a place in the file is in; one that maps free names to settings counts as its own."""
    section: type[BaseModel] = Params
    named: Any = None  # what the names of such a mapping stand for
    for name in location:
        field = section.model_fields.get(name)
        inner = named or (field.annotation if field else None)
        named = get_args(inner)[-1] if get_origin(inner) is dict else None
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            section = inner
    return section


def _keys_at(location: tuple[str, ...]) -> list[str]:
    return list(_section_at(location).model_fields)


def _meaning(location: tuple[str, ...]) -> str:
    field = _section_at(location[:-1]).model_fields.get(location[-1])
    return f" ({field.description})" if field and field.description else ""
