"""What to do about an experiment, in plain language; the statistics it rests on are computed elsewhere."""

from dataclasses import dataclass
from typing import Literal

from movierec.abtest.analysis import MeanDifference, SampleRatio

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
    more_users : int
        Users that the smaller arm still needs; 0 unless the decision is to keep running.
    """

    decision: Decision
    text: str
    more_users: int = 0


def decide(
    difference: MeanDifference,
    sample_ratio: SampleRatio,
    *,
    minimum_effect: float,
    users_needed: int,
    lower_is_better: bool = False,
    names: tuple[str, str] = ("control", "treatment"),
) -> Verdict:
    """Turn an experiment's numbers into a decision.

    Parameters
    ----------
    difference : MeanDifference
        Treatment less control, looked at once.
    sample_ratio : SampleRatio
        A mismatch refuses any verdict.
    minimum_effect : float
        Smallest improvement worth having, positive, in units of the outcome.
    users_needed : int
        Users in each arm that the design asks for to see `minimum_effect`.
    lower_is_better : bool
        Whether the outcome is an error.
    names : tuple of two str
        What control and treatment are called in the text.

    Returns
    -------
    Verdict
        Ship if the interval shows an improvement. Do not ship if it shows a loss, if it shows that any improvement is
        below `minimum_effect`, or if the arms are as large as the design asks and still show nothing. Else keep
        running.
    """
    control, treatment = names
    gain, low, high = difference.estimate, difference.low, difference.high
    if lower_is_better:
        gain, low, high = -gain, -high, -low
    evidence = f"{difference.confidence * 100:g} % interval {low:+.4f} to {high:+.4f}, {format_p(difference.p_value)}"
    if sample_ratio.is_mismatch:
        return Verdict("no verdict", _explain_mismatch(difference, sample_ratio))
    if low > 0:
        return Verdict("ship", f"Ship {treatment}: it beats {control} by {gain:.4f} ({evidence}).")
    if high < 0:
        return Verdict("do not ship", f"Do not ship {treatment}: it is {-gain:.4f} worse than {control} ({evidence}).")
    if high < minimum_effect:
        text = f"Do not ship {treatment}: it improves on {control} by less than the {minimum_effect:g} worth having"
        return Verdict("do not ship", f"{text} ({evidence}).")
    more_users = users_needed - min(difference.control.n, difference.treatment.n)
    if more_users <= 0:
        text = f"Do not ship {treatment}: the planned {users_needed:,} users an arm show no improvement on {control}"
        return Verdict("do not ship", f"{text} ({evidence}).")
    text = (
        f"Keep running: up to {more_users:,} more users an arm are needed to see an improvement of {minimum_effect:g}"
    )
    return Verdict(
        "keep running", f"{text} ({evidence} so far). Whoever looks earlier must use the anytime-valid one.", more_users
    )


def format_p(p_value: float) -> str:
    """Write a p-value as people read it.

    Examples
    --------
    >>> format_p(0.0312), format_p(1e-9)
    ('p = 0.031', 'p < 0.001')
    """
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"


def _explain_mismatch(difference: MeanDifference, sample_ratio: SampleRatio) -> str:
    sizes = f"{difference.control.n:,} and {difference.treatment.n:,} users"
    return (
        f"No verdict: chance hardly ever splits users into arms of {sizes} under these weights"
        f" (p = {sample_ratio.p_value:.1e}). Find what loses users before reading any result."
    )
