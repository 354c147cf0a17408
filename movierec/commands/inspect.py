"""The command `movierec inspect`: what a file of ratings is, and the parameters that read it."""

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer

from movierec.paths import DETAILS


def inspect(
    dataset: Annotated[
        str, typer.Argument(help="Path or http address of a table, a folder or a zip, or a known name.")
    ],
    *,
    setting: Annotated[
        list[str] | None,
        typer.Option("-S", "--set", help="A parameter of reading, such as source.columns.user=uid; several times."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Say what a file of ratings is, how it would be read, what is wrong with it, and the parameters to use.

    Nothing is changed: the file is looked through from its first row to its last.
    """
    from movierec.data.inspection import format_inspection, inspect_dataset  # noqa: PLC0415  # imports polars
    from movierec.io import read_json  # noqa: PLC0415  # imports pyarrow
    from movierec.params import override_params  # noqa: PLC0415  # imports pydantic

    params = override_params(setting or [])
    fetched = read_json(DETAILS / "fetch.json") if (DETAILS / "fetch.json").is_file() else {}
    sha256 = fetched.get("sha256") if params.dataset == dataset else None
    found = inspect_dataset(dataset, params.source, params.feedback, sha256)
    if as_json:
        content: dict[str, Any] = {**asdict(found), "scale": found.scale._asdict()}
        typer.echo(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False))
        return
    typer.echo(format_inspection(found, dataset))
