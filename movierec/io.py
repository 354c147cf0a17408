"""Reading and writing tables, arrays and metrics: whole files or none, the same bytes for the same content."""

import errno
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any
from zipfile import ZipFile, ZipInfo

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from movierec.errors import MovierecError
from movierec.scratch import open_scratch

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
    with open_scratch(path.parent, path.name) as temporary:
        content = temporary / "content"
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
                path.rename(temporary / f"old_{attempt}")


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


def write_parts(tables: Iterable[pd.DataFrame], path: Path) -> None:
    """Write tables as the parts of a folder, ``part-00000.parquet`` and so on.

    Parameters
    ----------
    tables : iterable of DataFrame
        Taken one after another, so that only one need be in memory.
    path : Path
        The folder, replaced as a whole.
    """
    with replace_folder(path) as folder:
        for number, table in enumerate(tables):
            write_parquet(table, folder / name_part(number))


def name_part(number: int) -> str:
    """Return the name of a folder's part, counted from 0."""
    return f"part-{number:05d}.parquet"


def list_parts(path: Path) -> list[Path]:
    """List the files of a table: itself, or the parts of a folder in their order.

    Raises
    ------
    MovierecError
        If there is none, or a part is missing between others.
    """
    if not path.is_dir():
        return [path]
    parts = sorted(path.glob("part-*.parquet"))
    if not parts or [part.name for part in parts] != [name_part(number) for number in range(len(parts))]:
        raise MovierecError(f"{path} lacks a part: delete it and run `dvc repro`")
    return parts


def read_parts(path: Path, columns: Sequence[str] | None = None) -> Iterator[pd.DataFrame]:
    """Read a table part by part; see `read_parquet`."""
    return (_to_frame(_read_arrow(part, columns)) for part in list_parts(path))


def read_parquet(path: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read a table that a stage wrote.

    Parameters
    ----------
    path : Path
        A parquet file, or a folder of its parts.
    columns : sequence of str, optional
        Only these, in this order.

    Returns
    -------
    DataFrame
        With the types that were written, except that lists come back as arrays; 16-bit integers are nullable.

    Raises
    ------
    MovierecError
        If the file or a part is absent or no parquet file.
    """
    return _to_frame(pa.concat_tables([_read_arrow(part, columns) for part in list_parts(path)]))


def _read_arrow(path: Path, columns: Sequence[str] | None) -> pa.Table:
    try:
        return pq.read_table(path, columns=list(columns) if columns else None, page_checksum_verification=True)
    except FileNotFoundError as error:
        raise MovierecError(f"{path} is missing: run `dvc repro` to make it") from error
    except (pa.ArrowInvalid, OSError) as error:
        if isinstance(error, OSError) and error.errno:  # the system's own; Arrow's for damage carry no number
            raise
        raise MovierecError(f"{path} is damaged ({error}): delete it and run `dvc repro`") from error


def _to_frame(table: pa.Table) -> pd.DataFrame:
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


def write_arrays(arrays: Mapping[str, npt.NDArray[Any]], path: Path) -> None:
    """Write an ``.npz`` file; `numpy.savez` would write other bytes on other versions of Python."""
    with replace_atomically(path) as temporary, ZipFile(temporary, "w") as archive:
        for name, array in arrays.items():
            member = ZipInfo(f"{name}.npy")
            member.file_size = array.nbytes  # nearly; sizes of 2 GB and more take another header
            with archive.open(member, "w") as file:
                np.lib.format.write_array(file, np.asanyarray(array), allow_pickle=False)


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
