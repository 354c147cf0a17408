"""movierec: a reproducible movie-recommendation experiment on MovieLens ratings.

Importing it pins what would otherwise make the same numbers differ from machine to machine: the BLAS
kernel, its thread count, NumPy's SIMD code paths, the processor that Numba compiles for, and the folder where it keeps
compiled code. That only works before NumPy and Numba are loaded, so import `movierec` (or run a stage) first. Nothing
else lives here.
"""

import hashlib
import os
import platform
from pathlib import Path

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

_COMPILED = "movierec-compiled-"


def _choose_cache() -> None:
    """Name the folder of compiled code after the sources of all of it, unless the user chose one.

    Numba by itself sees that a function's own file changed, and nothing of what the function inlines from other files.
    """
    if not Path(os.environ.get("NUMBA_CACHE_DIR", _COMPILED)).name.startswith(_COMPILED):
        return
    digest, package = hashlib.sha256(), Path(__file__).parent
    for path in sorted(package.rglob("*.py")):
        source = path.read_bytes()
        if b"numba" in source:
            digest.update(source)
    os.environ["NUMBA_CACHE_DIR"] = str(package / "__pycache__" / f"{_COMPILED}{digest.hexdigest()[:16]}")


_choose_cache()
