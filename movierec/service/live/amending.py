"""From what is stored of the catalogue to an engine that answers by it."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from movierec.ids import OwnId
from movierec.recommender.amended_catalogue import NewMovie
from movierec.recommender.amendments import Amender
from movierec.recommender.engine import Engine
from movierec.recommender.profiles import Profile
from movierec.service.storage.store import StoredMovie


def amend_engine(
    amender: Amender, changes: Sequence[StoredMovie], find_ratings: Callable[[OwnId], Mapping[OwnId, float]]
) -> Engine:
    """Put the stored changes over an amender's engine.

    Parameters
    ----------
    amender : Amender
        Of the models.
    changes : sequence of StoredMovie
        Movies and users with ids that the data cannot have are left out: the database once served other data.
    find_ratings : callable
        Returns what a user rated here, for raters whom the models do not know.
    """
    profiles = amender.engine.artifacts.profiles
    allowed = [each for each in changes if profiles.takes_movie(each.change.movie.movie_id)]

    def find_profile(user_id: OwnId) -> Profile:
        known = profiles.find(user_id)
        return known if known.trained else profiles.find(user_id, find_ratings(user_id))

    def describe() -> Iterator[NewMovie]:
        for change, ratings in allowed:
            if change.kind != "delete":
                known = tuple(pair for pair in ratings if profiles.takes_user(pair[0]))
                yield NewMovie(change.movie, known)

    deleted = [each.change.movie.movie_id for each in allowed if each.change.kind == "delete"]
    return amender.amend(list(describe()), deleted, find_profile)
