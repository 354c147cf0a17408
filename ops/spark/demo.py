"""Runs the pipeline's small preset by the local engine, its heavy stages again on a cluster of processes, and compares.

Works in a copy of what git knows; nothing here changes. Usage: make spark-demo
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from movierec.errors import MovierecError, run_command
from movierec.spark.loopback import start_loopback_cluster

ROOT = Path(__file__).parents[2]
ON_SPARK = ("clean", "split", "train_als", "evaluate")


def main() -> None:
    """Print each step, and whether the bytes are the same."""
    with TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        copy_tracked(project)
        params = project / "params.yaml"
        params.write_text(params.read_text().replace("preset: headline", "preset: small"))
        print("the pipeline by the local engine", flush=True)
        run(project, "repro", "--quiet")
        expected = (project / "dvc.lock").read_bytes()
        params.write_text(params.read_text().replace("engine: local", "engine: spark", 1))
        with start_loopback_cluster(Path(folder)) as master:
            print(f"{', '.join(ON_SPARK)} again on {master}", flush=True)
            for stage in ON_SPARK:
                run(project, "repro", "--force", "--single-item", stage, MOVIEREC_SPARK_MASTER=master)
        if (project / "dvc.lock").read_bytes() != expected:
            raise MovierecError("dvc.lock differs: the engines made other bytes")
    print("same bytes as the local engine")


def copy_tracked(target: Path) -> None:
    """Copy the files that git knows, into a DVC repository of their own."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target / name)
    subprocess.run(["git", "init", "--quiet"], cwd=target, check=True)


def run(project: Path, *command: str, **variables: str) -> None:
    """Run a command of DVC in the project."""
    environment = os.environ | {"MOVIEREC_TRACKING": "off", "DVC_NO_ANALYTICS": "1", "DVC_ROOT": ""} | variables
    result = subprocess.run([sys.executable, "-m", "dvc", *command], cwd=project, env=environment, check=False)
    if result.returncode:
        raise MovierecError(f"dvc {' '.join(command)} failed")


if __name__ == "__main__":
    run_command(main)
