"""What people say of one movie that no file has yet."""

from dataclasses import dataclass

from movierec.ids import OwnId


@dataclass(frozen=True)
class DescribedMovie:
    """A movie by its content.

    Attributes
    ----------
    movie_id : int or str
        The own id.
    title : str
        Without the year.
    year : int or None
        Of its release.
    genres, tags : tuple of str
        Distinct; tags are for models alone.
    """

    movie_id: OwnId
    title: str
    year: int | None
    genres: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
