"""Which configurations are tried, and which one wins."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from movierec.errors import MovierecError
from movierec.models.base import Recommender
from movierec.settings import Section
from movierec.tuning.memory import TrialMemory
from movierec.tuning.objective import Objective
from movierec.tuning.trials import Proposal, Trial, run_trials


class GridSearch:
    """Try the listed configurations.

    Parameters
    ----------
    objective : Objective
        What a trial does.
    configurations : mapping of str to Section
        By name, at least one.
    final : Objective, optional
        What the winner is fitted for, if that is more data than the trials have.

    Attributes
    ----------
    trials : list of Trial
        Those of the finished rounds, in the order in which they were proposed, without their models.
    """

    must_converge: ClassVar[bool] = True

    def __init__(
        self, objective: Objective, configurations: Mapping[str, Section], final: Objective | None = None
    ) -> None:
        self.objective = objective
        self.configurations = configurations
        self.final = final
        self.trials: list[Trial] = []
        self._best: Trial | None = None
        self._final_scores: Mapping[str, float] = {}

    @property
    def planned(self) -> int:
        """How many trials there will be."""
        return len(self.configurations)

    @property
    def best(self) -> Trial:
        """The finished trial with the best score, the first by name among equals.

        Raises
        ------
        MovierecError
            If there is none.
        """
        if self._best is None:
            raise MovierecError(f"no trial of {self.objective.listed_in} was finished: list other settings")
        return self._best

    @property
    def scores(self) -> Mapping[str, float]:
        """What the winner reached on validation: on a sample until `fit_winner` has fitted it on all data."""
        return self._final_scores or self.best.outcome.scores

    @property
    def best_score(self) -> float:
        """The one of `scores` by which it won."""
        return self.scores[self.objective.metric]

    def propose(self) -> list[Proposal]:
        """Return what to try next, given all trials before; nothing when the search is over."""
        if self.trials:
            return []
        return [
            Proposal(self.objective, name, configuration.model_dump(), must_converge=self.must_converge)
            for name, configuration in self.configurations.items()
        ]

    def consider(self, trial: Trial) -> None:
        """Compare a trial, in whatever order they end, with the best until then, whose model is kept."""
        if trial.outcome.scores and (self._best is None or self._rank(trial) < self._rank(self._best)):
            self._best = replace(trial, model=None) if self.final else trial

    def learn(self, trials: Sequence[Trial]) -> None:
        """Take the trials of all that `propose` returned last, in its order."""
        self.trials += trials

    def fit_winner(self) -> Recommender:
        """Return the best trial's model, fitted anew unless it was fitted in this search on all data."""
        if not self.final:
            return self.best.model or self.objective.fit(self.best.proposal.settings)
        model = self.final.fit(self.best.proposal.settings)
        self._final_scores = self.final.score(model)
        return model

    def _rank(self, trial: Trial) -> tuple[float, str]:
        score = trial.outcome.scores[self.objective.metric]
        return (score if self.objective.lowest_wins else -score), trial.proposal.configuration


def run_searches(searches: Sequence[GridSearch], memory: TrialMemory, workers: int) -> Generator[Trial]:
    """Run searches side by side, round by round, until none proposes anything.

    Parameters
    ----------
    searches : sequence of GridSearch
        New ones.
    memory, workers
        As `run_trials` takes them.

    Yields
    ------
    Trial
        In order of completion, without its model.

    Raises
    ------
    MovierecError
        As `run_trials` does.
    """
    while any(proposed := [search.propose() for search in searches]):
        owner = {proposal: search for search, own in zip(searches, proposed, strict=True) for proposal in own}
        done: dict[Proposal, Trial] = {}
        for trial in run_trials(owner, memory, workers):
            owner[trial.proposal].consider(trial)
            done[trial.proposal] = replace(trial, model=None)  # models are large
            yield done[trial.proposal]
        for search, own in zip(searches, proposed, strict=True):
            search.learn([done[proposal] for proposal in own])
