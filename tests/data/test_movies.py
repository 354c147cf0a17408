import csv
import io
import re
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import pytest

from movierec.data.movies import read_movies, split_title
from movierec.data.readers import read_movies as read_movies_of_readers
from movierec.errors import MovierecError

FolderOf = Callable[[Mapping[str, bytes]], Path]
LayoutFiles = Mapping[str, Mapping[str, bytes]]
Row = tuple[int, str, int | None, list[str]]

HEADER = "movieId,title,genres\n"


def rows_of(table: pd.DataFrame) -> list[Row]:
    rows = zip(table["movie_id"], table["title"], table["year"], table["genres"], strict=True)
    return [(int(i), title, None if pd.isna(year) else int(year), genres) for i, title, year, genres in rows]


@pytest.fixture
def csv_of(folder_of: FolderOf) -> Callable[[str], Path]:
    return lambda text: folder_of({"ratings.csv": b"userId,movieId\n1,1\n", "movies.csv": text.encode()})


@pytest.mark.parametrize("layout", ["csv", "dat", "tab"])
def test_every_layout_gives_the_same_movies(layout_files: LayoutFiles, folder_of: FolderOf, layout: str) -> None:
    table = read_movies(folder_of(layout_files[layout]))
    assert rows_of(table) == [
        (10, "Misérables, Les", 1995, ["Drama", "War"]),
        (20, 'The "Heat"', 1986, ["Action"]),
        (30, "Babylon 5", None, []),
    ]
    assert [(name, str(dtype)) for name, dtype in table.dtypes.items()] == [
        ("movie_id", "int32"),
        ("title", "str"),
        ("year", "Int16"),
        ("genres", "object"),
    ]


def test_readers_offer_the_same_function() -> None:
    assert read_movies_of_readers is read_movies


def unpack_real(mirror: Path, name: str, folder: Path) -> Path:
    with zipfile.ZipFile(mirror / f"{name}.zip") as archive:
        archive.extractall(folder)
    return folder / name


def test_real_csv_movies_equal_those_of_the_file(mirror: Path, tmp_path: Path) -> None:
    folder = unpack_real(mirror, "ml-latest-small", tmp_path)
    lines = list(csv.DictReader(io.StringIO((folder / "movies.csv").read_text(encoding="utf-8"), newline="")))
    table = read_movies(folder)
    assert list(table["movie_id"]) == [int(line["movieId"]) for line in lines]
    for (_, title, year, genres), line in zip(rows_of(table), lines, strict=True):
        assert "|".join(genres) == line["genres"].replace("(no genres listed)", "")
        in_file = " ".join(line["title"].replace("(2006\u20132007)", "(2006)").split())
        assert in_file == " ".join(f"{title} ({year})".split() if year else title.split())
    assert len(table) == 9_742
    assert table["year"].isna().sum() == 12  # counted with grep: titles that do not end in a bracketed year
    assert rows_of(table[table["movie_id"] == 171749]) == [(171749, "Death Note: Desu nôto", 2006, [])]


def test_real_tab_movies_equal_those_of_the_file(mirror: Path, tmp_path: Path) -> None:
    folder = unpack_real(mirror, "ml-100k", tmp_path)
    lines = [line.split("|") for line in (folder / "u.item").read_text(encoding="latin-1").splitlines()]
    names = [line.split("|")[0] for line in (folder / "u.genre").read_text().split()]
    table = read_movies(folder)
    assert len(table) == 1_682
    for (movie_id, title, year, genres), line in zip(rows_of(table), lines, strict=True):
        assert movie_id == int(line[0])
        assert genres == [name for name, flag in zip(names, line[5:], strict=True) if flag == "1" and name != "unknown"]
        assert re.sub(r"\s*(\(V\))?\s*$", "", line[1]) == (f"{title} ({year})" if year else title)
    assert rows_of(table[table["year"].isna()]) == [(267, "unknown", None, [])]
    assert table["title"].str.contains("é").any()


def test_genre_names_of_ml_100k_need_no_file(mirror: Path, tmp_path: Path) -> None:
    folder = unpack_real(mirror, "ml-100k", tmp_path)
    with_file = read_movies(folder)
    (folder / "u.genre").unlink()
    pd.testing.assert_frame_equal(read_movies(folder), with_file)


def test_movies_may_have_no_genres_but_a_year(csv_of: Callable[[str], Path]) -> None:
    assert rows_of(read_movies(csv_of("year,title,movieId\n1999,A,1\n(2001?),B (1950),2\n,C,3\n"))) == [
        (1, "A", 1999, []), (2, "B", 2001, []), (3, "C", None, []),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "title", "year"),
    [
        ("Heat (1995)", "Heat", 1995),
        ("Heat (1995) ", "Heat", 1995),
        ("  Heat(1995)", "Heat", 1995),
        ("Friends (1994-2004)", "Friends", 1994),
        ("Nôto (2006\u20132007)", "Nôto", 2006),
        ("Still On (2006-)", "Still On", 2006),
        ("Still On (2006\u2013 )", "Still On", 2006),
        ("Land Before Time III (1995) (V)", "Land Before Time III", 1995),
        ("Seven (a.k.a. Se7en) (1995)", "Seven (a.k.a. Se7en)", 1995),
        ("1984 (1984)", "1984", 1984),
        ("Title (1990) (1995)", "Title (1990)", 1995),
        ("2001: A Space Odyssey", "2001: A Space Odyssey", None),
        ("Year 3000 (3000)", "Year 3000 (3000)", None),
        ("Heat (95)", "Heat (95)", None),
        ("(1995)", "(1995)", None),
        ("Heat (1995) uncut", "Heat (1995) uncut", None),
        ("unknown", "unknown", None),
        ("", "", None),
    ],
)
def test_title_and_year_are_parted(text: str, title: str, year: int | None) -> None:
    assert split_title(text) == (title, year)


