"""Reading and writing tables and metrics: whole files or none, the same bytes for the same content."""

import errno
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from movierec.errors import MovierecError

FLOAT_DIGITS = 6
_NULLABLE = {pa.int16(): pd.Int16Dtype()}  # a movie's year, which may be missing


@contextmanager
def replace_atomically(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, and move it over `path` only when the block succeeds.

    Parameters
    ----------
    path : Path
        The file to write; its folder is made if it is absent.

    Yields
    ------
    Path
        Where to write. It keeps the suffix of `path`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replace_folder(path: Path) -> Iterator[Path]:
    """Give an empty folder beside `path` that takes its place only when the block succeeds.

    Parameters
    ----------
    path : Path
        The folder to fill anew; what it held is gone afterwards.

    Yields
    ------
    Path
        Where to write.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as temporary:
        content = Path(temporary) / "content"
        content.mkdir()
        yield content
        for attempt in count():  # another process may put its own there in between
            try:
                content.rename(path)
            except OSError as error:
                if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                    raise
            else:
                return
            with suppress(FileNotFoundError):
                path.rename(Path(temporary) / f"old_{attempt}")


def write_parquet(table: pd.DataFrame, path: Path) -> None:
    """Write a table without its index and without pandas metadata (zstd, one row group a million rows).

    Parameters
    ----------
    table : DataFrame
        Any columns Arrow knows.
    path : Path
        Replaced as a whole.
    """
    arrow = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
    with replace_atomically(path) as temporary:
        pq.write_table(arrow, temporary, compression="zstd", write_page_checksum=True)


def read_parquet(path: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read a table that a stage wrote.

    Parameters
    ----------
    path : Path
        A parquet file.
    columns : sequence of str, optional
        Only these, in this order.

    Returns
    -------
    DataFrame
        With the types that were written, except that lists come back as arrays; 16-bit integers are nullable.

    Raises
    ------
    MovierecError
        If the file is absent or no parquet file.
    """
    try:
        table = pq.read_table(path, columns=list(columns) if columns else None, page_checksum_verification=True)
    except FileNotFoundError as error:
        raise MovierecError(f"{path} is missing: run `dvc repro` to make it") from error
    except (pa.ArrowInvalid, OSError) as error:
        if isinstance(error, OSError) and error.errno:  # the system's own; Arrow's for damage carry no number
            raise
        raise MovierecError(f"{path} is damaged ({error}): delete it and run `dvc repro`") from error
    frame: pd.DataFrame = table.to_pandas(types_mapper=_NULLABLE.get)
    return frame


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a small table for plots: comma-separated, header, floats to 6 decimals, Unix line ends.

    Parameters
    ----------
    table : DataFrame
        At most a few thousand rows.
    path : Path
        Replaced as a whole.
    """
    with replace_atomically(path) as temporary:
        table.to_csv(temporary, index=False, float_format=f"%.{FLOAT_DIGITS}f", lineterminator="\n")


def write_json(content: Mapping[str, Any], path: Path) -> None:
    """Write metrics: sorted keys, floats rounded to 6 digits, a newline at the end.

    Parameters
    ----------
    content : mapping
        Nested mappings of numbers, strings, booleans and None. DVC drops lists, so none are allowed.
    path : Path
        Replaced as a whole.

    Raises
    ------
    ValueError
        If a number is NaN or infinite, or a list is met: that is a defect of the caller.
    """
    text = json.dumps(_rounded(content, str(path)), sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
    with replace_atomically(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """Read metrics that a stage wrote.

    Raises
    ------
    MovierecError
        If the file is absent or no JSON object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise MovierecError(f"{path} is missing: run `dvc repro` to make it") from error
    except ValueError as error:
        raise MovierecError(f"{path} is not valid JSON ({error}): delete it and run `dvc repro`") from error
    if not isinstance(content, dict):
        raise MovierecError(f"{path} holds no JSON object: delete it and run `dvc repro`")
    return content


def _rounded(value: Any, where: str) -> Any:  # noqa: ANN401  # JSON is any of its types
    if isinstance(value, Mapping):
        return {str(key): _rounded(inner, f"{where}:{key}") for key, inner in value.items()}
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, list | tuple):
        raise ValueError(f"{where}: lists do not belong in metrics")  # noqa: TRY004
    if hasattr(value, "item"):  # NumPy scalars
        value = value.item()
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{where}: {value} does not belong in metrics")
        return round(value, FLOAT_DIGITS) + 0.0  # no -0.0: its sign is noise
    return value
