import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Route, expect

from movierec.recommender.artifacts import Artifacts
from tests.service.page.browsing import (
    OVERFLOW,
    OpenPage,
    known_user,
    rate_by_keyboard,
    read_ratings,
    serve,
    shown_titles,
    well_known,
)
from tests.waiting import PATIENCE_S

TOKEN = "correct-horse-battery"  # noqa: S105


def test_newcomer_rates_by_keyboard_and_sees_the_list_change_and_why(
    open_page: OpenPage, address: str, artifacts: Artifacts
) -> None:
    page = open_page()
    before = shown_titles(page)
    expect(page.locator(".source")).to_contain_text("popularity")
    assert page.locator("details").count() == 0
    rated = well_known(artifacts, 3)
    for movie, half_stars in zip(rated, (9, 10, 7), strict=True):
        rate_by_keyboard(page, movie, half_stars)
    expect(page.locator(".source")).to_contain_text("with the latest ratings")
    expect(page.locator("#ratings-title")).to_have_text("Ratings (3)")
    after = shown_titles(page)
    assert after != before
    assert not {movie.title for movie in rated} & set(after)
    reasons = page.locator("details[open] .reasons li")
    expect(reasons.first).to_contain_text("rated")
    expect(reasons.first).to_contain_text("%")
    user = page.evaluate("localStorage.getItem('movierec-user')")
    stored = read_ratings(address, user)
    assert {row["movie"]["movie_id"]: row["rating"] for row in stored} == dict(
        zip((movie.movie_id for movie in rated), (4.5, 5.0, 3.5), strict=True)
    )


def test_newcomer_is_the_same_after_a_reload_and_another_after_starting_over(
    open_page: OpenPage, artifacts: Artifacts
) -> None:
    page = open_page()
    rate_by_keyboard(page, well_known(artifacts, 1)[0], 8)
    page.reload()
    expect(page.locator("#ratings-title")).to_have_text("Ratings (1)")
    user = page.evaluate("localStorage.getItem('movierec-user')")
    page.get_by_role("button", name="Start over").click()
    expect(page.locator("#ratings-title")).to_have_text("Ratings")
    assert int(user) >= 1_000_000_000
    assert page.evaluate("localStorage.getItem('movierec-user')") != user


def test_known_user_by_number_and_by_chance(open_page: OpenPage, artifacts: Artifacts) -> None:
    page = open_page()
    user_id = known_user(artifacts)
    page.get_by_label("User", exact=True).fill(str(user_id))
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#identity")).to_have_text(f"User {user_id}")
    expect(page.locator(".source")).to_contain_text("trained on")
    expect(page.locator("#ratings-title")).to_have_text(
        f"Ratings ({min(len(artifacts.profiles.find(user_id).movie_ids), 500)})"
    )
    page.get_by_role("button", name="Surprise me").click()
    expect(page.locator("#identity")).not_to_have_text(f"User {user_id}")
    expect(page.locator(".source")).to_contain_text("trained on")
    page.get_by_role("button", name="Back to me").click()
    expect(page.locator("#identity")).to_have_text("You, a new user")


def test_both_models_side_by_side_and_below_each_other_on_a_phone(open_page: OpenPage, artifacts: Artifacts) -> None:
    for width in (1280, 390):
        page = open_page(width=width)
        page.get_by_label("User", exact=True).fill(str(known_user(artifacts)))
        page.get_by_role("button", name="Show").click()
        page.get_by_label("Compare two models").check()
        stars, best = (page.get_by_role("region", name=name) for name in ("Most stars", "Best matches"))
        expect(stars.locator(".source")).to_contain_text(str(artifacts.rating_model))
        expect(best.locator(".source")).to_contain_text(artifacts.champion)
        assert shown_titles(page, 0) != shown_titles(page, 1)
        first, second = stars.bounding_box(), best.bounding_box()
        assert first is not None
        assert second is not None
        assert (first["y"] == second["y"]) == (width == 1280)
        assert page.evaluate(OVERFLOW) <= 0


