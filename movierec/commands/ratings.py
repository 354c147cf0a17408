"""The command `movierec ratings export`: what the service was told, back to the pipeline."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _describe() -> None:
    """Ratings that the service was given."""


@app.command("export")
def export_ratings(
    folder: Annotated[Path, typer.Argument(help="Gets ratings.csv and movies.csv.")] = Path(".movierec/export"),
    *,
    only_new: Annotated[
        bool, typer.Option("--only-new", help="Write the service's ratings alone, without the training data's.")
    ] = False,
    url: Annotated[
        str | None, typer.Option(help="The service's database. Default: MOVIEREC_DATABASE_URL, or its SQLite file.")
    ] = None,
) -> None:
    """Write the training data and the service's ratings as a MovieLens data set, for the next training.

    Of a user and movie rated more than once the newest rating is kept.
    """
    from movierec.service.storage.database import default_url  # noqa: PLC0415  # other commands need no database
    from movierec.service.storage.export import export_all, export_new  # noqa: PLC0415  # imports polars
    from movierec.service.storage.store import Store  # noqa: PLC0415

    store = Store(url or default_url())
    try:
        if only_new:
            typer.echo(f"{export_new(store, folder):,} ratings of the service are in {folder / 'ratings.csv'}")
            return
        ratings, new = export_all(store, folder)
    finally:
        store.close()
    typer.echo(f"{ratings:,} ratings, {new:,} of them the service's, are in {folder}. To train on them:\n")
    typer.echo(f"    dvc exp run -S 'dataset={folder.resolve()}'\n")
    typer.echo("DVC does not see a later export into the same folder: `dvc repro --force fetch` reads it again.")