def test_of_lines_with_one_id_the_first_is_kept(csv_of: Callable[[str], Path]) -> None:
    table = read_movies(csv_of(HEADER + "2,B (2000),Drama\n1,A (1999),War\n2,C (2001),War\n"))
    assert rows_of(table) == [(2, "B", 2000, ["Drama"]), (1, "A", 1999, ["War"])]
    assert list(table.index) == [0, 1]


@pytest.mark.parametrize(
    "text",
    [
        HEADER + '1,"A, ""The"" (1999)",War|Drama',
        "\ufeff" + HEADER.replace("\n", "\r\n") + '1,"A, ""The"" (1999)",War|Drama\r\n\r\n',
        'genres,imdb,title,movieId\nWar|Drama,,"A, ""The"" (1999)",1\n',
        '"movieId","title","genres"\n"1","A, ""The"" (1999)","War|Drama|(no genres listed)"\n\n',
    ],
    ids=["no-newline", "bom-crlf", "order", "quotes"],
)
def test_harmless_variants_of_a_csv_are_read(csv_of: Callable[[str], Path], text: str) -> None:
    assert rows_of(read_movies(csv_of(text))) == [(1, 'A, "The"', 1999, ["War", "Drama"])]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty"),
        ("movie,movieId,title\n1,1,A\n", "column 'movie' and 'movieId' could both be the item"),
        ("movieId,genres\n1,War\n", "no column is called like the title"),
        (HEADER, "holds no movies"),
        (HEADER + "1,A,War\nx,B,War\n", "line 3: 'x' is no movie id"),
        (HEADER + "-1,A,War\n", "line 2: '-1' is no movie id"),
        (HEADER + "007,A,War\n", "line 2: '007' is no movie id"),
        (HEADER + "2147483648,A,War\n", "line 2: '2147483648' is no movie id"),
        (HEADER + "1_0,A,War\n", "line 2: '1_0' is no movie id"),
        (HEADER + "\u0663,A,War\n", "line 2: '\u0663' is no movie id"),
        (HEADER + f"{'9' * 5000},A,War\n", "line 2: '9999999999999999999999999999999999999999' is no movie id"),
        (HEADER + "1,A, The,War\n", "line 2: 4 fields instead of 3; quote a title with ','"),
        (HEADER + "1,A\n", "line 2: 2 fields instead of 3"),
        (HEADER + '1,"A,War\n2,B,War\n', "line 3: unexpected end of data"),
        (HEADER + '1,"A"x,War\n', "line 2: ',' expected after '\"'"),
    ],
)
def test_an_unusable_csv_is_refused_naming_the_line(csv_of: Callable[[str], Path], text: str, problem: str) -> None:
    with pytest.raises(MovierecError, match=rf"movies\.csv[:,]? {problem}"):
        read_movies(csv_of(text))


def test_a_csv_in_another_encoding_is_refused(folder_of: FolderOf) -> None:
    folder = folder_of(
        {"ratings.csv": b"user,item\n1,1\n", "movies.csv": (HEADER + "1,Misérables,War\n").encode("latin-1")}
    )
    with pytest.raises(MovierecError, match=r"movies\.csv is not UTF-8 \(at byte 27\)"):
        read_movies(folder)


def test_a_dat_may_be_utf8_as_that_of_ml_10m_is(folder_of: FolderOf) -> None:
    text = "1::Misérables, Les (1995)::War\r\n\r\n2::A::B\x85C (2000)::Drama"
    for encoding in ("utf-8", "utf-8-sig"):
        table = read_movies(folder_of({"ratings.dat": b"", "movies.dat": text.encode(encoding)}))
        assert rows_of(table) == [(1, "Misérables, Les", 1995, ["War"]), (2, "A::B\x85C", 2000, ["Drama"])]


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"ratings.dat": b"", "movies.dat": b""}, r"movies\.dat holds no movies"),
        ({"ratings.dat": b"", "movies.dat": b"1::A::War\n2:B:War\n"}, r"movies\.dat, line 2: 1 fields instead of 3"),
        ({"u.data": b"", "u.item": b"1|A|||" + b"|0" * 18}, r"u\.item, line 1: not 5 fields and 19 genre flags"),
        ({"u.data": b"", "u.item": b"1|A|||" + b"|2" * 19}, r"u\.item, line 1: not 5 fields and 19 genre flags"),
        ({"u.data": b"", "u.item": b"1|A|B|||" + b"|0" * 19}, r"u\.item, line 1: not 5 fields and 19 genre flags"),
    ],
)
def test_other_unusable_files_are_refused(folder_of: FolderOf, files: dict[str, bytes], problem: str) -> None:
    with pytest.raises(MovierecError, match=problem):
        read_movies(folder_of(files))
