"""The nine stages of the pipeline, one script each, run as `python -m stages.NAME`."""

import movierec  # noqa: F401  # pins BLAS before any stage loads NumPy
