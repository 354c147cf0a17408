"""Measuring in processes of their own, whose memory is that of what they measure."""

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from typing import Any


def measure_apart(script: str, subject: str) -> dict[str, Any]:
    """Return what ``python -m benchmarks.SCRIPT SUBJECT`` prints as JSON."""
    command = [sys.executable, "-m", f"benchmarks.{script}", subject]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return found


def run_script(main: Callable[[], None], measure: Callable[[str], dict[str, Any]]) -> None:
    """Run `main`, or print what `measure` finds of the subject that the command line names."""
    if len(sys.argv) == 1:
        main()
    else:
        print(json.dumps(measure(sys.argv[1])))


def find_peak_mb() -> float:
    """Return the largest resident memory of this process so far, in MB (10^6 bytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6  # Linux counts KiB
