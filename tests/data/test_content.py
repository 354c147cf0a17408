"""Content of movies: which tokens there are, what they weigh, and that nothing held out is among them."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from movierec.data.content import Content, describe_movies, tokenize_movies
from movierec.data.tags import drop_held_out_tags
from movierec.errors import MovierecError


def movies_of(*rows: tuple[int, str, int | None, list[str]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["movie_id", "title", "year", "genres"])
    return table.astype({"movie_id": "int32", "year": "Int16"})


MOVIES = movies_of(
    (1, "Toy Story", 1995, ["Comedy", "Children"]),
    (2, "Toy Story II", 1999, ["Comedy"]),
    (3, "Heat", 1995, ["Crime"]),
    (9, "The Babylon 5", None, []),
)
TAGS = pd.DataFrame({"user_id": [4, 5, 6], "movie_id": [3, 9, 7], "tag": ["slow", "slow", "slow"]})


def tokens_of(table: pd.DataFrame, movie_id: int) -> set[str]:
    own = table[table["movie_id"] == movie_id]
    return set(own["group"] + ":" + own["token"])


def test_tokens_of_a_movie() -> None:
    table = tokenize_movies(MOVIES, TAGS)
    assert tokens_of(table, 1) == {
        *("genre:Comedy", "genre:Children", "decade:199", "year:997", "title:toy", "title:story")
    }
    assert tokens_of(table, 9) == {"title:babylon", "title:5", "tag:slow"}
    assert tokens_of(table, 7) == set()


def test_further_columns_may_be_lists_or_values() -> None:
    cast = pd.Series([["Hanks", "Allen"], ["Hanks"], ["Pacino"], []])
    table = MOVIES.assign(cast=cast, country=pd.Series(["US", None, "US", "US"]))
    tokens = tokenize_movies(table, None, ["cast", "country"])
    assert {"cast:Hanks", "cast:Allen", "country:US"} <= tokens_of(tokens, 1)
    assert not {token for token in tokens_of(tokens, 2) if token.startswith("country")}
    content = describe_movies(table, None, ["cast", "country"])
    assert "cast:Hanks" in content.tokens
    np.testing.assert_allclose(content.embed(table), content.factors, atol=1e-6)


def test_scalar_products_are_those_of_the_weighted_tokens() -> None:
    """By hand: Comedy, of 2 in 4 movies, is movie 2's only genre; of movie 1's, Children is too rare to be kept."""
    content = describe_movies(MOVIES, TAGS)
    assert content.tokens.tolist() == [
        *("decade:199", "genre:Comedy", "tag:slow", "title:story", "title:toy", "year:997")
    ]
    np.testing.assert_allclose(content.rarity, [math.log(4 / 3), *[math.log(2)] * 5], rtol=1e-6)
    # Movies 1 and 2 share decade, genre, and title (each of length 1); 1 and 3 decade and year; 3 and 9 the tag.
    alike = content.factors @ content.factors.T
    np.testing.assert_allclose(alike, [[4, 3, 2, 0], [3, 3, 1, 0], [2, 1, 3, 1], [0, 0, 1, 1]], atol=1e-5)


def test_fewer_factors_keep_the_best_approximation() -> None:
    whole, part = describe_movies(MOVIES, TAGS).factors, describe_movies(MOVIES, TAGS, size=2).factors
    values = np.linalg.svd(whole, compute_uv=False)
    assert part.shape == (4, 2)
    lost = np.linalg.norm(whole @ whole.T - part @ part.T)
    assert lost == pytest.approx(np.linalg.norm(values[2:] ** 2), rel=1e-4)


def test_many_movies_keep_the_best_approximation_too() -> None:
    rng = np.random.default_rng(1)
    words = ["w" + str(number) for number in range(60)]
    rows = [
        (movie, " ".join(rng.choice(words, 4)), 1950 + movie % 50, ["A", "B"][: movie % 3]) for movie in range(1, 91)
    ]
    table = movies_of(*rows)
    whole, part = describe_movies(table, size=1000).factors, describe_movies(table, size=7).factors
    values = np.linalg.svd(whole, compute_uv=False)
    np.testing.assert_allclose(np.linalg.svd(part, compute_uv=False), values[:7], rtol=1e-4)
    np.testing.assert_array_equal(describe_movies(table, size=7).factors, part)


def test_unknown_movies_have_no_content() -> None:
    content = describe_movies(MOVIES)
    np.testing.assert_array_equal(content.of([3, 77]), [content.factors[2], np.zeros(content.factors.shape[1])])


def test_new_movies_are_placed_by_the_tokens_known() -> None:
    content = describe_movies(MOVIES, TAGS)
    np.testing.assert_allclose(content.embed(MOVIES, TAGS), content.factors, atol=1e-6)
    sequel = movies_of((50, "Toy Unheard-of", 1998, ["Western", "Comedy"]))
    # It shares decade, genre and the title's toy, which is half of the squared length of "Toy Story".
    alike = content.embed(sequel) @ content.factors.T
    np.testing.assert_allclose(alike, [[2 + math.sqrt(0.5), 2 + math.sqrt(0.5), 1, 0]], atol=1e-5)


def test_a_tag_of_a_held_out_rating_moves_nothing() -> None:
    held_out = pd.DataFrame({"user_id": [5], "movie_id": [9]})
    content = describe_movies(MOVIES, drop_held_out_tags(TAGS, held_out), min_movies=1)
    without = describe_movies(MOVIES, TAGS.drop(index=1), min_movies=1)
    np.testing.assert_array_equal(content.factors, without.factors)
    assert content.of([9])[0] @ content.of([3])[0] == pytest.approx(0, abs=1e-6)


def test_movies_of_which_nothing_is_known() -> None:
    content = describe_movies(movies_of((1, "", None, []), (2, "", None, [])))
    assert content.factors.shape == (2, 0)
    assert content.of([1, 5]).shape == (2, 0)


def test_what_is_stored_is_what_is_read(tmp_path: Path) -> None:
    content = describe_movies(MOVIES, TAGS)
    for name in ("one.npz", "two.npz"):
        describe_movies(MOVIES, TAGS).save(tmp_path / name)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    stored = Content.load(tmp_path / "one.npz")
    assert stored.movies.ids.tolist() == content.movies.ids.tolist()
    for name in ("factors", "tokens", "rarity", "basis"):
        np.testing.assert_array_equal(getattr(stored, name), getattr(content, name))


def test_a_missing_or_damaged_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(MovierecError, match=r"content\.npz is missing: run `dvc repro`"):
        Content.load(tmp_path / "content.npz")
    (tmp_path / "content.npz").write_bytes(b"PK nothing")
    with pytest.raises(MovierecError, match="holds no content or is damaged"):
        Content.load(tmp_path / "content.npz")
