"""The commands `movierec recommend`, `similar` and `predict`, typed in a tiny shop."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from movierec import cli
from movierec.commands import recommend
from movierec.recommender.answers import Recommendation
from movierec.recommender.artifacts import Artifacts, load_artifacts
from movierec.recommender.engine import Engine
from tests.shop import build_shop

Run = Callable[..., str]
NOW_S = 1_700_000_000
STRANGER = 999_999


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("shop") / "shop"
    build_shop(root)
    return root


@pytest.fixture(scope="module")
def artifacts(shop: Path) -> Artifacts:
    return load_artifacts(shop)


@pytest.fixture
def run(shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Type a command of `movierec` in the shop and return what it prints."""

    def type_command(*words: str) -> str:
        monkeypatch.chdir(shop)
        monkeypatch.setattr(sys, "argv", ["movierec", *words])
        with pytest.raises(SystemExit, match="^0$"):
            cli.main()
        return capsys.readouterr().out

    return type_command


@pytest.fixture
def refuse(shop: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Type a command that ends with a message of one line, and return the line."""

    def type_command(*words: str) -> str:
        monkeypatch.chdir(shop)
        monkeypatch.setattr(sys, "argv", ["movierec", *words])
        with pytest.raises(SystemExit, match="^error: ") as ended:
            cli.main()
        message = str(ended.value.code)
        assert "\n" not in message
        return message

    return type_command


def stars_of(item: Recommendation) -> tuple[float | None, ...]:
    return item.predicted_rating, item.low, item.high


def test_recommend_prints_a_table_with_titles_and_reasons(run: Run, artifacts: Artifacts) -> None:
    answer = Engine(artifacts).recommend(artifacts.profiles.find(1), 3, explain=True)
    head, _, columns, *lines = run("recommend", "--user", "1", "-k", "3", "--explain").splitlines()
    assert head == f"For user 1, by als_tuned; models {artifacts.version}"
    assert columns.split() == ["title", "movie", "score", "stars", "low", "high"]
    items = [line for line in lines if "because of" not in line]
    assert [int(line.split()[-5]) for line in items] == [item.movie.movie_id for item in answer.items]
    assert items[0].startswith(f"{answer.items[0].movie.title} ({answer.items[0].movie.year})")
    assert items[0].split()[-3:] == [f"{stars:.2f}" for stars in stars_of(answer.items[0])]
    assert len(lines) - len(items) == sum(len(item.reasons) for item in answer.items)
    assert re.fullmatch(r" +\d+% because of [\d.]+ stars for .+\(\d{4}\)", lines[1])


def test_recommend_gives_the_engines_answer_as_json(run: Run, artifacts: Artifacts) -> None:
    words = ("--genre", "drama", "--decade", "1990", "--model", "svd", "--explain", "--include-seen")
    content: dict[str, Any] = json.loads(run("recommend", "--user", "2", "-k", "4", *words, "--json"))
    answer = Engine(artifacts).recommend(
        artifacts.profiles.find(2), 4, model="svd", genre="Drama", decade=1990, exclude_seen=False, explain=True
    )
    assert set(content) == {"user_id", "strategy", "model", "model_version", "items"}
    assert (content["strategy"], content["model"], content["model_version"]) == ("personal", "svd", artifacts.version)
    for item, expected in zip(content["items"], answer.items, strict=True):
        assert set(item) == {"movie", "score", "predicted_rating", "low", "high", "reasons"}
        assert set(item["movie"]) == {"movie_id", "title", "year", "genres", "ratings", "mean"}
        assert (item["movie"]["movie_id"], item["score"]) == (expected.movie.movie_id, expected.score)
        assert [reason["movie"]["movie_id"] for reason in item["reasons"]] == [one.movie_id for one in expected.reasons]
        assert all(set(reason) == {"movie", "rating", "weight"} for reason in item["reasons"])


def test_recommend_tells_a_stranger_that_all_strangers_get_this(run: Run) -> None:
    text = run("recommend", "--user", str(STRANGER))
    assert text.startswith(f"For user {STRANGER}, who has rated nothing yet, what most people like; models ")
    assert len(text.splitlines()) == 13


def test_recommend_by_popularity_says_so(run: Run) -> None:
    assert run("recommend", "--user", "1", "--model", "popularity").startswith("For user 1, what most people rated;")


def test_recommend_says_when_nothing_is_left(run: Run, artifacts: Artifacts) -> None:
    genre, decade = next(
        (genre, decade)
        for genre in artifacts.catalogue.genres
        for decade in artifacts.catalogue.decades
        if not artifacts.catalogue.rows_of(genre, decade).any()
    )
    text = run("recommend", "--user", "1", "--genre", genre, "--decade", str(decade))
    assert text.splitlines()[-1] == "No movie is left."


def test_similar_names_the_movie_and_those_as_near(run: Run, artifacts: Artifacts) -> None:
    movie = artifacts.catalogue.at(10)
    head, _, columns, *lines = run("similar", f"{movie.title} {movie.year}", "-k", "4").splitlines()
    assert head == f"Like {movie.title} ({movie.year}), movie {movie.movie_id}"
    assert columns.split() == ["title", "movie", "cosine"]
    similar = Engine(artifacts).similar(movie.movie_id, 4)
    assert [int(line.split()[-2]) for line in lines] == [other.movie_id for other, _ in similar]


def test_similar_says_which_of_several_it_took(run: Run) -> None:
    second = run("similar", "rumor").splitlines()[1]
    assert second.startswith("(as near to 'rumor', but with fewer ratings: ")


def test_similar_gives_json(run: Run, artifacts: Artifacts) -> None:
    movie = artifacts.catalogue.at(10)
    content = json.loads(run("similar", movie.title, "-k", "2", "--json"))
    assert content["movie"]["movie_id"] == movie.movie_id
    assert [(item["movie"]["movie_id"], item["similarity"]) for item in content["items"]] == [
        (other.movie_id, similarity) for other, similarity in Engine(artifacts).similar(movie.movie_id, 2)
    ]


def test_predict_prints_the_engines_stars(run: Run, artifacts: Artifacts) -> None:
    words = ("predict", "--user", "3", "--movie", "4", "--movie", "9")
    expected = Engine(artifacts).predict(artifacts.profiles.find(3), [4, 9]).by_movie()
    head, _, columns, *lines = run(*words).splitlines()
    assert head == f"For user 3, by bayes; models {artifacts.version}"
    assert columns.split() == ["title", "movie", "stars", "low", "high"]
    assert [line.split()[-4:] for line in lines] == [
        [movie, *(f"{value:.2f}" for value in stars)] for movie, stars in zip(("4", "9"), expected, strict=True)
    ]
    content = json.loads(run(*words, "--json"))
    stars, low, high = zip(*expected, strict=True)
    assert content == {
        "user_id": 3, "model": "bayes", "model_version": artifacts.version,
        "predictions": list(stars), "low": list(low), "high": list(high),
    }  # fmt: skip


def test_predict_by_a_model_without_uncertainty_shows_none(run: Run) -> None:
    assert run("predict", "--user", "3", "--movie", "4", "--model", "als").splitlines()[-1].split()[-2:] == ["-", "-"]
    content = json.loads(run("predict", "--user", "3", "--movie", "4", "--model", "als", "--json"))
    assert (content["low"], content["high"]) == (None, None)


@pytest.mark.parametrize("model", [(), ("--model", "bayes"), ("--model", "bayes_explore")])
def test_exploring_gives_the_days_draw(
    run: Run, artifacts: Artifacts, model: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recommend, "time", SimpleNamespace(time=lambda: NOW_S))
    content = json.loads(run("recommend", "--user", "2", "--explore", *model, "--json"))
    expected = Engine(artifacts).recommend(artifacts.profiles.find(2), 10, model="bayes_explore", now_s=NOW_S)
    assert content["model"] == "bayes_explore"
    assert [item["movie"]["movie_id"] for item in content["items"]] == [item.movie.movie_id for item in expected.items]


def test_predict_says_that_a_stranger_is_one(run: Run) -> None:
    assert "who has rated nothing yet" in run("predict", "--user", str(STRANGER), "--movie", "4", "--model", "als")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("recommend", "--user", "1", "--genre", "Dramma"), "no movie has the genre 'Dramma': did you mean 'Drama'?"),
        (("recommend", "--user", "1", "--decade", "1995"), "no movie is of decade 1995: choose one of"),
        (
            ("recommend", "--user", "1", "--model", "als", "--explore"),
            "'als' cannot explore: give --explore with bayes",
        ),
        (("recommend", "--user", "1", "--model", "alss"), "there is no model 'alss': did you mean 'als'?"),
        (("predict", "--user", "1", "--movie", "9999"), "there is no movie 9999: `movierec similar TITLE`"),
        (("similar", "qqqqqqqqq"), "no title is like 'qqqqqqqqq'"),
    ],
)
def test_what_is_unknown_is_told_in_one_line(refuse: Run, words: tuple[str, ...], message: str) -> None:
    assert message in refuse(*words)


def test_a_folder_without_models_says_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["movierec", "recommend", "--user", "1"])
    with pytest.raises(SystemExit, match=r"^error: dvc.lock is missing: run `dvc repro` to make it$"):
        cli.main()


@pytest.mark.parametrize("words", [(), ("--user", "1", "-k", "0"), ("--user", "1", "-k", "201")])
def test_numbers_out_of_range_are_refused(words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["movierec", "recommend", *words])
    with pytest.raises(SystemExit, match="^2$"):
        cli.main()


@pytest.mark.parametrize("user", ["x", "007", str(2**31)])
def test_text_is_no_id_among_integers(shop: Path, user: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop)
    monkeypatch.setattr(sys, "argv", ["movierec", "recommend", "--user", user])
    with pytest.raises(SystemExit, match=f"^error: there is no id '{user}': the ids of this data are whole numbers$"):
        cli.main()
