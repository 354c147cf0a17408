"""Results of fits on disk, so that no fit is made twice.

The memory lies in a git-ignored folder and changes no result, only the time to it.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from movierec.io import replace_atomically
from movierec.tuning.objective import Objective, Settings


@dataclass(frozen=True)
class Outcome:
    """How a fit ended.

    Attributes
    ----------
    curve : list of float
        The score on validation after each step, where it is known.
    scores : dict of str to float
        By metric; empty unless the fit was finished.
    error : str
        Why the fit diverged; else empty.
    training_time_s : float or None
        How long the fit took, with scoring after each step; None if it is not known. No part of the result.
    """

    curve: list[float]
    scores: dict[str, float] = field(default_factory=dict)
    error: str = ""
    training_time_s: float | None = field(default=None, compare=False, repr=False)

    @property
    def state(self) -> Literal["finished", "pruned", "diverged"]:
        """Which of the three ends it was."""
        if self.scores:
            return "finished"
        return "diverged" if self.error else "pruned"


class TrialMemory:
    """Outcomes on disk, one file each, named by the hash of all that they depend on.

    Parameters
    ----------
    folder : Path
        Made when the first outcome is stored.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def recall(self, objective: Objective, settings: Settings) -> Outcome | None:
        """Return what came of these settings, or None if it is not known.

        A damaged file counts as none.
        """
        try:
            stored = json.loads(self._path(objective, settings).read_text(encoding="utf-8"))
            scores = {name: float(value) for name, value in stored["scores"].items()}
            seconds = stored.get("training_time_s")  # unknown of what was stored by an older version
            time_s = None if seconds is None else float(seconds)
            return Outcome([float(value) for value in stored["curve"]], scores, str(stored["error"]), time_s)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def remember(self, objective: Objective, settings: Settings, outcome: Outcome) -> None:
        """Store what came of these settings; two processes may store the same one."""
        with replace_atomically(self._path(objective, settings)) as temporary:
            temporary.write_text(json.dumps(asdict(outcome)), encoding="utf-8")

    def _path(self, objective: Objective, settings: Settings) -> Path:
        name = hashlib.sha256((objective.key + json.dumps(settings, sort_keys=True)).encode()).hexdigest()
        return self.folder / f"{name}.json"
