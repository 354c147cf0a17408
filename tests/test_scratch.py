"""What a killed process leaves behind is gone after the next one, and a living one's stays."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from movierec.scratch import open_scratch
from tests.sample_files import names_in

HOLD = """
import sys
from pathlib import Path
from movierec.scratch import open_scratch
with open_scratch(Path(sys.argv[1]), "clean") as folder:
    (folder / "bucket").write_text("half")
    print("ready", flush=True)
    sys.stdin.read()
"""


def test_it_is_gone_afterwards_whatever_happens(tmp_path: Path) -> None:
    with open_scratch(tmp_path / "data", "clean") as folder:
        (folder / "bucket").write_text("x")
        assert folder.parent == tmp_path / "data"
    with pytest.raises(ZeroDivisionError), open_scratch(tmp_path / "data", "clean"):
        _ = 1 / 0
    assert names_in(tmp_path / "data") == set()


def test_a_killed_process_leaves_nothing_for_long(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        (left,) = tmp_path.iterdir()
        with open_scratch(tmp_path, "clean") as own:
            assert set(tmp_path.iterdir()) == {left, own}  # its process lives
        process.send_signal(signal.SIGKILL)
    assert (left / "bucket").read_text() == "half"
    with open_scratch(tmp_path, "other"):
        assert left.exists()  # of another name
    with open_scratch(tmp_path, "clean") as own:
        assert set(tmp_path.iterdir()) == {own}
