"""Two ratings of one user."""

from movierec.service.storage.store import StoredRating

RATING = StoredRating(7, 10, 4.5, 1_000)
NEXT = StoredRating(7, 11, 3.0, 1_001)
