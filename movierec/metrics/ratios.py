"""Division where a denominator may be 0, as a mean over nobody."""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def divide_or_nan(numerators: npt.NDArray[np.number], denominators: npt.NDArray[np.number]) -> FloatArray:
    """Divide element by element, NaN where the denominator is not above 0.

    Parameters
    ----------
    numerators : ndarray of numbers
        Of any shape.
    denominators : ndarray of numbers
        Of a shape that broadcasts to that of `numerators`.

    Returns
    -------
    ndarray of float64
        In the shape of `numerators`.

    Examples
    --------
    >>> divide_or_nan(np.array([1.0, 2.0]), np.array([4, 0])).tolist()
    [0.25, nan]
    """
    ratios = np.full(numerators.shape, np.nan)
    np.divide(numerators, denominators, out=ratios, where=denominators > 0)
    return ratios