def test_filters_restrict_the_list(open_page: OpenPage, artifacts: Artifacts) -> None:
    page = open_page()
    genre, decade = artifacts.catalogue.genres[0], artifacts.catalogue.decades[-1]
    shown_titles(page)
    page.get_by_label("Genre").select_option(genre)
    expect(page.locator(".film").first).to_contain_text(genre)
    with page.expect_response(re.compile(f"genre={genre}&decade={decade}")) as response:
        page.get_by_label("Decade").select_option(str(decade))
    if not response.value.json()["items"]:
        expect(page.locator(".nothing")).to_contain_text("Another genre or decade")
    for facts in page.locator(".film .facts").all_inner_texts():
        assert genre in facts
        assert str(decade)[:3] in facts


def test_variety_is_asked_for_and_a_new_title_is_text(open_page: OpenPage, artifacts: Artifacts, address: str) -> None:
    page = open_page()
    user = known_user(artifacts)
    page.get_by_label("User", exact=True).fill(str(user))
    page.get_by_role("button", name="Show").click()
    plain = shown_titles(page)
    with page.expect_response(re.compile(r"diversity=0\.5")):
        page.get_by_label("Variety").select_option("Most")
    assert shown_titles(page) != plain
    title = "<img src=x onerror=alert(1)>"
    assert httpx.post(f"{address}/v1/movies", json={"title": title}, timeout=PATIENCE_S).status_code == 201
    page.get_by_role("combobox", name="Film title").fill("img src")
    expect(page.get_by_role("listbox").get_by_role("option").first).to_contain_text(title)


def test_nothing_found_is_said(open_page: OpenPage) -> None:
    page = open_page()
    page.get_by_role("combobox", name="Film title").fill("qqqqqqqqqqqq")
    expect(page.locator("#query-hint")).to_contain_text("No film by that name")
    expect(page.get_by_role("combobox", name="Film title")).to_have_attribute("aria-expanded", "false")


def test_escape_closes_the_list_then_empties_the_field(open_page: OpenPage, artifacts: Artifacts) -> None:
    page = open_page()
    field = page.get_by_role("combobox", name="Film title")
    field.fill(artifacts.catalogue.at(0).title)
    expect(page.get_by_role("listbox")).to_be_visible()
    page.keyboard.press("ArrowUp")
    assert field.get_attribute("aria-activedescendant") == page.get_by_role("listbox").get_by_role(
        "option"
    ).last.get_attribute("id")
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(field).to_have_value("")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"status": 500, "body": "oh"}, "The service failed (500)"),
        ({"status": 429, "headers": {"retry-after": "7"}, "body": "{}"}, "Try again in 7 seconds"),
        ({"status": 503, "headers": {"retry-after": "1"}, "body": "{}"}, "not ready. Try again in 1 second."),
        ({"status": 422, "body": json.dumps({"detail": "decade: too early"})}, "decade: too early"),
        ({"status": 200, "body": "<html>"}, "The service failed (200)"),
        (None, "does not answer"),
    ],
)
def test_failure_is_told_in_plain_words_and_can_be_tried_again(
    open_page: OpenPage, answer: dict[str, Any] | None, message: str
) -> None:
    def fail(route: Route) -> None:
        route.fulfill(**answer) if answer else route.abort()

    page = open_page(prepare=lambda page: page.route(re.compile("/recommendations|/v1/genres"), fail))
    expect(page.get_by_role("alert")).to_contain_text(message)
    expect(page.locator(".nothing")).to_have_text("Nothing to show yet.")
    page.unroute_all()
    page.get_by_role("button", name="Try again").click()
    assert shown_titles(page)
    expect(page.get_by_label("Genre").locator("option").nth(1)).to_be_attached()
    expect(page.get_by_role("alert")).to_be_hidden()


def test_token_is_asked_for_once_and_again_if_wrong(
    open_page: OpenPage, shop: Path, tmp_path: Path, artifacts: Artifacts
) -> None:
    with serve(shop, tmp_path / "service.db", api_token=TOKEN) as guarded:
        page = open_page(guarded)
        shown_titles(page)
        slider = page.get_by_role("slider").first
        slider.focus()
        page.keyboard.press("End")
        page.keyboard.press("Enter")
        for token in ("wrong", TOKEN):
            page.get_by_role("textbox", name="Token").fill(token)
            page.get_by_role("button", name="Use it").click()
        expect(page.locator("#ratings-title")).to_have_text("Ratings (1)")
        rate_by_keyboard(page, well_known(artifacts, 40)[-1], 6)
        expect(page.locator("#ratings-title")).to_have_text("Ratings (2)")
        assert page.evaluate("localStorage.length") == 1  # the user, not the token
        page.context.close()
