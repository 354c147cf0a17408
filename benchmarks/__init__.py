"""One script for each published number, run as `python -m benchmarks.NAME`; results/ holds what they wrote.

data.py loads what they measure.
"""

import movierec  # noqa: F401  # pins BLAS before any benchmark loads NumPy
