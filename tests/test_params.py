import copy
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import dvc.api  # type: ignore[import-untyped]
import pytest
from dvc.repo import Repo  # type: ignore[import-untyped]
from dvc.utils.serialize import load_yaml  # type: ignore[import-untyped]
from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.tokens import AliasToken, AnchorToken

from movierec.errors import MovierecError
from movierec.params import load_params, read_params_yaml
from movierec.paths import PARAMS
from movierec.roster import BY_NAME
from movierec.scales import Scale

Tree = dict[str, Any]
Save = Callable[[str | Tree], Path]

COLUMNS = ("user", "item", "rating", "timestamp", "title", "genres", "year")
TRIAL = "tune.svd.one"
ALS_TRIAL = "tune.als.one"
GOOD: Tree = {
    "seed": 42,
    "dataset": "synthetic",
    "engine": "local",
    "factors": 50,
    "synthetic": {"preset": "tiny", "noise": 0.8},
    "source": {
        "ratings": "auto",
        "movies": "auto",
        "separator": "auto",
        "decimal": "auto",
        "ids": "auto",
        "columns": dict.fromkeys(COLUMNS, "auto"),
    },
    "feedback": "auto",
    "rating_scale": "auto",
    "clean": {
        "unrated": None,
        "duplicates": "auto",
        "sample_fraction": 1.0,
        "min_user_ratings": 1,
        "min_movie_ratings": 1,
        "iterate": True,
        "max_bad_fraction": 0.001,
    },
    "split": {"method": "random", "validation": 0.1, "test": 0.2},
    "svd": {
        "engine": "exact",
        "epochs": 10,
        "learning_rate": 0.005,
        "regularization": 0.02,
        "init_std_dev": 0.1,
        "patience": 0,
    },
    "als": {
        "engine": "fast",
        "iterations": 15,
        "regularization": 30.0,
        "alpha": 1.0,
        "relevance_threshold": 4.0,
        "content_weight": 0.0,
    },
    "ease": {
        "regularization": 200.0,
        "low": 0.4,
        "slope": 0.3,
        "relevance_threshold": 4.0,
        "dropout": 0.5,
        "user_power": 0.3,
        "popularity_power": 0.1,
        "content_weight": 5.0,
        "max_movies": 2000,
    },
    "bayes": {
        "factors": 31,
        "sweeps": 120,
        "burn_in": 20,
        "directions": 256,
        "day_effects": True,
        "samples": 16,
    },
    "tune": {
        "search": "grid",
        "trials": 32,
        "workers": 2,
        "most_ratings": 1_000_000,
        "svd": {
            "one": {
                "factors": 50,
                "epochs": 10,
                "learning_rate": 0.005,
                "regularization": 0.02,
                "init_std_dev": 0.1,
                "patience": 0,
            },
        },
        "als": {
            "one": {
                "factors": 50,
                "iterations": 15,
                "regularization": 30.0,
                "alpha": 1.0,
                "relevance_threshold": 4.0,
                "content_weight": 0.05,
            },
        },
        "bayes": {"one": {"factors": 15, "directions": 256}},
    },
    "evaluate": {"relevance_threshold": 4.0, "bootstrap_samples": 1000},
    "abtest": {
        "experiment": "als-against-popularity",
        "control": "popularity",
        "treatment": "als",
        "metric": "ndcg@10",
        "significance": 0.05,
        "power": 0.8,
        "minimum_effect": 0.01,
    },
}
MAY_BE_LEFT_OPEN = {
    "als.relevance_threshold",
    f"{ALS_TRIAL}.relevance_threshold",
    "bayes.factors",
    "bayes.sweeps",
    "bayes.directions",
    "clean.unrated",
}
# key: the values at both ends of its range, and values just outside
WHOLE_NUMBERS: dict[str, tuple[list[int], list[int]]] = {
    "seed": ([0, 2**32 - 1], [-1, 2**32]),
    "factors": ([1, 2000], [-1, 0, 2001]),
    "clean.min_user_ratings": ([1, 10**9], [0, -5]),
    "clean.min_movie_ratings": ([1, 10**9], [0, -5]),
    "svd.epochs": ([1, 10_000], [0, 10_001]),
    "als.iterations": ([1, 1000], [0, 1001]),
    "ease.max_movies": ([1, 100_000], [0, 100_001]),
    "bayes.factors": ([1, 2000], [0, 2001]),
    "bayes.sweeps": ([22, 100_000], [3, 100_001]),
    "bayes.burn_in": ([0, 118], [-1, 100_001]),
    "bayes.directions": ([0, 4000], [-1, 4001]),
    "bayes.samples": ([2, 1000], [1, 1001]),
    "tune.trials": ([1, 10_000], [0, 10_001]),
    "tune.workers": ([1, 256], [0, 257]),
    "tune.most_ratings": ([1_000, 2**31 - 1], [999, 2**31]),
    "tune.bayes.one.factors": ([1, 2000], [0, 2001]),
    "tune.bayes.one.directions": ([0, 4000], [-1, 4001]),
    f"{TRIAL}.factors": ([1, 2000], [0, 2001]),
    f"{ALS_TRIAL}.factors": ([1, 2000], [0, 2001]),
    f"{ALS_TRIAL}.iterations": ([1, 1000], [0, 1001]),
    f"{TRIAL}.epochs": ([1, 10_000], [0, 10_001]),
    "evaluate.bootstrap_samples": ([100, 100_000], [99, 100_001]),
}
NUMBERS: dict[str, tuple[list[float], list[float]]] = {
    "synthetic.noise": ([0.01, 1, 3], [0, 0.009, -0.1, 3.1]),
    "clean.unrated": ([0, -1, 99.5], []),
    "clean.sample_fraction": ([1e-9, 1], [0, -0.1, 1.1]),
    "clean.max_bad_fraction": ([0, 1], [-0.1, 1.1]),
    "split.validation": ([1e-9, 0.79], [0, -0.1, 1, 1.5]),
    "split.test": ([1e-9, 0.89], [0, -0.1, 1, 1.5]),
    "svd.learning_rate": ([1e-9, 1], [0, -0.1, 1.1]),
    "svd.regularization": ([0, 1e6], [-0.1, 1.1e6]),
    "svd.init_std_dev": ([0, 10], [-0.1, 10.1]),
    "als.regularization": ([0, 1e6], [-0.1, 1.1e6]),
    "als.alpha": ([1e-9, 1e6], [0, -1, 1.1e6]),
    "als.relevance_threshold": ([-3, 0.5, 80], []),
    "als.content_weight": ([0, 1e6], [-0.1, 1.1e6]),
    "ease.regularization": ([1e-9, 1e6], [0, -0.1, 1.1e6]),
    "ease.low": ([0, 10], [-0.1, 10.1]),
    "ease.slope": ([0, 10], [-0.1, 10.1]),
    "ease.relevance_threshold": ([-3, 0.5, 80], []),
    "ease.dropout": ([0, 0.99], [-0.1, 1]),
    "ease.user_power": ([0, 2], [-0.1, 2.1]),
    "ease.popularity_power": ([0, 2], [-0.1, 2.1]),
    "ease.content_weight": ([0, 1e6], [-0.1, 1.1e6]),
    f"{TRIAL}.learning_rate": ([1e-9, 1], [0, -0.1, 1.1]),
    f"{TRIAL}.regularization": ([0, 1e6], [-0.1, 1.1e6]),
    f"{TRIAL}.init_std_dev": ([0, 10], [-0.1, 10.1]),
    "svd.patience": ([0, 10_000], [-1, 10_001]),
    f"{TRIAL}.patience": ([0, 10_000], [-1, 10_001]),
    f"{ALS_TRIAL}.regularization": ([0, 1e6], [-0.1, 1.1e6]),
    f"{ALS_TRIAL}.alpha": ([1e-9, 1e6], [0, -1, 1.1e6]),
    f"{ALS_TRIAL}.relevance_threshold": ([-3, 0.5, 80], []),
    f"{ALS_TRIAL}.content_weight": ([0, 1e6], [-0.1, 1.1e6]),
    "evaluate.relevance_threshold": ([-3, 0.5, 80], []),
    "abtest.significance": ([1e-9, 0.49], [0, 0.5]),
    "abtest.power": ([0.51, 0.999], [0.5, 1]),
    "abtest.minimum_effect": ([1e-9, 100], [0, -0.1]),
}
WORDS: dict[str, tuple[list[str], list[str]]] = {
    "dataset": (["ml-25m", "../my data.zip"], [""]),
    "source.ratings": (["auto", "plays.csv"], [""]),
    "source.movies": (["auto", "films.csv"], [""]),
    "source.separator": (["auto", ";", "::", "tab", "\t"], ["", "comma"]),
    "source.decimal": (["auto", ".", ","], ["comma"]),
    "source.ids": (["auto", "text"], ["int"]),
    "feedback": (["auto", "explicit", "implicit"], ["none"]),
    "clean.duplicates": (["auto", "last", "first", "mean", "sum"], ["latest"]),
    **{f"source.columns.{name}": (["auto", "x y"], [""]) for name in COLUMNS},
    "synthetic.preset": (["tiny", "small", "headline", "ml-25m"], ["huge", "Tiny", ""]),
    "split.method": (["random", "temporal", "per_user_temporal"], ["tmporal"]),
    "engine": (["local", "spark"], ["yarn"]),
    "svd.engine": (["exact", "fast", "parallel", "surprise"], ["slow"]),
    "als.engine": (["fast", "implicit"], ["exact"]),
    "tune.search": (["grid", "tpe"], ["random"]),
    "abtest.experiment": (["a", "x" * 100], ["", "x" * 101]),
    "abtest.control": (["svd", "svd_tuned", "bias"], ["pop"]),
    "abtest.treatment": (["svd", "svd_tuned", "bias"], ["sdv"]),
    "abtest.metric": (["squared_error", "precision@10", "mrr"], ["rmse", "ndcg", "ndcg@11", "zzz"]),
}
NAMED = ["tune.svd", "tune.als", "tune.bayes"]
INNER = ["source.columns", *NAMED, TRIAL, ALS_TRIAL]
SECTIONS = [name for name, value in GOOD.items() if isinstance(value, dict)] + INNER


def leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name


def with_value(key: str, value: object) -> Tree:
    tree = copy.deepcopy(GOOD)
    *sections, name = key.split(".")
    inner = tree
    for section in sections:
        inner = inner[section]
    inner[name] = value
    return tree


def without(key: str) -> Tree:
    tree = with_value(key, None)
    *sections, name = key.split(".")
    inner = tree
    for section in sections:
        inner = inner[section]
    del inner[name]
    return tree


def get(params: object, key: str) -> object:
    for name in key.split("."):
        params = params[name] if isinstance(params, dict) else getattr(params, name)
    return params


def cases(table: Mapping[str, tuple[list[Any], list[Any]]], side: int) -> list[tuple[str, Any]]:
    return [(key, value) for key, sides in table.items() for value in sides[side]]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def write(content: str | Tree) -> Path:
        path = tmp_path / "params.yaml"
        if not isinstance(content, str):  # JSON is YAML, but for two words, and quick to write
            content = json.dumps(content, ensure_ascii=False).replace("NaN", ".nan").replace("Infinity", ".inf")
        path.write_text(content, encoding="utf-8")
        return path

    return write


def refusal(path: Path) -> str:
    """Return the message less the path, having checked that it is one line."""
    with pytest.raises(MovierecError, match=re.escape(str(path))) as caught:
        load_params(path)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert len(message) < 400
    return message.replace(str(path), "params.yaml")


