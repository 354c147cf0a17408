"""Recommendation models, one a file, all with the interface of `base.Recommender`."""
