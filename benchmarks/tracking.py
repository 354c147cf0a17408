"""What tracking adds to a stage: seconds from its last output to the end, for a result that is new to MLflow.

Needs what `make repro` made. Each of five rounds runs in a process that has imported what the stage has, on a copy of
the same database. Writes benchmarks/results/tracking.json.
"""

import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from movierec.errors import MovierecError, run_command
from movierec.io import write_json
from movierec.tracking.snapshots import TRACKED

RESULT = Path(__file__).parent / "results/tracking.json"
ROUNDS = 5
LOG_RESULT = """
import importlib, sys, time
importlib.import_module(f"stages.{sys.argv[1]}")
from movierec.tracking import stage
started = time.perf_counter()
stage._mirror(sys.argv[1])
print(time.perf_counter() - started)
"""


def main() -> None:
    """Time every tracked stage, and switched off."""
    with TemporaryDirectory() as folder:
        root, kept = Path(folder) / "root", Path(folder) / "kept"
        root.mkdir()
        log_result("", root)  # creates the database, once in a project's life
        shutil.copytree(root, kept)
        seconds: dict[str, list[float]] = {name: [] for name in TRACKED}
        for _ in range(ROUNDS):
            for name, measured in seconds.items():
                shutil.rmtree(root)
                shutil.copytree(kept, root)
                measured.append(log_result(name, root))
    results = {
        name: {"median_s": statistics.median(each), "min_s": min(each), "max_s": max(each)}
        for name, each in seconds.items()
    }
    write_json({"rounds": ROUNDS, **results}, RESULT)
    print(RESULT.read_text())


def log_result(name: str, root: Path) -> float:
    """Log the result of a stage into a database below `root`; without a name only make the database."""
    code = LOG_RESULT if name else "from movierec.tracking.mirror import connect; connect()"
    environment = {**os.environ, "DVC_ROOT": str(root), "MLFLOW_TRACKING_URI": ""}
    command = [sys.executable, "-c", code, name]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode or "warning" in result.stderr:
        raise MovierecError(f"{name or 'the database'} was not logged: {result.stderr.strip()[-300:]}")
    return float(result.stdout) if name else 0.0


if __name__ == "__main__":
    run_command(main)
