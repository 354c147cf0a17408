"""The sections of params.yaml: names, types, ranges and meanings. `movierec.params` reads the file."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationInfo,
    WrapValidator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from movierec.roster import ModelName
from movierec.scales import Scale

AUTO: Final = "auto"

Factors = Annotated[int, Field(ge=1, le=2000, description="latent dimension")]
Epochs = Annotated[int, Field(ge=1, le=10_000, description="passes over the training ratings")]
LearningRate = Annotated[float, Field(gt=0, le=1, description="step size of SGD")]
Regularization = Annotated[float, Field(ge=0, le=1e6, description="L2 penalty")]
InitStdDev = Annotated[float, Field(ge=0, le=10, description="standard deviation of the factors' first draw")]
Iterations = Annotated[int, Field(ge=1, le=1000, description="sweeps over users and movies")]
Directions = Annotated[int, Field(ge=0, le=4000, description="of what was rated, as side information; 0: none")]
Sweeps = Annotated[int, Field(ge=4, le=100_000, description="draws of every parameter")]
LEAST_SWEEPS = 40  # that the Bayesian factorisation chooses by itself
Alpha = Annotated[
    float,
    Field(
        gt=0,
        le=1e6,
        description="confidence of a rating for each of its stars, of a count for each unit of its logarithm",
    ),
]
Patience = Annotated[int, Field(ge=0, le=10_000, description="epochs without a better validation RMSE; 0: never stop")]
ContentWeight = Annotated[float, Field(ge=0, le=1e6, description="weight of the movies' content; 0: none")]


def _read_threshold(value: Any, handler: Any, info: ValidationInfo) -> Any:  # noqa: ANN401  # pydantic's interface
    """Put the scale's threshold, where the scale is known, in place of ``auto``."""
    if value != AUTO:
        return handler(value)
    scale: Scale | None = (info.context or {}).get("scale")
    return scale.liked_from if scale else value


def _read_scale(value: Any) -> Any:  # noqa: ANN401  # as above
    if value == AUTO:
        return value
    is_numbers = isinstance(value, list | tuple) and not any(isinstance(n, bool | str | None) for n in value)
    if not is_numbers or len(value) != 3 or not (value[0] < value[1] and 0 <= value[2] <= value[1] - value[0]):
        raise PydanticCustomError("scale", "Input should be auto, or the lowest, the highest and the step: [1, 10, 1]")
    return Scale(*(float(number) for number in value))


_AS_IT_IS = PlainSerializer(lambda value: value)  # a number, or the word before the scale is known

Threshold = Annotated[
    float,
    WrapValidator(_read_threshold),
    _AS_IT_IS,
    Field(description="rating from which a movie counts as liked; auto: three quarters up the scale"),
]
RatingScale = Annotated[Literal["auto"] | Scale, PlainValidator(_read_scale)]
ConfidenceThreshold = Annotated[
    float | None,
    WrapValidator(_read_threshold),
    _AS_IT_IS,
    Field(
        description="ratings below it get confidence 1 only; null: every rating's confidence is alpha times its stars"
    ),
]
Fraction = Annotated[float, Field(ge=0, le=1)]

RELEVANCE_OUTCOME: Final = re.compile(r"(precision|recall|ndcg|map|hit_rate)@(5|10|20)|mrr")
_OUTCOME = re.compile(rf"{RELEVANCE_OUTCOME.pattern}|(diversity|novelty)@(5|10|20)|(squared|absolute)_error")


