"""movierec: a reproducible movie-recommendation experiment on MovieLens ratings.

Importing it pins what would otherwise make the same numbers differ from machine to machine: the BLAS
kernel, its thread count, NumPy's SIMD code paths, and the processor that Numba compiles for. That only works before
NumPy and Numba are loaded, so import `movierec` (or run a stage) first. Nothing else lives here.
"""

import os
import platform

__version__ = "0.1.0"

# OpenBLAS chooses its kernel by CPU and splits sums by thread; both change the last bits of a product.
PINNED = {"OPENBLAS_NUM_THREADS": "1"}
if platform.machine() in {"x86_64", "AMD64"}:
    PINNED |= {
        "OPENBLAS_CORETYPE": "Haswell",
        # NumPy's AVX-512 exp and log round differently from its AVX2 ones.
        "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
        # Numba otherwise compiles for the processor at hand, and vectors of another width sum in another order.
        "NUMBA_CPU_NAME": "haswell",
        "NUMBA_CPU_FEATURES": "+avx2,+fma",
    }
os.environ.update(PINNED)
