"""The sections of params.yaml fit what they are passed to."""

import inspect
from typing import get_args

from movierec.data.clean import clean_ratings
from movierec.data.split import Method, split_ratings
from movierec.data.synthetic import PRESETS
from movierec.models.als import ALS
from movierec.models.bayes import Bayes
from movierec.models.ease import EASE
from movierec.models.svd import SVD
from movierec.settings import (
    LEAST_SWEEPS,
    AlsConfiguration,
    AlsParams,
    BayesParams,
    CleanParams,
    EaseParams,
    SplitParams,
    SvdConfiguration,
    SvdParams,
    SyntheticParams,
)


def parameters(function: object) -> set[str]:
    return set(inspect.signature(function).parameters)  # type: ignore[arg-type]


def test_sections_fit_the_functions_that_take_them() -> None:
    assert set(CleanParams.model_fields) == parameters(clean_ratings) - {
        "raw",
        "rating_scale",
        "seed",
        "workspace",
        "run",
    }
    assert set(SplitParams.model_fields) == parameters(split_ratings) - {"ratings", "seed"}
    assert get_args(SplitParams.model_fields["method"].annotation) == get_args(Method)
    assert get_args(SyntheticParams.model_fields["preset"].annotation) == tuple(PRESETS)


def test_sections_fit_the_models_that_take_them() -> None:
    assert {"factors", *SvdParams.model_fields} <= parameters(SVD) - {"seed"}
    assert {"factors", *AlsParams.model_fields} == parameters(ALS) - {"seed", "counts"}
    assert set(EaseParams.model_fields) == parameters(EASE) - {"counts"}
    assert set(BayesParams.model_fields) == parameters(Bayes) - {"seed"}
    assert Bayes().plan(10**9).sweeps == LEAST_SWEEPS


def test_a_configuration_has_settings_of_its_model() -> None:
    assert set(SvdConfiguration.model_fields) <= {"factors", *SvdParams.model_fields}
    assert set(AlsConfiguration.model_fields) == {"factors", *AlsParams.model_fields} - {"engine"}
    for name in set(SvdConfiguration.model_fields) - {"factors"}:
        assert SvdConfiguration.model_fields[name].metadata == SvdParams.model_fields[name].metadata
