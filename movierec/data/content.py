"""Content of movies: genres, year, title words and tags as a few numbers a movie, for every model that wants them.

No rating is read here; the tags of held-out ratings must be dropped before (`drop_held_out_tags`).
"""

import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from movierec.columns import GENRES, MOVIE_ID, TITLE, YEAR
from movierec.data.tags import TAG, drop_held_out_tags
from movierec.errors import MovierecError
from movierec.ids import IdIndex
from movierec.io import write_arrays

SIZE: Final = 150
SIZE_FOR_COLD_MOVIES: Final = 600  # where content is all that there is
MIN_MOVIES: Final = 2
GROUP, TOKEN = "group", "token"
_NO_DIRECTION: Final = 1e-9  # singular values below it are rounding
_WORD: Final = re.compile(r"\w+(?:'\w+)*")
_STOP_WORDS: Final = frozenset(
    ("the", "a", "an", "of", "and", "in", "to", "on", "for", "with", "at", "from", "la", "le", "les", "el", "il", "der",
     "die", "das", "de", "du")
)  # fmt: skip
_OF_COLUMN: Final = {GENRES, TITLE, YEAR}
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Content:
    """Movies as points: two movies are as alike as the scalar product of their factors.

    Attributes
    ----------
    movies : IdIndex
        The movies described.
    factors : ndarray of float32, shape (movies, size)
        tf-idf of each movie's tokens, of unit length a group of tokens, on the `size` directions that keep most of it.
    tokens : ndarray of str, shape (tokens,)
        ``group:token``, ascending.
    rarity : ndarray of float32, shape (tokens,)
        Logarithm of movies per movie with the token.
    basis : ndarray of float32, shape (tokens, size)
        The directions.
    """

    movies: IdIndex
    factors: Floats
    tokens: npt.NDArray[np.str_]
    rarity: Floats
    basis: Floats

    def of(self, movie_ids: npt.ArrayLike) -> Floats:
        """Return the factors of each movie, shape (n, size); zeros for a movie that is not described."""
        rows = self.movies.rows(movie_ids)
        return np.where(rows[:, np.newaxis] >= 0, self.factors[rows], np.float32(0))

    def embed(self, movies: pd.DataFrame, tags: pd.DataFrame | None = None) -> Floats:
        """Place new movies among the others by tokens known here.

        Parameters
        ----------
        movies, tags : DataFrame
            As `describe_movies` takes them.

        Returns
        -------
        ndarray of float32, shape (movies, size)
            In the order of `movies`; for the movies described here, their `factors`.
        """
        groups = {token.partition(":")[0] for token in self.tokens.tolist()}
        tokens = tokenize_movies(movies, tags, sorted(groups.intersection(movies.columns) - _OF_COLUMN))
        weighted = _weigh(_count(tokens, IdIndex(movies[MOVIE_ID]), self.tokens), self.tokens, self.rarity)
        placed: Floats = (weighted @ self.basis).astype(np.float32)
        return placed

    def save(self, path: Path) -> None:
        """Write an ``.npz`` file, the same bytes every time."""
        arrays = {name: getattr(self, name) for name in ("factors", "tokens", "rarity", "basis")}
        write_arrays({"movie_ids": self.movies.ids, **arrays}, path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote; nothing is ever unpickled.

        Raises
        ------
        MovierecError
            If the file is absent or damaged.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                arrays = dict(stored)
            return cls(movies=IdIndex(arrays.pop("movie_ids")), **arrays)
        except FileNotFoundError as error:
            raise MovierecError(f"{path} is missing: run `dvc repro` to make it") from error
        except (ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile) as error:
            raise MovierecError(f"{path} holds no content or is damaged: delete it and run `dvc repro`") from error


def describe_movies(
    movies: pd.DataFrame,
    tags: pd.DataFrame | None = None,
    columns: Sequence[str] = (),
    *,
    size: int = SIZE,
    min_movies: int = MIN_MOVIES,
) -> Content:
    """Turn what is known of movies into factors: tf-idf of tokens, then a truncated singular value decomposition.

    Salton & Buckley (1988) with binary term frequency, and Deerwester et al. (1990). The groups of tokens are genres,
    decade, two-year period, title words, tags, and the further columns. Within each a movie's row has length 1, so that
    no group outweighs another by the number of its tokens.

    Parameters
    ----------
    movies : DataFrame
        ``movie_id``, ``title``, ``year`` and ``genres``; one row a movie.
    tags : DataFrame, optional
        ``movie_id`` and ``tag``, without those of held-out ratings.
    columns : sequence of str
        Further columns of `movies` to use: a list gives a token for each of its elements, any other value one.
    size : int
        Factors to keep, at least 1; fewer are kept where the data has fewer directions.
    min_movies : int
        Rarer tokens than in so many movies are left out; at least 1.

    Returns
    -------
    Content
        The same bytes for the same tables.
    """
    tokens = tokenize_movies(movies, tags, columns)
    shared = tokens.groupby([GROUP, TOKEN], sort=True)[MOVIE_ID].size()
    shared = shared[shared >= min_movies]
    names = np.array([f"{group}:{token}" for group, token in shared.index], dtype=np.str_)
    order = np.argsort(names, kind="stable")
    names = names[order]
    index = IdIndex(movies[MOVIE_ID])
    rarity = np.log(len(index) / shared.to_numpy()[order]).astype(np.float32)
    weighted = _weigh(_count(tokens, index, names), names, rarity)
    basis = _find_basis(weighted, size)
    return Content(index, (weighted @ basis).astype(np.float32), names, rarity, basis)


def describe_split_movies(
    movies: pd.DataFrame, tags: pd.DataFrame, held_out: Iterable[pd.DataFrame], *, cold: bool = False
) -> Content:
    """Describe all movies for models that are fitted on train; see `describe_movies`.

    Parameters
    ----------
    movies, tags : DataFrame
        As `describe_movies` takes them; of `tags` also ``user_id``.
    held_out : iterable of DataFrame
        The ratings of validation and test, table by table; tags that go with them are not used.
    cold : bool
        Whether those are of movies without any rating in train: then more factors are kept.
    """
    for table in held_out:
        tags = drop_held_out_tags(tags, table)
    return describe_movies(movies, tags, size=SIZE_FOR_COLD_MOVIES if cold else SIZE)


def tokenize_movies(
    movies: pd.DataFrame, tags: pd.DataFrame | None = None, columns: Sequence[str] = ()
) -> pd.DataFrame:
    """List the tokens of each movie; see `describe_movies` for what is given.

    Returns
    -------
    DataFrame
        ``movie_id``, ``group`` and ``token``, each combination once; tags of movies not in `movies` are left out.
    """
    described = movies[[MOVIE_ID, GENRES, YEAR, TITLE, *columns]].itertuples(index=False, name=None)
    rows = [
        (movie_id, group, token)
        for movie_id, genres, year, title, *values in described
        for group, token in _tokenize(genres, year, title, dict(zip(columns, values, strict=True)))
    ]
    if tags is not None:
        listed = tags[tags[MOVIE_ID].isin(movies[MOVIE_ID])]
        rows += [(movie_id, TAG, tag) for movie_id, tag in zip(listed[MOVIE_ID], listed[TAG], strict=True)]
    return pd.DataFrame(rows, columns=[MOVIE_ID, GROUP, TOKEN]).drop_duplicates(ignore_index=True)


def _tokenize(genres: Sequence[str], year: object, title: str, others: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from (("genre", genre) for genre in genres)
    if isinstance(year, int | np.integer):
        yield "decade", str(int(year) // 10)
        yield "year", str(int(year) // 2)
    yield from (("title", word) for word in _WORD.findall(title.lower()) if word not in _STOP_WORDS)
    for column, value in others.items():
        values = value if isinstance(value, list | tuple | np.ndarray) else [value]
        yield from ((column, str(each)) for each in values if not pd.isna(each))


def _count(tokens: pd.DataFrame, movies: IdIndex, names: npt.NDArray[np.str_]) -> sp.csr_array:
    """Mark who has which of the known tokens, shape (movies, names)."""
    column = pd.Index(names).get_indexer(pd.Index(tokens[GROUP] + ":" + tokens[TOKEN]))
    known = column >= 0
    row = movies.rows(tokens[MOVIE_ID].to_numpy())[known]
    return sp.csr_array((np.ones(known.sum()), (row, column[known])), shape=(len(movies), len(names)))


def _weigh(counts: sp.csr_array, names: npt.NDArray[np.str_], rarity: Floats) -> sp.csr_array:
    """Multiply by rarity and bring each movie's row to length 1 within each group."""
    weighted = (counts * rarity[np.newaxis, :]).tocsr()
    groups, group = np.unique([name.partition(":")[0] for name in names.tolist()], return_inverse=True)
    entries = weighted.tocoo()
    cell = entries.coords[0].astype(np.int64) * max(1, len(groups)) + group[entries.coords[1]]
    lengths = np.sqrt(np.bincount(cell, weights=entries.data**2, minlength=1))[cell]
    data = np.divide(entries.data, lengths, out=np.zeros(len(lengths)), where=lengths > 0)
    return sp.csr_array((data, entries.coords), shape=counts.shape)


def _find_basis(weighted: sp.csr_array, size: int) -> Floats:
    """Return the right singular vectors of the largest singular values, shape (tokens, at most size)."""
    from scipy.sparse.linalg import svds  # noqa: PLC0415  # takes a third of a second

    smaller = min(weighted.shape)
    if smaller == 0:
        return np.zeros((weighted.shape[1], 0), dtype=np.float32)
    if smaller <= size + 1:
        _, values, vectors = np.linalg.svd(weighted.toarray(), full_matrices=False)
        return np.ascontiguousarray(vectors[values > _NO_DIRECTION].T[:, :size], dtype=np.float32)
    start = np.random.default_rng(0).standard_normal(smaller)  # the same for the same table
    _, _, vectors = svds(weighted, k=size, v0=start)
    return np.ascontiguousarray(vectors[::-1].T, dtype=np.float32)
