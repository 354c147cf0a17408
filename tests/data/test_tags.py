"""Tags of movies: reading them, and hiding those that would tell what a model is to predict."""

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import pytest

from movierec.data.tags import drop_held_out_tags, read_tags
from movierec.errors import MovierecError

FolderOf = Callable[[Mapping[str, bytes]], Path]
HEADER = "userId,movieId,tag,timestamp\n"


def csv_with(folder_of: FolderOf, tags: str) -> Path:
    return folder_of({"ratings.csv": b"", "movies.csv": b"", "tags.csv": tags.encode()})


def rows_of(table: pd.DataFrame) -> list[tuple[object, ...]]:
    return list(table.itertuples(index=False, name=None))


def test_tags_of_a_csv_in_lower_case_with_single_blanks(folder_of: FolderOf) -> None:
    text = HEADER + '2,60756,"Will  Ferrell, Actor",1445714994\n\n7,5," ",1\n7,5,Noir ,2\n'
    table = read_tags(csv_with(folder_of, text))
    assert rows_of(table) == [(2, 60756, "will ferrell, actor"), (7, 5, "noir")]
    assert [str(dtype) for dtype in table.dtypes] == ["int32", "int32", "str"]


def test_columns_come_in_any_order(folder_of: FolderOf) -> None:
    assert rows_of(read_tags(csv_with(folder_of, "tag,movieId,userId\nnoir,5,7"))) == [(7, 5, "noir")]


def test_tags_get_the_codes_of_text_ids(folder_of: FolderOf) -> None:
    users = pd.DataFrame({"user_id": [1, 2], "source_id": ["U1", "007"]})
    movies = pd.DataFrame({"movie_id": [1, 2], "source_id": ["a/b", "z"]})
    text = HEADER + "007,z,Noir,1\nstranger, a/b ,slow,2\nU1,unlisted,dull,3\n"
    assert rows_of(read_tags(csv_with(folder_of, text), users, movies)) == [(2, 2, "noir"), (-1, 1, "slow")]


def test_own_codes_are_read_as_they_are(folder_of: FolderOf) -> None:
    users = pd.DataFrame({"user_id": [7], "source_id": ["7"]})
    movies = pd.DataFrame({"movie_id": [5]})
    found = rows_of(read_tags(csv_with(folder_of, HEADER + "7,5,Noir,1\n9,6,slow,2\n"), users, movies))
    assert found == [(7, 5, "noir"), (9, 6, "slow")]


def test_a_tag_of_a_dat_may_hold_its_separator(folder_of: FolderOf) -> None:
    folder = folder_of({"ratings.dat": b"", "movies.dat": b"", "tags.dat": b"15::4973::a::b::1215184630\n"})
    assert rows_of(read_tags(folder)) == [(15, 4973, "a::b")]


def test_without_a_file_there_are_no_tags(layout_files: Mapping[str, dict[str, bytes]], folder_of: FolderOf) -> None:
    for files in layout_files.values():
        folder = folder_of(files)
        assert rows_of(read_tags(folder)) == []
        for name in files:
            (folder / name).unlink()


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("7,5", "line 2: not a user id, a movie id and a tag"),
        ("x,5,noir,1", "line 2: not a user id, a movie id and a tag"),
        ("0,5,noir,1", "line 2: an id is not in 1 to 2147483647"),
        ("7,2147483648,noir,1", "line 2: an id is not in 1 to 2147483647"),
    ],
)
def test_an_unusable_line_is_named(folder_of: FolderOf, line: str, problem: str) -> None:
    with pytest.raises(MovierecError, match=rf"tags\.csv, {problem}"):
        read_tags(csv_with(folder_of, HEADER + line + "\n"))


def test_tags_of_held_out_pairs_are_hidden_and_no_others() -> None:
    tags = pd.DataFrame({"user_id": [1, 1, 2, 3], "movie_id": [5, 6, 5, 5], "tag": ["a", "b", "c", "d"]})
    validation = pd.DataFrame({"user_id": [1], "movie_id": [5]})
    test = pd.DataFrame({"user_id": [2, 5], "movie_id": [5, 1]})
    assert drop_held_out_tags(tags, validation, test)["tag"].tolist() == ["b", "d"]
    pd.testing.assert_frame_equal(drop_held_out_tags(tags), tags)


def test_real_tags_are_those_of_the_file(mirror: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(mirror / "ml-latest-small.zip") as archive:
        archive.extractall(tmp_path)
    table = read_tags(tmp_path / "ml-latest-small")
    assert len(table) == 3_683
    assert rows_of(table)[0] == (2, 60756, "funny")
    assert (table["tag"] == "in netflix queue").sum() == 131
