"""How the numbers of an experiment are written for people: with the digits that the data support."""

import math


def format_p(p_value: float) -> str:
    """Write a p-value as people read it.

    Examples
    --------
    >>> format_p(0.0312), format_p(1e-9)
    ('p = 0.031', 'p < 0.001')
    """
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"


def count_decimals(standard_error: float) -> int:
    """Count the decimals worth writing: those that show two digits of the standard error.

    Parameters
    ----------
    standard_error : float
        Of the numbers to write, positive.

    Returns
    -------
    int
        0 to 12.

    Examples
    --------
    >>> count_decimals(0.00146), count_decimals(25.0)
    (4, 0)
    """
    return min(12, max(0, 1 - math.floor(math.log10(standard_error))))


def format_number(number: float, decimals: int, sign: str = "") -> str:
    """Write a number, with its sign where `sign` is ``"+"``; what rounds to 0 has no minus.

    Examples
    --------
    >>> format_number(-0.001, 2, "+"), format_number(0.5, 1)
    ('+0.00', '0.5')
    """
    return f"{number:{sign}z.{decimals}f}"


def format_interval(low: float, high: float, decimals: int, sign: str = "") -> str:
    """Write both ends of an interval.

    Examples
    --------
    >>> format_interval(-0.012, 0.5, 2, "+")
    '-0.01 to +0.50'
    """
    return f"{format_number(low, decimals, sign)} to {format_number(high, decimals, sign)}"
