"""The commands of `movierec track`: bring MLflow to what DVC says, compare the runs, name the best one's parameters."""

import sys
from typing import Annotated

import typer

from movierec.tracking.stage import is_tracking

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _describe() -> None:
    """See results in MLflow: each one of dvc.lock and of the DVC experiments is a run."""


@app.command("sync")
def sync_runs() -> None:
    """Log what dvc.lock and the DVC experiments hold and MLflow does not; a second time changes nothing."""
    if not is_tracking():
        typer.echo("tracking is off (MOVIEREC_TRACKING): nothing is logged")
        return
    from movierec.tracking.sync import sync_all  # noqa: PLC0415  # takes a second

    outcome = sync_all()
    for reason in outcome.skipped:
        print(reason, file=sys.stderr)
    typer.echo(outcome)


@app.command("compare")
def compare_runs(
    *,
    metric: Annotated[
        str | None, typer.Option(help="Test metric to sort by, such as ndcg@10. Default: rmse, if there is any.")
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Lines at most.")] = 5,
) -> None:
    """Print the evaluated models of all runs on this data side by side, best first."""
    from movierec.tracking.leaderboard import tabulate_runs  # noqa: PLC0415  # takes a second

    typer.echo(tabulate_runs(metric, top))


@app.command("best")
def print_best(
    *, model: Annotated[str, typer.Option(help="svd, bayes (by RMSE on validation) or als (by NDCG@10).")] = "svd"
) -> None:
    """Print the best run's parameters for `dvc exp run`, chosen on validation among trainings and tuning trials.

    Test metrics take no part in the choice: what was chosen by them could not be tested by them any more.
    """
    from movierec.tracking.leaderboard import name_best_params  # noqa: PLC0415  # takes a second

    typer.echo(name_best_params(model))
