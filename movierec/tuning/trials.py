"""Running trials, several at a time and none twice."""

import json
import os
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from threading import Event
from time import perf_counter

from movierec.errors import MovierecError
from movierec.models.base import Recommender
from movierec.tuning.memory import Outcome, TrialMemory
from movierec.tuning.objective import Objective, Settings

ShouldPrune = Callable[[int, float], bool]


def never_prune(_step: int, _score: float) -> bool:
    """Let every fit run to its end."""
    return False


@dataclass(frozen=True, eq=False)
class Proposal:
    """A configuration to try.

    Attributes
    ----------
    objective : Objective
        What to do with it.
    configuration : str
        Its name.
    settings : dict
        Its values.
    should_prune : callable
        Told each step (from 1) and its score, says whether to give up; must not depend on time.
    must_converge : bool
        Whether a fit that diverges is the user's mistake.
    """

    objective: Objective
    configuration: str
    settings: Settings
    should_prune: ShouldPrune = never_prune
    must_converge: bool = True


@dataclass(frozen=True)
class Trial:
    """What came of a proposal.

    Attributes
    ----------
    proposal : Proposal
        What was tried.
    outcome : Outcome
        Its scores on validation.
    remembered : bool
        Whether no fit was needed to know.
    model : Recommender or None
        As it was fitted; None if it is remembered or not finished.
    """

    proposal: Proposal
    outcome: Outcome
    remembered: bool
    model: Recommender | None = field(default=None, repr=False)


class PrunedError(Exception):
    """Ends a fit that is not worth finishing."""


def run_trials(proposals: Iterable[Proposal], memory: TrialMemory, workers: int) -> Generator[Trial]:
    """Run what is not remembered, several fits at a time, and yield each trial as it is done.

    Parameters
    ----------
    proposals : iterable of Proposal
        Equal settings share one fit.
    memory : TrialMemory
        Asked first, told afterwards.
    workers : int
        Fits at a time, at least 1, as threads: the compiled loops release the interpreter. No result
        depends on it.

    Yields
    ------
    Trial
        In order of completion; the longest are started first.

    Raises
    ------
    MovierecError
        If settings that must converge do not; the trials finished by then are remembered.
    """
    groups: dict[tuple[Objective, str], list[Proposal]] = {}
    for proposal in proposals:
        same = proposal.objective, json.dumps(proposal.settings, sort_keys=True)
        groups.setdefault(same, []).append(proposal)
    longest_first = sorted(groups.values(), key=_estimate_effort, reverse=True)
    threads = max(1, len(os.sched_getaffinity(0)) // max(1, min(workers, len(groups))))
    stopped = Event()

    def run_group(group: list[Proposal]) -> list[Trial]:
        return [_run(proposal, memory, threads, stopped) for proposal in group]

    pool = ThreadPoolExecutor(workers)
    try:
        for future in as_completed([pool.submit(run_group, group) for group in longest_first]):
            yield from future.result()
    finally:
        stopped.set()  # what still runs ends after its step
        pool.shutdown(cancel_futures=True)


def _estimate_effort(group: list[Proposal]) -> float:
    return group[0].objective.estimate_effort(group[0].settings)


def _run(proposal: Proposal, memory: TrialMemory, threads: int, stopped: Event) -> Trial:
    known = memory.recall(proposal.objective, proposal.settings)
    outcome, model = _replay(known, proposal.should_prune) if known else None, None
    remembered = outcome is not None
    if outcome is None:
        outcome, model = _fit(proposal, threads, stopped)
        memory.remember(proposal.objective, proposal.settings, outcome)
    if outcome.error and proposal.must_converge:
        where = f"{proposal.objective.listed_in}.{proposal.configuration}"
        raise MovierecError(f"{where}: {outcome.error}")
    return Trial(proposal, outcome, remembered, model)


def _replay(known: Outcome, should_prune: ShouldPrune) -> Outcome | None:
    """Say how a fit would end now, as if it ran; None if it would get further than what is remembered of it."""
    for step, score in enumerate(known.curve, start=1):
        if should_prune(step, score):
            return Outcome(known.curve[:step])
    return None if known.state == "pruned" else known


def _fit(proposal: Proposal, threads: int, stopped: Event) -> tuple[Outcome, Recommender | None]:
    curve: list[float] = []
    started = perf_counter()

    def watch(score: float | None) -> None:
        if stopped.is_set():
            raise InterruptedError("the search was stopped")
        if score is not None:
            curve.append(score)
            if proposal.should_prune(len(curve), score):
                raise PrunedError

    try:
        model = proposal.objective.fit(proposal.settings, watch, threads=threads)
        watch(None)
        seconds = perf_counter() - started
        return Outcome(curve, proposal.objective.score(model), training_time_s=seconds), model
    except PrunedError:
        return Outcome(curve, training_time_s=perf_counter() - started), None
    except MovierecError as error:
        return Outcome(curve, error=str(error), training_time_s=perf_counter() - started), None
