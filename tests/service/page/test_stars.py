import json
import re

import httpx
from playwright.sync_api import Page, Route, expect

from movierec.recommender.artifacts import Artifacts
from tests.service.page.browsing import (
    OpenPage,
    rate_by_keyboard,
    reflects_rating,
    refuse,
    shown_titles,
    well_known,
)


def test_click_gives_the_star_under_the_pointer_and_the_film_leaves_the_list(open_page: OpenPage) -> None:
    page = open_page()
    title = shown_titles(page)[0]
    stars = page.locator(".film .row").first.bounding_box()
    assert stars is not None
    cell = stars["width"] / 11  # the first is "not rated"
    with page.expect_request(re.compile("/v1/ratings")) as sent:
        page.mouse.click(stars["x"] + 7.5 * cell, stars["y"] + 20)
    assert json.loads(sent.value.post_data or "")["rating"] == 3.5
    expect(page.locator("#ratings")).to_contain_text(title)
    assert title not in shown_titles(page)


def hold_ratings(page: Page) -> list[Route]:
    """Leave the answers to posted ratings to the test."""
    held: list[Route] = []
    page.route(re.compile("/v1/ratings$"), lambda route: held.append(route))  # noqa: PLW0108  # Playwright marks it
    return held


def wait_for_requests(page: Page, held: list[Route], n: int) -> None:
    for _ in range(100):
        if len(held) >= n:
            return
        page.wait_for_timeout(20)  # lets Playwright call the routes
    raise AssertionError(held)


def posted(route: Route) -> float:
    return float(json.loads(route.request.post_data or "")["rating"])


def test_rating_again_within_a_second_is_no_conflict(open_page: OpenPage, address: str, artifacts: Artifacts) -> None:
    page = open_page()
    rate_by_keyboard(page, well_known(artifacts, 1)[0], 8)
    for value in (4.5, 5):
        page.keyboard.press("ArrowRight")
        with page.expect_response(re.compile("/v1/ratings$")) as answer:
            page.keyboard.press("Enter")
        assert answer.value.status == 201
        assert answer.value.json()["rating"] == value
    user = page.evaluate("localStorage.getItem('movierec-user')")
    assert [row["rating"] for row in httpx.get(f"{address}/v1/users/{user}/ratings").json()["ratings"]] == [5]
    expect(page.locator("#trouble")).to_be_hidden()


def test_what_is_chosen_while_a_rating_is_stored_is_kept(open_page: OpenPage, artifacts: Artifacts) -> None:
    page = open_page()
    rate_by_keyboard(page, well_known(artifacts, 1)[0], 6)
    held = hold_ratings(page)
    stars, slider = page.locator("#ratings .stars"), page.locator("#ratings").get_by_role("slider")
    for key in ("ArrowRight", "Enter", "ArrowRight"):
        page.keyboard.press(key)
    wait_for_requests(page, held, 1)
    with page.expect_response(reflects_rating()):
        held[0].continue_()
    expect(page.locator("#lists")).not_to_have_attribute("aria-busy", "true")
    expect(stars).to_have_attribute("data-value", "4.0")
    expect(slider).to_be_focused()
    expect(stars.get_by_role("button", name="Save")).to_be_visible()
    for key in ("Enter", "ArrowRight", "Enter", "ArrowRight", "Enter"):  # the last two while the first is on its way
        page.keyboard.press(key)
    wait_for_requests(page, held, 2)
    held[1].continue_()
    wait_for_requests(page, held, 3)
    with page.expect_response(reflects_rating()):
        held[2].continue_()
    assert [posted(route) for route in held] == [3.5, 4.0, 5.0]
    expect(stars).to_have_attribute("data-value", "5.0")
    expect(slider).to_be_focused()


def test_stars_being_chosen_in_the_list_survive_its_change(open_page: OpenPage) -> None:
    page = open_page()
    titles = shown_titles(page)
    film = page.locator(".film").filter(has_text=titles[1]).first
    slider = film.get_by_role("slider")
    slider.focus()
    page.keyboard.press("ArrowRight")
    with page.expect_response(re.compile("/recommendations")):
        page.get_by_label("Genre").select_option(film.locator(".genre").first.inner_text())
    expect(page.locator("#lists")).not_to_have_attribute("aria-busy", "true")
    expect(film.locator(".stars")).to_have_attribute("data-value", "0.5")
    expect(film.get_by_role("button", name="Save")).to_be_visible()


def test_retried_rating_is_shown_where_it_was_given(open_page: OpenPage, artifacts: Artifacts) -> None:
    page = open_page()
    rate_by_keyboard(page, well_known(artifacts, 1)[0], 6)
    held = hold_ratings(page)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    wait_for_requests(page, held, 1)
    held[0].fulfill(status=503, body="{}")
    expect(page.locator("#ratings .stars")).to_have_attribute("data-value", "3.0")
    page.get_by_role("button", name="Try again").click()
    wait_for_requests(page, held, 2)
    held[1].continue_()
    expect(page.locator("#ratings .stars")).to_have_attribute("data-value", "3.5")
    expect(page.get_by_role("alert")).to_be_hidden()


def test_arrows_alone_store_nothing_and_escape_takes_them_back(open_page: OpenPage) -> None:
    page = open_page()
    shown_titles(page)
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    slider = page.get_by_role("slider").first
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("button", name="Save")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Save")).to_be_hidden()
    page.keyboard.press("Enter")
    assert slider.get_attribute("aria-valuetext") == "not rated"
    assert posts == []


def test_rating_that_was_not_stored_takes_its_stars_back(open_page: OpenPage) -> None:
    page = open_page(prepare=refuse("/v1/ratings", status=503, body="{}"))
    before = shown_titles(page)
    page.get_by_role("slider").first.focus()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("not ready")
    expect(page.get_by_role("slider").first).to_have_attribute("aria-valuetext", "not rated")
    expect(page.locator("#ratings-empty")).to_be_visible()
    assert shown_titles(page) == before
    page.get_by_label("User", exact=True).fill("1")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("alert")).to_be_hidden()  # trying again would rate for another user