# --- the committed file ---


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


# --- what is accepted ---


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


# --- what is refused ---


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


# --- files that are no params ---


@pytest.mark.parametrize(
    "text",
    [
        "a: [1",
        "a: 1\na: 2",
        "a: *lost",
        "--- {a: 1}\n--- {b: 2}",
        "a: !!python/object/apply:os.system [true]",
        "\ta: 1",
        "? {a: 1}\n: 2",
        "a: \x00",
        "a: 2020-13-45",
        "a: 'open",
    ],
)
def test_refuses_what_is_no_yaml(text: str, save: Save) -> None:
    assert refusal(save(text)).startswith("params.yaml is not valid YAML: ")


def test_refuses_text_that_is_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes("dataset: Misérables".encode("latin-1"))
    assert "params.yaml is not valid YAML: 'utf-8' codec can't decode byte 0xe9" in refusal(path)


@pytest.mark.parametrize("text", ["", "# nothing", "42", "- 1\n- 2", "null", "factors 50"])
def test_refuses_what_is_no_mapping(text: str, save: Save) -> None:
    assert refusal(save(text)) == "params.yaml must hold `key: value` lines"


def test_refuses_a_missing_file(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    assert refusal(path) == "params.yaml not found: run from the root of the project"


def test_refuses_a_folder(tmp_path: Path) -> None:
    assert refusal(tmp_path) == "params.yaml cannot be read: Is a directory"


# --- YAML 1.2, as DVC has it ---

SCALARS: dict[str, Any] = {
    "1e-05": 1e-05,
    "1e-5": 1e-5,
    "1E3": 1000.0,
    "1.5e-3": 0.0015,
    ".5": 0.5,
    "1.": 1.0,
    "no": "no",
    "on": "on",
    "off": "off",
    "Yes": "Yes",
    "true": True,
    "False": False,
    "010": 10,
    "0o10": 8,
    "0x1F": 31,
    "-1": -1,
    "12:30": "12:30",
    "~": None,
    "null": None,
    "": None,
    ".inf": float("inf"),
    "'1e-05'": "1e-05",
    "ml-25m": "ml-25m",
    "é": "é",
}


@pytest.mark.parametrize(("text", "value"), SCALARS.items())
def test_reads_yaml_1_2(text: str, value: object, save: Save) -> None:
    read = read_params_yaml(save(f"a: {text}\n"))["a"]
    assert (read, type(read)) == (value, type(value))


def test_agrees_with_dvc(save: Save, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("DVC_GLOBAL_CONFIG_DIR", "DVC_SYSTEM_CONFIG_DIR", "DVC_SITE_CACHE_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
    lines = [f"  key{number}: {text}" for number, text in enumerate(SCALARS)]
    path = save("\n".join(["learning_rate: 1e-05", "nested:", *lines]) + "\n")
    assert read_params_yaml(path) == load_yaml(str(path))
    with Repo.init(str(tmp_path), no_scm=True):
        shown = dvc.api.params_show(repo=str(tmp_path))
    assert read_params_yaml(path) == shown
    assert shown["learning_rate"] == 1e-05


def test_what_dvc_writes_is_read_back(save: Save) -> None:
    # `dvc exp run -S svd.learning_rate=0.00001` writes 1e-05, which YAML 1.1 takes for a word
    path = save(GOOD)
    text = path.read_text(encoding="utf-8").replace("0.005", "1e-05")
    assert load_params(save(text)).svd.learning_rate == 1e-05
