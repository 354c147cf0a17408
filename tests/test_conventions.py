"""Every word in use is in the vocabulary of docs/conventions.md."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]


def vocabulary() -> set[str]:
    """Collect the words in the first column of each table."""
    rows = re.findall(r"^\| (`.+?`.*?) \|", (ROOT / "docs/conventions.md").read_text(), re.MULTILINE)
    return {word for row in rows for word in re.findall(r"`([^`]+)`", row)}


def parameter_keys(content: dict[str, Any]) -> set[str]:
    keys = set[str]()
    for key, value in content.items():
        if key == "tune":
            listed = [value.pop(name) for name in ("svd", "als")]
            keys = keys.union(*(settings for names in listed for settings in names.values()))
        keys |= parameter_keys(value) if isinstance(value, dict) else {key}
    return keys


def test_every_parameter_is_in_the_vocabulary() -> None:
    assert parameter_keys(yaml.safe_load((ROOT / "params.yaml").read_text())) - vocabulary() == set()


def test_every_metric_of_a_model_is_in_the_vocabulary() -> None:
    words = vocabulary()
    for stage in ("train_svd", "train_als", "tune", "evaluate"):
        details = ROOT / f"metrics/details/{stage}.json"
        models = json.loads((details if details.exists() else ROOT / f"metrics/{stage}.json").read_text())
        models.pop("data", None)
        models.pop("comparisons", None)
        for metric in set().union(*models.values()):
            word = re.sub(r"@\d+", "@k", metric).removeprefix("train_").removeprefix("validation_").removesuffix("_ci")
            assert word in words, metric
