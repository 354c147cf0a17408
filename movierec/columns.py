"""Names of the columns in every table of the project, and nothing else.

`*_id` is the identifier that the data set uses; rows of a factor matrix are `*_idx` and never stored.
"""

from typing import Final

USER_ID: Final = "user_id"
MOVIE_ID: Final = "movie_id"
RATING: Final = "rating"
TIMESTAMP: Final = "timestamp"
RATING_COLUMNS: Final = (USER_ID, MOVIE_ID, RATING, TIMESTAMP)

TITLE: Final = "title"
YEAR: Final = "year"
GENRES: Final = "genres"

MODEL: Final = "model"
TRAIN_RATINGS: Final = "n_train"
TEST_RATINGS: Final = "n_test"
