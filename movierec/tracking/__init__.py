"""MLflow as a mirror of what DVC made: a run a result, a version an evaluated model; no result depends on it."""
