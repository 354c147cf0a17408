"""Neural ranking models in JAX, on one thread of the processor; only `benchmarks.neural` uses them."""

import os

# Sums then have one order: a seed gives the same model on one machine. JAX reads it when it is imported.
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
