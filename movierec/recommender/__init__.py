"""Recommendations from fitted models, for the service, the command line and MLflow; knows no HTTP and no database."""
