"""Judging fitted models on held-out ratings: where models, data and metrics meet."""