class Section(BaseModel):
    """A part of params.yaml: exactly these keys, exactly these types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class SyntheticParams(Section):
    """The embedded data generator."""

    preset: Literal["tiny", "small", "headline", "ml-25m"] = Field(description="scale of the generated data")
    noise: float = Field(ge=0.01, le=3, description="standard deviation of a rating around its mean, in stars")


def _read_column(value: Any) -> Any:  # noqa: ANN401  # as above
    if value is None or (isinstance(value, str) and value) or (type(value) is int and value > 0):
        return value
    raise PydanticCustomError("column", "Input should be auto, a column's name, or its number from 1")


ColumnName = Annotated[str | int | None, PlainValidator(_read_column)]


def _require_column(value: Any) -> Any:  # noqa: ANN401  # as above
    if value is None:
        raise PydanticCustomError("column", "Input should be auto, a column's name, or its number from 1")
    return _read_column(value)


class ColumnParams(Section):
    """Names of the columns of your own data, or their numbers from 1 in a file without a header line."""

    user: Annotated[str | int, PlainValidator(_require_column)]
    item: Annotated[str | int, PlainValidator(_require_column)]
    rating: ColumnName = Field(description="stars, or a count such as plays; null: there is none")
    timestamp: ColumnName = Field(description="null: there is none")
    title: ColumnName
    genres: ColumnName
    year: ColumnName


class SourceParams(Section):
    """How the files of your own data are read; what is `auto` is guessed and said."""

    ratings: str = Field(min_length=1, description="name of the file, or of several with * for what differs")
    movies: str | None = Field(min_length=1, description="name of the file; null: there is none, titles are the ids")
    separator: str = Field(min_length=1, max_length=4, description="between the fields of a line")
    decimal: Literal["auto", ".", ","]
    ids: Literal["auto", "text"] = Field(description="text: never take ids for numbers")
    columns: ColumnParams


class CleanParams(Section):
    """What the clean stage drops."""

    unrated: float | None = Field(description="rating that stands for none, such as 0 or -1; null: there is none")
    duplicates: Literal["auto", "last", "first", "mean", "sum"] = Field(
        description="what of a user's several ratings of one movie is kept; auto: the last, or the sum of counts"
    )

    sample_fraction: float = Field(gt=0, le=1, description="share of the ratings to keep, drawn at random")
    min_user_ratings: int = Field(ge=1, description="ratings a user must have")
    min_movie_ratings: int = Field(ge=1, description="ratings a movie must have")
    iterate: bool = Field(description="repeat both minimum counts until stable")
    max_bad_fraction: Fraction = Field(description="share of broken rows above which the data is refused")


class SplitParams(Section):
    """How ratings are divided into train, validation and test."""

    method: Literal["random", "temporal", "per_user_temporal", "cold_movies"]
    validation: float = Field(gt=0, lt=1, description="share of the ratings; of the movies for cold_movies")
    test: float = Field(gt=0, lt=1, description="share of the ratings; of the movies for cold_movies")

    @model_validator(mode="after")
    def _leave_something_to_train_on(self) -> "SplitParams":
        if self.validation + self.test >= 1:
            raise ValueError(f"validation + test is {self.validation + self.test:g} and leaves nothing to train on")
        return self


class SvdParams(Section):
    """Biased matrix factorisation by SGD, beside `factors`."""

    engine: Literal["exact", "fast", "parallel", "surprise"] = Field(
        description="exact: scikit-surprise's bits; fast: float32; parallel: float32 on all cores, another order"
    )
    epochs: Epochs
    learning_rate: LearningRate
    regularization: Regularization
    init_std_dev: InitStdDev
    patience: Patience


class AlsParams(Section):
    """Implicit-feedback ALS, beside `factors`."""

    engine: Literal["fast", "implicit"] = Field(description="fast: our solver; implicit: the library's, equal to it")
    iterations: Iterations
    regularization: Regularization
    alpha: Alpha
    relevance_threshold: ConfidenceThreshold
    content_weight: ContentWeight

    @model_validator(mode="after")
    def _describe_movies_to_our_solver_only(self) -> "AlsParams":
        if self.engine == "implicit" and self.content_weight:
            raise ValueError("the engine implicit knows no content: set content_weight to 0")
        return self


class EaseParams(Section):
    """EASE, a linear model solved in closed form."""

    regularization: Annotated[float, Field(gt=0, le=1e6, description="L2 penalty")]
    low: float = Field(ge=0, le=10, description="weight of a rating below relevance_threshold; of one at it: 1")
    slope: float = Field(ge=0, le=10, description="further weight of each star above relevance_threshold")
    relevance_threshold: Threshold
    dropout: float = Field(ge=0, lt=1, description="share of a user's ratings to do without")
    user_power: float = Field(ge=0, le=2, description="a user counts by the number of ratings to minus this power")
    popularity_power: float = Field(ge=0, le=2, description="scores count by the movie's ratings to minus this power")
    content_weight: ContentWeight
    max_movies: int = Field(ge=1, le=100_000, description="the most rated movies are modelled; the others score 0")


class BayesParams(Section):
    """Bayesian matrix factorisation by Gibbs sampling; `factors` and `directions` that are null are those tuned."""

    factors: Factors | None
    sweeps: Sweeps | None
    burn_in: int = Field(ge=0, le=100_000, description="sweeps at the start that are forgotten")
    directions: Directions | None
    day_effects: bool = Field(description="whether all ratings of a user on one day share an offset")
    samples: int = Field(ge=2, le=1000, description="draws that are stored, for deviations and new users")

    @model_validator(mode="after")
    def _keep_something(self) -> "BayesParams":
        if self.burn_in + 2 > (self.sweeps or LEAST_SWEEPS):
            raise ValueError(
                f"a burn-in of {self.burn_in} leaves less than two of {self.sweeps or LEAST_SWEEPS} sweeps"
            )
        return self

    def complete(self, tuned: Mapping[str, Any]) -> dict[str, Any]:
        """Return all values, with tuned ones in place of those left open."""
        given = self.model_dump()
        return given | {name: value for name, value in tuned.items() if name in given and given[name] is None}


class SvdConfiguration(Section):
    """One trial of the SVD's hyperparameters."""

    factors: Factors
    epochs: Epochs
    learning_rate: LearningRate
    regularization: Regularization
    init_std_dev: InitStdDev = 0.1
    patience: Patience = 0


class AlsConfiguration(Section):
    """One trial of the ALS's hyperparameters."""

    factors: Factors
    iterations: Iterations
    regularization: Regularization
    alpha: Alpha
    relevance_threshold: ConfidenceThreshold
    content_weight: ContentWeight = 0.0


class BayesConfiguration(Section):
    """One trial of the Bayesian factorisation's hyperparameters."""

    factors: Factors
    directions: Directions


class TuneParams(Section):
    """The trials of the tune stage."""

    search: Literal["grid", "tpe"] = Field(description="grid: the listed settings; tpe: they and `trials` more")
    trials: int = Field(ge=1, le=10_000, description="trials that tpe proposes for each model")
    workers: int = Field(ge=1, le=256, description="trials at a time; no result depends on it")
    most_ratings: int = Field(ge=1_000, le=2**31 - 1, description="above, trials have a sample of users with so many")
    svd: dict[str, SvdConfiguration] = Field(min_length=1)
    als: dict[str, AlsConfiguration] = Field(min_length=1)
    bayes: dict[str, BayesConfiguration] = Field(min_length=1)


class EvaluateParams(Section):
    """How models are judged."""

    relevance_threshold: Threshold
    bootstrap_samples: int = Field(ge=100, le=100_000, description="resamples behind each interval")


def _require_outcome(metric: str) -> str:
    if not _OUTCOME.fullmatch(metric):
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
