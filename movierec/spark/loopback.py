"""A standalone cluster of this machine's own processes, for the tests and the demonstration: a master and workers."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from movierec.errors import MovierecError
from movierec.spark.session import LOOPBACK, check_requirements

SHORT_LIVED: Final = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"  # a JVM that starts soon rather than runs fast
_DEPLOY: Final = "org.apache.spark.deploy"
_MASTER: Final = re.compile(r"Starting Spark master at (spark://\S+)")
_WORKER: Final = re.compile(r"Successfully registered with master")


@contextmanager
def start_loopback_cluster(folder: Path, workers: int = 2, memory: str = "1g") -> Iterator[str]:
    """Run a master and workers of one core each for as long as the block lasts.

    Parameters
    ----------
    folder : Path
        For what the workers write.
    workers : int
        How many.
    memory : str
        That executors may take of each, such as ``1g``.

    Yields
    ------
    str
        The master's address.

    Raises
    ------
    MovierecError
        If something is missing, or a process ends before it is ready.
    """
    check_requirements()
    loopback = ("--host", LOOPBACK, "--port", "0", "--webui-port", "0")
    with ExitStack() as stack:
        master = stack.enter_context(_run("master.Master", *loopback, ready=_MASTER)).result()[1]
        own = (("--cores", "1", "--memory", memory, "--work-dir", str(folder / f"worker{n}")) for n in range(workers))
        started = [stack.enter_context(_run("worker.Worker", *loopback, *each, master, ready=_WORKER)) for each in own]
        for worker in started:
            worker.result()
        yield master


@contextmanager
def _run(name: str, *arguments: str, ready: re.Pattern[str]) -> "Iterator[Future[re.Match[str]]]":
    """Run a process of Spark while the block lasts; what is given is there when it says that it is ready."""
    import pyspark  # noqa: PLC0415  # not there unless it is asked for

    command = [str(Path(pyspark.__file__).parent / "bin/spark-class"), f"{_DEPLOY}.{name}", *arguments]
    own = {"SPARK_LOCAL_IP": LOOPBACK, "SPARK_DAEMON_MEMORY": "256m", "SPARK_DAEMON_JAVA_OPTS": SHORT_LIVED}
    # a group of its own: the script starts Java, a worker its executors, and all must end
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ | own, start_new_session=True)
    with ThreadPoolExecutor(1) as pool, process:
        found: Future[re.Match[str]] = Future()
        pool.submit(_listen, process, ready, found)
        try:
            yield found
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def _listen(process: "subprocess.Popen[str]", ready: re.Pattern[str], found: "Future[re.Match[str]]") -> None:
    """Read all that a process says, so that it can go on."""
    line = ""
    for line in process.stderr or ():
        if not found.done() and (match := ready.search(line)):
            found.set_result(match)
    if not found.done():
        found.set_exception(MovierecError(f"a process of the cluster ended at once: {line.strip()}"))
