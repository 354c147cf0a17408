"""Ends a run that waits for executors which do not come: Spark itself would wait for ever."""

import threading
import time
from typing import Any

from movierec.spark.settings import SparkSettings

PAUSE_S = 0.5


class ExecutorWatch:
    """Looks for executors beside the run.

    Attributes
    ----------
    reason : str
        Why the run was ended; empty if it was not.
    """

    def __init__(self) -> None:
        self.reason = ""
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, context: Any, settings: SparkSettings) -> None:  # noqa: ANN401  # pyspark's
        """Begin to look, if executors are processes of their own."""
        if not settings.master.startswith("local"):
            self._thread = threading.Thread(target=self._look, args=(context, settings), daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._over.set()
        if self._thread:
            self._thread.join()

    def _look(self, context: Any, settings: SparkSettings) -> None:  # noqa: ANN401  # pyspark's
        seen = time.monotonic()
        while not self._over.wait(PAUSE_S):
            try:
                if context._jsc.sc().getExecutorMemoryStatus().size() > 1:  # noqa: SLF001  # the driver is one of them
                    seen = time.monotonic()
                elif time.monotonic() - seen > settings.patience_s:
                    self.reason = (
                        f"no executor of {settings.master} has been there for {settings.patience_s} s: are its workers "
                        f"running, with {settings.executor_cores} cores and {settings.executor_memory} to spare each?"
                    )
                    context.cancelAllJobs()
            except Exception:  # noqa: BLE001  # the session has ended, of which the run itself tells
                return
