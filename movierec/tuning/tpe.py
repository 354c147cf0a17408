"""The tree-structured Parzen estimator ("tpe"), by the library optuna: new configurations near good ones."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any, ClassVar

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

from movierec.settings import Section
from movierec.tuning.objective import Objective, Settings
from movierec.tuning.search import GridSearch
from movierec.tuning.trials import Proposal, Trial

BATCH = 8  # trials asked for at a time: a fixed number, since what is asked for depends on what is known by then
TENTHS = 10  # of a fit, at which its curve is judged
WARM_UP_TENTHS = 3
DIGITS = 3  # of a proposed number, so that it can be typed
STATES = {"finished": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "diverged": TrialState.FAIL}


class TpeSearch(GridSearch):
    """Try the listed configurations, then propose others from what is known.

    Bergstra et al. (2011), "Algorithms for hyper-parameter optimization". Proposals come in batches of `BATCH`,
    and a fit is given up when its best score on validation by some tenth of its steps (from the third) is worse
    than the median there of the finished trials of earlier batches: no result depends on how many fits run at a
    time. Tenths, not steps: at equal epochs the fastest learners would drive out the best.

    Parameters
    ----------
    objective, configurations, final
        As `GridSearch` takes them; `span_space` of the configurations is searched.
    trials : int
        How many to propose beyond the listed ones.
    seed : int
        Of the proposals, in [0, 2**32 - 1].
    """

    must_converge: ClassVar[bool] = False

    def __init__(
        self,
        objective: Objective,
        configurations: Mapping[str, Section],
        trials: int,
        seed: int,
        final: Objective | None = None,
    ) -> None:
        super().__init__(objective, configurations, final)
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._extra = trials
        self._listed = [configuration.model_dump() for configuration in configurations.values()]
        self._space = span_space(configurations.values())
        self._kind = type(next(iter(configurations.values())))
        self._names = (name for number in count(1) if (name := f"tpe_{number}") not in configurations)
        self._asked: list[optuna.Trial] = []
        self._study = optuna.create_study(
            sampler=optuna.samplers.TPESampler(seed=seed),
            pruner=optuna.pruners.MedianPruner(n_warmup_steps=WARM_UP_TENTHS),
            direction="minimize" if objective.lowest_wins else "maximize",
        )

    @property
    def planned(self) -> int:
        """How many trials there will be."""
        return len(self.configurations) + self._extra

    def propose(self) -> list[Proposal]:
        """Return the next batch; see `GridSearch.propose`."""
        if not self.trials:
            return super().propose()
        size = min(BATCH, self.planned - len(self.trials))
        self._asked = [self._study.ask(self._space) for _ in range(size)]
        return [self._propose(asked) for asked in self._asked]

    def _propose(self, asked: optuna.Trial) -> Proposal:
        settings = self._complete(asked.params)
        judge = _Judge(asked, self.objective.count_steps(settings))
        return Proposal(self.objective, next(self._names), settings, judge, must_converge=False)

    def learn(self, trials: Sequence[Trial]) -> None:
        """Tell optuna the results; see `GridSearch.learn`."""
        if self.trials:
            for asked, trial in zip(self._asked, trials, strict=True):
                score = trial.outcome.scores.get(self.objective.metric)
                self._study.tell(asked, score, state=STATES[trial.outcome.state])
        else:
            self._study.add_trials(self._describe(trial) for trial in trials)
        super().learn(trials)

    def _describe(self, trial: Trial) -> optuna.trial.FrozenTrial:
        """Put a listed configuration's trial as if optuna had asked for it."""
        steps = self.objective.count_steps(trial.proposal.settings)
        return optuna.trial.create_trial(
            state=STATES[trial.outcome.state],
            value=trial.outcome.scores.get(self.objective.metric),
            params={name: trial.proposal.settings[name] for name in self._space},
            distributions=self._space,
            intermediate_values=pick_tenths(trial.outcome.curve, steps),
        )

    def _complete(self, params: Mapping[str, Any]) -> Settings:
        """Round what was asked for, add what is not searched, and check it all."""
        rounded = {name: _round(value) for name, value in params.items()}
        return self._kind(**{**self._listed[0], **rounded}).model_dump()


class _Judge:
    """Passes the tenths of a trial's curve to optuna's pruner, each once."""

    def __init__(self, trial: optuna.Trial, steps: int) -> None:
        self._trial, self._steps = trial, steps
        self._judged = 0

    def __call__(self, step: int, score: float) -> bool:
        tenth = TENTHS * step // self._steps
        if not self._judged < tenth < TENTHS:  # a remembered piece of the curve may have been played back before
            return False
        self._judged = tenth
        self._trial.report(score, tenth)
        return self._trial.should_prune()


def pick_tenths(curve: Sequence[float], steps: int) -> dict[int, float]:
    """Return the scores of a curve at the tenths of a fit.

    Parameters
    ----------
    curve : sequence of float
        The score after each step.
    steps : int
        Of the whole fit.

    Returns
    -------
    dict of int to float
        By tenth from 1 to 9, the first score at or after it; of less than ten steps, the tenths that they reach.

    Examples
    --------
    >>> pick_tenths([0.9, 0.8, 0.7], steps=4)
    {2: 0.9, 5: 0.8, 7: 0.7}
    """
    tenths: dict[int, float] = {}
    for step, score in enumerate(curve, start=1):
        tenths.setdefault(TENTHS * step // steps, score)
    return {tenth: score for tenth, score in tenths.items() if 0 < tenth < TENTHS}


def span_space(configurations: Iterable[Section]) -> dict[str, BaseDistribution]:
    """Lay out the space to search around given configurations.

    Parameters
    ----------
    configurations : iterable of Section
        Of one kind, at least one.

    Returns
    -------
    dict of str to BaseDistribution
        Whole and decimal numbers from half the lowest to twice the highest, as far as params.yaml may go, on a
        logarithmic scale unless one is 0; of anything else the values given. A number that is always 0 is left out.

    Examples
    --------
    >>> from movierec.settings import AlsConfiguration
    >>> listed = {"factors": 50, "iterations": 15, "regularization": 0.0, "alpha": 1.0, "relevance_threshold": None}
    >>> for name, values in span_space([AlsConfiguration(**listed)]).items():
    ...     print(name, values)
    factors IntDistribution(high=100, log=True, low=25, step=1)
    iterations IntDistribution(high=30, log=True, low=7, step=1)
    alpha FloatDistribution(high=2.0, log=True, low=0.5, step=None)
    relevance_threshold CategoricalDistribution(choices=(None,))
    """
    listed = list(configurations)
    spans = {name: list(dict.fromkeys(getattr(each, name) for each in listed)) for name in type(listed[0]).model_fields}
    return {name: span for name, values in spans.items() for span in _span(type(listed[0]), name, values)}


def _span(kind: type[Section], name: str, values: list[Any]) -> Iterator[BaseDistribution]:
    field = kind.model_fields[name]
    if field.annotation not in {int, float}:
        yield CategoricalDistribution(values)
    elif any(values):
        floor = max((rule.ge for rule in field.metadata if hasattr(rule, "ge")), default=0)
        ceiling = min((rule.le for rule in field.metadata if hasattr(rule, "le")), default=float("inf"))
        low, high = max(floor, min(values) / 2), min(ceiling, max(values) * 2)
        if field.annotation is int:
            yield IntDistribution(int(low), int(high), log=low >= 1)
        else:
            yield FloatDistribution(low, high, log=low > 0)


def _round(value: object) -> object:
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
