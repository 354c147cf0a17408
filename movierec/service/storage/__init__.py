"""The database of new ratings and of what was shown and chosen; knows no model."""
