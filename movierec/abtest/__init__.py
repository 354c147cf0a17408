"""Controlled experiments: assignment, sample size, analysis."""
