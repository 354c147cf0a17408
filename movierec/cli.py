"""The command line: what the pipeline made, whether it can be made again, its runs, experiments, recommendations."""

from typing import Annotated

import typer

from movierec.commands import abtest, inspect, ratings, recommend, serve, track
from movierec.errors import run_command

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(abtest.app, name="abtest")
app.add_typer(ratings.app, name="ratings")
app.add_typer(track.app, name="track")
app.command("serve")(serve.serve)
app.command("inspect")(inspect.inspect)
recommend.add_commands(app)


@app.callback()
def _describe() -> None:
    """Reproducible movie recommendations: what the pipeline made, whether it can be made again, and experiments."""


@app.command("summary")
def show_summary() -> None:
    """Print the models' test metrics, where the figures are and what to type next."""
    from movierec import summary  # noqa: PLC0415  # takes a second, which other commands need not wait

    typer.echo(summary.summarize_experiment())


@app.command("compare")
def compare(
    *, model: Annotated[str | None, typer.Option(help="Only this model; default: each one that differs.")] = None
) -> None:
    """Compare each DVC experiment with what is committed: changed parameters, differences, and which are real."""
    from movierec.tracking import experiments  # noqa: PLC0415  # as above

    typer.echo(experiments.compare_experiments(model))


@app.command("verify")
def verify() -> None:
    """Rebuild the committed experiment from nothing in a second folder and compare every byte."""
    from movierec import verification  # noqa: PLC0415  # as above

    typer.echo(verification.verify_committed_experiment())


def main() -> None:
    """Run the command line; a user's mistake ends it with one line and status 1."""
    run_command(app)
