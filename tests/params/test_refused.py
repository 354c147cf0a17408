"""Values out of range, wrong types, missing and misspelt keys: each is refused in a line that helps."""

import json
import re

import pytest

from movierec.params import load_params
from tests.params.samples import (
    ALS_TRIAL,
    COLUMNS,
    GOOD,
    INNER,
    MAY_BE_LEFT_OPEN,
    NUMBERS,
    SECTIONS,
    TRIAL,
    WHOLE_NUMBERS,
    WORDS,
    Save,
    cases,
    get,
    leaves,
    refusal,
    with_value,
    without,
)


@pytest.mark.parametrize(("key", "value"), cases(WHOLE_NUMBERS, 1) + cases(NUMBERS, 1) + cases(WORDS, 1))
def test_refuses_what_is_out_of_range(key: str, value: object, save: Save) -> None:
    message = refusal(save(with_value(key, value)))
    shown = f"'{'x' * 12}...{'x' * 13}'" if value == "x" * 101 else repr(value)
    assert re.match(rf"params\.yaml: {re.escape(key)} is {re.escape(shown)}: it should (be|have) .*[\w)']", message)


@pytest.mark.parametrize("key", [*WHOLE_NUMBERS, *NUMBERS])
@pytest.mark.parametrize("value", ["1e-5", "${seed}", True, None, [1], float("nan"), float("inf")])
def test_refuses_what_is_no_number(key: str, value: object, save: Save) -> None:
    if key in MAY_BE_LEFT_OPEN and value is None:
        return
    message = refusal(save(with_value(key, value)))
    assert re.match(
        rf"params\.yaml: {key} is {re.escape(repr(value))}: it should be a (valid integer|valid number|finite number)",
        message,
    )


@pytest.mark.parametrize("key", WHOLE_NUMBERS)
def test_refuses_a_part_of_a_whole(key: str, save: Save) -> None:
    for value in (150.5, 150.0):
        assert f"{key} is {value}: it should be a valid integer" in refusal(save(with_value(key, value)))


@pytest.mark.parametrize("key", sorted({*WORDS} - {"source.movies"} - {f"source.columns.{name}" for name in COLUMNS}))
@pytest.mark.parametrize("value", [5, True, None])
def test_refuses_what_is_no_word(key: str, value: object, save: Save) -> None:
    assert f"{key} is {value!r}: it should be " in refusal(save(with_value(key, value)))


@pytest.mark.parametrize("key", ["clean.iterate", "bayes.day_effects"])
@pytest.mark.parametrize("value", ["no", "yes", 1, 0, None])
def test_refuses_what_is_neither_true_nor_false(key: str, value: object, save: Save) -> None:
    assert f"{key} is {value!r}: it should be a valid boolean" in refusal(save(with_value(key, value)))


def test_a_burn_in_that_leaves_nothing_is_refused(save: Save) -> None:
    for sweeps, told in ((21, 21), (None, 40)):
        content = with_value("bayes.sweeps", sweeps)
        content["bayes"]["burn_in"] = told - 1
        message = refusal(save(content))
        assert f"a burn-in of {told - 1} leaves less than two of {told} sweeps" in message


def test_the_size_of_the_bayesian_model_may_be_left_open(save: Save) -> None:
    for key in ("factors", "sweeps"):
        assert getattr(load_params(save(with_value(f"bayes.{key}", None))).bayes, key) is None


@pytest.mark.parametrize("key", SECTIONS)
@pytest.mark.parametrize("value", [None, 3, [1]])
def test_refuses_what_is_no_section(key: str, value: object, save: Save) -> None:
    expected = f"params.yaml: {key} is {value!r}: it should hold `key: value` lines"
    assert refusal(save(with_value(key, value))) == expected


@pytest.mark.parametrize("key", [*leaves(GOOD), *SECTIONS])
def test_refuses_a_missing_key(key: str, save: Save) -> None:
    if key in {TRIAL, ALS_TRIAL}:
        section = key.removesuffix(".one")
        assert f"{section} is {{}}: it should have at least 1 item" in refusal(save(without(key)))
    elif key in (f"{TRIAL}.init_std_dev", f"{TRIAL}.patience", f"{ALS_TRIAL}.content_weight"):
        assert get(load_params(save(without(key))), key) == (0.1 if key.endswith("init_std_dev") else 0)
    else:
        assert refusal(save(without(key))) == f"params.yaml: key '{key}' is missing"


@pytest.mark.parametrize("key", [*leaves(GOOD), *SECTIONS[: -len(INNER)], *INNER[:3]])
def test_names_the_key_that_a_misspelt_one_is_nearest_to(key: str, save: Save) -> None:
    misspelt = key[:-1] + "ß"
    expected = f"params.yaml: unknown key '{misspelt}': did you mean '{key}'?"
    tree = with_value(misspelt, 1)
    assert refusal(save(tree)) == expected
    *sections, name = key.split(".")
    inner = tree
    for section in sections:
        inner = inner[section]
    del inner[name]  # misspelt, it is missing as well
    assert refusal(save(tree)) == expected


def test_an_unknown_key_comes_before_other_mistakes(save: Save) -> None:
    tree = with_value("seed", -1)
    tree["abtest"]["powr"] = 0.9
    assert refusal(save(tree)) == "params.yaml: unknown key 'abtest.powr': did you mean 'abtest.power'?"


def test_a_key_like_no_other_is_refused_all_the_same(save: Save) -> None:
    assert re.match("params.yaml: unknown key '§': did you mean '[a-z]+'", refusal(save(with_value("§", 1))))


@pytest.mark.parametrize(("validation", "test"), [(0.1, 0.9), (0.5, 0.5), (0.1, 0.95), (0.99, 0.99)])
def test_refuses_a_split_without_train(validation: float, test: float, save: Save) -> None:
    tree = with_value("split.validation", validation)
    tree["split"]["test"] = test
    expected = f"params.yaml: split: validation + test is {validation + test:g} and leaves nothing to train on"
    assert refusal(save(tree)) == expected


def test_refuses_a_comparison_of_a_model_with_itself(save: Save) -> None:
    message = refusal(save(with_value("abtest.control", "als")))
    assert message == "params.yaml: abtest: control and treatment are both als: name two models"


@pytest.mark.parametrize(("word", "key"), [("clean", "7"), ("one", "tune.svd.7")])
def test_refuses_a_key_that_is_no_text(word: str, key: str, save: Save) -> None:
    text = json.dumps(GOOD).replace(f'"{word}":', "7:")
    assert refusal(save(text)) == f"params.yaml: key '{key}' is no text: put it in quotes or correct it"


def test_a_huge_value_is_not_repeated_in_full(save: Save) -> None:
    assert "factors is 1000" in refusal(save(with_value("factors", 10**1000)))
    assert "factors is 'aaaa" in refusal(save(with_value("factors", "a" * 10_000)))
