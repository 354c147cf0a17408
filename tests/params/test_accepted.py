"""The committed params.yaml, and all that a good one may say."""

import pytest
from dvc.utils.serialize import load_yaml  # type: ignore[import-untyped]
from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.tokens import AliasToken, AnchorToken

from movierec.params import load_params, read_params_yaml
from movierec.paths import PARAMS
from movierec.roster import BY_NAME
from movierec.scales import Scale
from tests.params.samples import (
    ALS_TRIAL,
    COLUMNS,
    GOOD,
    NUMBERS,
    WHOLE_NUMBERS,
    WORDS,
    Save,
    cases,
    get,
    leaves,
    refusal,
    with_value,
)


def test_committed_params_are_valid() -> None:
    params = load_params(PARAMS)
    assert params.tune.svd


def test_committed_params_survive_dvc_editing_them() -> None:
    # `dvc exp run -S` bakes an anchor or ${} to a constant, and then ignores the second -S in silence
    text = PARAMS.read_text(encoding="utf-8")
    assert "${" not in text
    assert not [token for token in YAML().scan(text) if isinstance(token, AliasToken | AnchorToken)]


def test_committed_params_read_as_dvc_reads_them() -> None:
    assert read_params_yaml(PARAMS) == load_yaml(str(PARAMS))


def test_every_key_is_tested_here() -> None:
    tested = {*WHOLE_NUMBERS, *NUMBERS, *WORDS, "clean.iterate", "bayes.day_effects", "rating_scale"}
    assert tested == set(leaves(GOOD))
    committed = load_params(PARAMS).model_dump()
    for name in ("svd", "als", "bayes"):
        committed["tune"][name] = {"one": next(iter(committed["tune"][name].values()))}
    assert set(leaves(committed)) == tested


@pytest.mark.parametrize(("key", "value"), cases(WHOLE_NUMBERS, 0) + cases(NUMBERS, 0) + cases(WORDS, 0))
def test_accepts_the_whole_range(key: str, value: object, save: Save) -> None:
    assert get(load_params(save(with_value(key, value))), key) == value


def test_the_library_is_given_no_content(save: Save) -> None:
    tree = with_value("als.content_weight", 0.1)
    tree["als"]["engine"] = "implicit"
    expected = "params.yaml: als: the engine implicit knows no content: set content_weight to 0"
    assert refusal(save(tree)) == expected


@pytest.mark.parametrize(("key", "value"), [("als.engine", "implicit"), ("split.method", "cold_movies")])
def test_what_spark_does_not_do_is_refused(key: str, value: str, save: Save) -> None:
    tree = with_value(key, value)
    tree["abtest"]["metric"] = "squared_error"
    load_params(save(tree))
    tree["engine"] = "spark"
    assert refusal(save(tree)).startswith(f"params.yaml: engine: spark does not offer {key} {value}: ")


def test_als_may_take_every_rating_as_confidence(save: Save) -> None:
    assert load_params(save(with_value("als.relevance_threshold", None))).als.relevance_threshold is None


def test_a_whole_number_will_do_for_a_fraction(save: Save) -> None:
    noise = load_params(save(with_value("synthetic.noise", 1))).synthetic.noise
    assert (noise, type(noise)) == (1, float)


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_may_be_a_number_or_for_the_most_part_none(name: str, save: Save) -> None:
    key = f"source.columns.{name}"
    assert get(load_params(save(with_value(key, 3))), key) == 3
    if name in {"user", "item"}:
        assert f"{key} is None: it should be auto, a column's name" in refusal(save(with_value(key, None)))
    else:
        assert get(load_params(save(with_value(key, None))), key) is None
    for value in (0, -1, 1.5, True, ["a"]):
        expected = f"{key} is {value!r}: it should be auto, a column's name, or its number from 1"
        assert expected in refusal(save(with_value(key, value)))


@pytest.mark.parametrize("value", [[1, 10, 1], [0.5, 5, 0.5], [-10, 9.99, 0]])
def test_a_scale_is_three_numbers(value: list[float], save: Save) -> None:
    assert load_params(save(with_value("rating_scale", value))).rating_scale == Scale(*value)


@pytest.mark.parametrize("value", ["stars", None, 5, [1, 5], [5, 1, 1], [1, 1, 1], [1, 5, -1], [1, 5, 9], [1, 5, "1"]])
def test_a_scale_that_is_none_is_refused(value: object, save: Save) -> None:
    assert "it should be auto, or the lowest, the highest and the step: [1, 10, 1]" in refusal(
        save(with_value("rating_scale", value))
    )


def test_thresholds_follow_the_scale(save: Save) -> None:
    tree = with_value("evaluate.relevance_threshold", "auto")
    tree["als"]["relevance_threshold"] = tree["tune"]["als"]["one"]["relevance_threshold"] = "auto"
    params = load_params(save(tree), Scale(1, 10, 1))
    found = [get(params, f"{key}.relevance_threshold") for key in ("evaluate", "als", ALS_TRIAL)]
    assert found == [8.0, 8.0, 8.0]
    assert get(load_params(save(tree)), "als.relevance_threshold") == "auto"
    assert "als.relevance_threshold is 'four': it should be" in refusal(
        save(with_value("als.relevance_threshold", "four"))
    )


def test_splitting_by_times_that_are_said_to_be_absent_is_refused(save: Save) -> None:
    tree = with_value("source.columns.timestamp", None)
    tree["split"]["method"] = "temporal"
    message = "params.yaml: split.method temporal needs times, but source.columns.timestamp is null"
    assert refusal(save(tree)) == message


def test_an_outcome_that_cold_movies_leave_at_zero_is_refused(save: Save) -> None:
    tree = with_value("split.method", "cold_movies")
    tree["abtest"]["metric"] = "mrr"
    assert "so mrr is 0 for everybody: choose abtest.metric squared_error or absolute_error" in refusal(save(tree))
    tree["abtest"]["metric"] = "squared_error"
    assert load_params(save(tree)).split.method == "cold_movies"


def test_any_models_may_be_compared(save: Save) -> None:
    for model in BY_NAME:
        tree = with_value("abtest.treatment", model)
        tree["abtest"]["control"] = "svd" if model != "svd" else "als"
        assert load_params(save(tree)).abtest.treatment == model


def test_a_configuration_may_have_any_name(save: Save) -> None:
    for name in ("workers", "als", "x y", "1"):
        tree = with_value("tune.als", {name: GOOD["tune"]["als"]["one"]})
        assert list(load_params(save(tree)).tune.als) == [name]
        tree["tune"]["als"][name] = {**tree["tune"]["als"][name], "alhpa": 2}
        expected = f"params.yaml: unknown key 'tune.als.{name}.alhpa': did you mean 'tune.als.{name}.alpha'?"
        assert refusal(save(tree)) == expected


def test_params_cannot_be_changed(save: Save) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        setattr(load_params(save(GOOD)), "factors", 3)  # noqa: B010  # mypy knows as well
