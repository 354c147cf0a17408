"""Timing calls in turn, so that their ratios hold on a busy machine too; and generated ratings to time on."""

import statistics
import time
from collections.abc import Callable
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from movierec.columns import MOVIE_ID, USER_ID
from movierec.data.readers import read_ratings
from movierec.data.split import split_ratings
from movierec.data.synthetic import PRESETS, write_synthetic

Seconds = dict[str, list[float]]


def make_ratings(preset: str) -> pd.DataFrame:
    """Generate a data set and return its ratings by user and movie."""
    with TemporaryDirectory() as folder, redirect_stderr(StringIO()):
        write_synthetic(Path(folder), PRESETS[preset], 0.8, 42)
        return read_ratings(Path(folder)).table.sort_values([USER_ID, MOVIE_ID], ignore_index=True)


def make_parts(preset: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Generate a data set and return its train and validation parts."""
    parts = split_ratings(make_ratings(preset), "random", 0.1, 0.2, 0)
    return parts["train"], parts["validation"]


def clock(call: Callable[[], Any], seconds: Seconds, name: str, read: Callable[[], float] = time.perf_counter) -> Any:  # noqa: ANN401
    """Run a call, note its time, on the wall unless another clock is read, and return its result."""
    start = read()
    result = call()
    seconds.setdefault(name, []).append(read() - start)
    return result


def divide(above: list[float], below: list[float]) -> dict[str, float]:
    """Return the median and the range of the rounds' ratios."""
    return summarize([one / other for one, other in zip(above, below, strict=True)])


def summarize(values: list[float]) -> dict[str, float]:
    """Return the median and the range."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}
