"""The command line: `movierec summary` and `movierec verify`."""

import typer

from movierec import summary, verification
from movierec.errors import run_command

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def _describe() -> None:
    """Reproducible movie recommendations: what the pipeline made, and whether it can be made again."""


@app.command("summary")
def show_summary() -> None:
    """Print the models' test metrics, where the figures are and what to type next."""
    typer.echo(summary.summarize_experiment())


@app.command("verify")
def verify() -> None:
    """Rebuild the committed experiment from nothing in a second folder and compare every byte."""
    typer.echo(verification.verify_committed_experiment())


def main() -> None:
    """Run the command line; a user's mistake ends it with one line and status 1."""
    run_command(app)
