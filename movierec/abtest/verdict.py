"""What to do about an experiment, in plain language."""

from dataclasses import dataclass
from typing import Literal

from movierec.abtest.difference import MeanDifference, SampleRatio
from movierec.abtest.formats import count_decimals, format_interval, format_p

Decision = Literal["ship", "do not ship", "keep running", "no verdict"]


@dataclass(frozen=True)
class Verdict:
    """A decision and the sentence that explains it.

    Parameters
    ----------
    decision : str
        ``"ship"``, ``"do not ship"``, ``"keep running"``, or ``"no verdict"`` on a sample-ratio mismatch.
    text : str
        One or two sentences for people who know no statistics.
    more_users : int or None
        Users that the smaller arm still needs; 0 unless the decision is to keep running, None if it is not known what
        effect is worth having.
    """

    decision: Decision
    text: str
    more_users: int | None = 0


def decide(
    difference: MeanDifference,
    sample_ratio: SampleRatio,
    *,
    minimum_effect: float | None,
    users_needed: int | None,
    lower_is_better: bool = False,
    names: tuple[str, str] = ("control", "treatment"),
    is_even: bool = True,
) -> Verdict:
    """Turn an experiment's numbers into a decision.

    Parameters
    ----------
    difference : MeanDifference
        Treatment less control, looked at once.
    sample_ratio : SampleRatio
        A mismatch refuses any verdict.
    minimum_effect : float or None
        Smallest improvement worth having, positive, in units of the outcome.
    users_needed : int or None
        Users in the smaller arm that the design asks for to see `minimum_effect`; None if there is none.
    lower_is_better : bool
        Whether the outcome is an error.
    names : tuple of two str
        What control and treatment are called in the text.
    is_even : bool
        Whether both arms are planned to be of one size.

    Returns
    -------
    Verdict
        Do not ship if the interval shows a loss, or that any improvement is below `minimum_effect`. Ship if it shows
        an improvement. Do not ship if the arms are as large as the design asks and still show nothing. Else keep
        running.
    """
    control, treatment = names
    decimals = count_decimals(difference.standard_error)
    gain, low, high = difference.estimate, difference.low, difference.high
    if lower_is_better:
        gain, low, high = -gain, -high, -low
    interval = format_interval(low, high, decimals, "+")
    evidence = f"{difference.confidence * 100:g} % interval {interval}, {format_p(difference.p_value)}"
    if sample_ratio.is_mismatch:
        return Verdict("no verdict", _explain_mismatch(difference, sample_ratio))
    if high < 0:
        loss = f"it is {-gain:.{decimals}f} worse than {control}"
        return Verdict("do not ship", f"Do not ship {treatment}: {loss} ({evidence}).")
    if minimum_effect is not None and high < minimum_effect:
        text = f"Do not ship {treatment}: it improves on {control} by less than the {minimum_effect:g} worth having"
        return Verdict("do not ship", f"{text} ({evidence}).")
    if low > 0:
        return Verdict("ship", f"Ship {treatment}: it beats {control} by {gain:.{decimals}f} ({evidence}).")
    where = ("an arm", "in each arm") if is_even else ("in the smaller arm", "in the smaller arm")
    return _wait_or_stop(difference, minimum_effect, users_needed, evidence, names, where)


def _wait_or_stop(
    difference: MeanDifference,
    minimum_effect: float | None,
    users_needed: int | None,
    evidence: str,
    names: tuple[str, str],
    where: tuple[str, str],
) -> Verdict:
    """Decide while both a loss and an improvement are possible."""
    control, treatment = names
    peeking = "Whoever looks again before that must go by the anytime-valid interval."
    if minimum_effect is None or users_needed is None:
        text = f"Keep running: neither a loss nor an improvement is ruled out ({evidence} so far)"
        advice = "Name the smallest effect worth having to learn for how long."
        if minimum_effect is not None:
            advice = f"No number of users shows an effect of {minimum_effect:g}: name a larger one."
        return Verdict("keep running", f"{text}. {advice}", None)
    more_users = users_needed - min(difference.control.n, difference.treatment.n)
    if more_users <= 0:
        text = (
            f"Do not ship {treatment}: the planned {users_needed:,} users {where[0]} show no improvement on {control}"
        )
        return Verdict("do not ship", f"{text} ({evidence}).")
    wanted = f"{more_users:,} more users {where[1]} to see an improvement of {minimum_effect:g}, if there is one"
    return Verdict("keep running", f"Keep running: it takes {wanted} ({evidence} so far). {peeking}", more_users)


def _explain_mismatch(difference: MeanDifference, sample_ratio: SampleRatio) -> str:
    sizes = f"{difference.control.n:,} and {difference.treatment.n:,} users"
    return (
        f"No verdict: chance hardly ever splits users into arms of {sizes} under these weights"
        f" (p = {sample_ratio.p_value:.1e}). Find what loses users before reading any result."
    )
