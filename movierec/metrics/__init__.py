"""Accuracy and ranking metrics with their uncertainty; no model and no file is known here."""
