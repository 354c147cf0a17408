"""The words after `make repro`: results in one table, and where to go from there."""

from movierec import io, paths
from movierec.evaluation.report import format_headline

NEXT_STEPS = """\
Figures: {plots}/*.png, or one page: dvc plots show
Next (after: source .venv/bin/activate):
  dvc exp run -S factors=100     try a configuration
  dvc metrics diff               what it changed
  dvc exp run -S dataset=ml-latest-small
  make ui                        every run in MLflow"""


def summarize_experiment() -> str:
    """Describe the experiment in the working directory.

    Returns
    -------
    str
        The data, a table of the models' test metrics, and what to type next.

    Raises
    ------
    MovierecError
        If the pipeline has not run yet.
    """
    fetched, cleaned, evaluated = (
        io.read_json(paths.DETAILS / f"{name}.json") for name in ("fetch", "clean", "evaluate")
    )
    what = "events" if cleaned["implicit"] else "ratings"
    header = (
        f"{fetched['name']}: {cleaned['ratings']:,} {what} by {cleaned['users']:,} users of {cleaned['movies']:,} "
        f"movies; judged on {evaluated['data']['test_ratings']:,} test {what}"
    )
    table = format_headline(evaluated, fetched.get("noise_floor", {}).get("rmse"))
    return f"\n{header}\n\n{table}\n\n{NEXT_STEPS.format(plots=paths.PLOTS)}"
