import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from playwright.sync_api import Browser, Page, Response, Route, expect, sync_playwright

from movierec.service.app import create_app
from movierec.service.bundle import Bundle
from movierec.service.catalogue import Movie
from movierec.service.page import STATIC
from movierec.service.settings import ServiceSettings

LARGEST_BYTES = 42_000
TOKEN = "correct-horse-battery"  # noqa: S105
OpenPage = Callable[..., Page]

CONTRASTS = """() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => parts(colour).slice(0, 3).map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if ((parts(colour)[3] ?? 1) === 1) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  return [...document.querySelectorAll('body *:not(svg *)')]
    .filter((element) => element.checkVisibility() && !element.disabled)
    .filter((element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
    .map((element) => {
      const [dark, bright] = [getComputedStyle(element).color, behind(element)].map(light).sort((a, b) => a - b);
      return [element.outerHTML.slice(0, 80), (bright + 0.05) / (dark + 0.05)];
    });
}"""
SMALL_TARGETS = """() => [...document.querySelectorAll('button, input:not(#compare), select, summary, .switch, .jump')]
  .filter((element) => element.checkVisibility())
  .map((element) => [element.outerHTML.slice(0, 80), element.getBoundingClientRect()])
  .filter(([, box]) => box.height < 44 || box.width < 44).map(([name]) => name)"""
OVERFLOW = "() => document.documentElement.scrollWidth - innerWidth"


@contextmanager
def serve(root: Path, database: Path, **settings: Any) -> Iterator[str]:
    app = create_app(ServiceSettings(root=root, database_url=f"sqlite:///{database}", **settings))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, ws="none"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            wait_until_ready(address)
            yield address
        finally:
            server.should_exit = True
            thread.join(timeout=20)


def wait_until_ready(address: str) -> None:
    end, pause = time.monotonic() + 30, threading.Event()
    while httpx.get(f"{address}/health/ready").status_code != 200:
        assert time.monotonic() < end
        pause.wait(0.05)


@pytest.fixture(scope="module")
def address(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve(shop, tmp_path_factory.mktemp("page") / "service.db") as address:
        yield address


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser, address: str) -> Iterator[OpenPage]:
    """Open the page as a visitor nobody saw before; at the end nothing may have gone wrong or to another host."""
    contexts, complaints = [], []

    def open_page(at: str = address, width: int = 1280, prepare: Callable[[Page], object] = id, **options: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 844}, reduced_motion="reduce", **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("request", lambda request: None if request.url.startswith(at) else complaints.append(request.url))
        prepare(page)
        page.goto(at)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [text for text in complaints if not text.startswith("Failed to load resource")] == []


def well_known(bundle: Bundle, n: int) -> list[Movie]:
    movies = [bundle.catalogue.at(row) for row in range(len(bundle.catalogue))]
    return sorted(movies, key=lambda movie: -movie.ratings)[:n]


def known_user(bundle: Bundle) -> int:
    return next(user_id for user_id in range(1, 100) if bundle.profiles.find(user_id).trained)


def rate_by_keyboard(page: Page, movie: Movie, half_stars: int) -> None:
    key = "Tab" if page.evaluate("document.activeElement === document.body") else "Shift+Tab"
    for _ in range(60):
        if page.evaluate("document.activeElement.id") == "query":
            break
        page.keyboard.press(key)
    page.keyboard.type(movie.title[:3] + movie.title[4:])  # a letter is missing
    option = page.get_by_role("listbox").get_by_role("option").filter(has_text=movie.title).first
    expect(option).to_be_visible()
    for _ in range(8):
        page.keyboard.press("ArrowDown")
        if option.get_attribute("aria-selected") == "true":
            break
    page.keyboard.press("Enter")
    slider = page.locator("#ratings").get_by_role("slider", name=f"Your rating of {movie.title}")
    expect(slider).to_be_focused()
    for _ in range(half_stars):
        page.keyboard.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == f"{half_stars / 2:g} stars"
    with page.expect_response(reflects_rating()):
        page.keyboard.press("Enter")


def reflects_rating() -> Callable[[Response], bool]:
    """Return whether a response is the first list after a rating was stored."""
    stored: list[str] = []

    def reflects(response: Response) -> bool:
        if response.url.endswith("/v1/ratings"):
            stored.append(response.url)
        return bool(stored) and "/recommendations" in response.url

    return reflects


def shown_titles(page: Page, place: int = 0) -> list[str]:
    expect(page.locator(".list").nth(place).locator("[data-movie]").first).to_be_visible()
    expect(page.locator("#lists")).not_to_have_attribute("aria-busy", "true")
    return page.locator(".list").nth(place).locator(".film .title").all_inner_texts()


def refuse(pattern: str, **answer: Any) -> Callable[[Page], object]:
    return lambda page: page.route(re.compile(pattern), lambda route: route.fulfill(**answer))


def test_newcomer_rates_by_keyboard_and_sees_the_list_change_and_why(
    open_page: OpenPage, address: str, bundle: Bundle
) -> None:
    page = open_page()
    before = shown_titles(page)
    expect(page.locator(".source")).to_contain_text("popularity")
    assert page.locator("details").count() == 0
    rated = well_known(bundle, 3)
    for movie, half_stars in zip(rated, (9, 10, 7), strict=True):
        rate_by_keyboard(page, movie, half_stars)
    expect(page.locator(".source")).to_contain_text("with the latest ratings")
    expect(page.locator("#ratings-title")).to_have_text("Ratings (3)")
    after = shown_titles(page)
    assert after != before
    assert not {movie.title for movie in rated} & set(after)
    reasons = page.locator("details[open] .reasons li")
    assert reasons.count() >= 1
    expect(reasons.first).to_contain_text("rated")
    expect(reasons.first).to_contain_text("%")
    user = page.evaluate("localStorage.getItem('movierec-user')")
    stored = httpx.get(f"{address}/v1/users/{user}/ratings").json()["ratings"]
    assert {row["movie"]["movie_id"]: row["rating"] for row in stored} == dict(
        zip((movie.movie_id for movie in rated), (4.5, 5.0, 3.5), strict=True)
    )


def test_newcomer_is_the_same_after_a_reload_and_another_after_starting_over(
    open_page: OpenPage, bundle: Bundle
) -> None:
    page = open_page()
    rate_by_keyboard(page, well_known(bundle, 1)[0], 8)
    page.reload()
    expect(page.locator("#ratings-title")).to_have_text("Ratings (1)")
    user = page.evaluate("localStorage.getItem('movierec-user')")
    page.get_by_role("button", name="Start over").click()
    expect(page.locator("#ratings-title")).to_have_text("Ratings")
    assert int(user) >= 1_000_000_000
    assert page.evaluate("localStorage.getItem('movierec-user')") != user


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


def test_rating_again_within_a_second_is_no_conflict(open_page: OpenPage, address: str, bundle: Bundle) -> None:
    page = open_page()
    rate_by_keyboard(page, well_known(bundle, 1)[0], 8)
    for value in (4.5, 5):
        page.keyboard.press("ArrowRight")
        with page.expect_response(re.compile("/v1/ratings$")) as answer:
            page.keyboard.press("Enter")
        assert answer.value.status == 201
        assert answer.value.json()["rating"] == value
    user = page.evaluate("localStorage.getItem('movierec-user')")
    assert [row["rating"] for row in httpx.get(f"{address}/v1/users/{user}/ratings").json()["ratings"]] == [5]
    expect(page.locator("#trouble")).to_be_hidden()


def test_what_is_chosen_while_a_rating_is_stored_is_kept(open_page: OpenPage, bundle: Bundle) -> None:
    page = open_page()
    rate_by_keyboard(page, well_known(bundle, 1)[0], 6)
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


def test_retried_rating_is_shown_where_it_was_given(open_page: OpenPage, bundle: Bundle) -> None:
    page = open_page()
    rate_by_keyboard(page, well_known(bundle, 1)[0], 6)
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


def test_known_user_by_number_and_by_chance(open_page: OpenPage, bundle: Bundle) -> None:
    page = open_page()
    user_id = known_user(bundle)
    page.get_by_label("User", exact=True).fill(str(user_id))
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#identity")).to_have_text(f"User {user_id}")
    expect(page.locator(".source")).to_contain_text("trained on")
    expect(page.locator("#ratings-title")).to_have_text(
        f"Ratings ({min(len(bundle.profiles.find(user_id).movie_ids), 500)})"
    )
    page.get_by_role("button", name="Surprise me").click()
    expect(page.locator("#identity")).not_to_have_text(f"User {user_id}")
    expect(page.locator(".source")).to_contain_text("trained on")
    page.get_by_role("button", name="Back to me").click()
    expect(page.locator("#identity")).to_have_text("You, a new user")


def test_both_models_side_by_side_and_below_each_other_on_a_phone(open_page: OpenPage, bundle: Bundle) -> None:
    for width in (1280, 390):
        page = open_page(width=width)
        page.get_by_label("User", exact=True).fill(str(known_user(bundle)))
        page.get_by_role("button", name="Show").click()
        page.get_by_label("Compare SVD with ALS").check()
        svd, als = (page.get_by_role("region", name=name) for name in ("SVD", "ALS"))
        expect(svd.locator(".source")).to_contain_text("svd_tuned")
        expect(als.locator(".source")).to_contain_text("als_tuned")
        assert shown_titles(page, 0) != shown_titles(page, 1)
        first, second = svd.bounding_box(), als.bounding_box()
        assert first is not None
        assert second is not None
        assert (first["y"] == second["y"]) == (width == 1280)
        assert page.evaluate(OVERFLOW) <= 0


def test_filters_restrict_the_list(open_page: OpenPage, bundle: Bundle) -> None:
    page = open_page()
    genre, decade = bundle.catalogue.genres[0], bundle.catalogue.decades[-1]
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


def test_nothing_found_is_said(open_page: OpenPage) -> None:
    page = open_page()
    page.get_by_role("combobox", name="Film title").fill("qqqqqqqqqqqq")
    expect(page.locator("#query-hint")).to_contain_text("No film by that name")
    expect(page.get_by_role("combobox", name="Film title")).to_have_attribute("aria-expanded", "false")


def test_escape_closes_the_list_then_empties_the_field(open_page: OpenPage, bundle: Bundle) -> None:
    page = open_page()
    field = page.get_by_role("combobox", name="Film title")
    field.fill(bundle.catalogue.at(0).title)
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


def test_token_is_asked_for_once_and_again_if_wrong(
    open_page: OpenPage, shop: Path, tmp_path: Path, bundle: Bundle
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
        rate_by_keyboard(page, well_known(bundle, 40)[-1], 6)
        expect(page.locator("#ratings-title")).to_have_text("Ratings (2)")
        assert page.evaluate("localStorage.length") == 1  # the user, not the token
        page.context.close()


def test_title_is_text_whatever_it_holds(open_page: OpenPage) -> None:
    title = "<img src=x onerror=alert(1)> & Co, The"
    movie = {"movie_id": 1, "title": title, "year": None, "genres": [], "ratings": 0, "mean": None}
    found = json.dumps({"items": [{"movie": movie, "similarity": 1}]})
    page = open_page(prepare=refuse(r"/v1/movies\?", status=200, body=found, content_type="application/json"))
    page.get_by_role("combobox", name="Film title").fill("img")
    expect(page.get_by_role("listbox").get_by_role("option")).to_contain_text("The <img src=x onerror=alert(1)> & Co")


def test_titles_read_in_their_order(open_page: OpenPage) -> None:
    titles = {
        "Matrix, The": "The Matrix",
        "Avventura, L' (Adventure, The)": "L'Avventura (Adventure, The)",
        "Good, the Bad and the Ugly, The": "The Good, the Bad and the Ugly",
        "The Hollow Garden II": "The Hollow Garden II",
        "I, Robot": "I, Robot",
    }
    read = "async (titles) => { const { titleOf } = await import('/static/movies.js');"
    read += " return titles.map((title) => titleOf({ title })); }"
    assert open_page().evaluate(read, list(titles)) == list(titles.values())


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_readable_and_touchable(open_page: OpenPage, bundle: Bundle, scheme: str, width: int) -> None:
    page = open_page(width=width, color_scheme=scheme, is_mobile=width == 390)
    rate_by_keyboard(page, well_known(bundle, 1)[0], 9)
    expect(page.locator("details[open]").first).to_be_visible()
    page.get_by_role("combobox", name="Film title").fill(bundle.catalogue.at(0).title)
    expect(page.get_by_role("listbox").get_by_role("option").first).to_be_visible()
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 50
    assert [part for part in contrasts if part[1] < 4.5] == []
    assert page.evaluate(SMALL_TARGETS) == []
    assert page.evaluate(OVERFLOW) <= 0
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(22, 21, 26)") == (scheme == "dark")


def test_small_and_without_inline_code() -> None:
    files = [path for path in STATIC.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) < LARGEST_BYTES
    html = (STATIC / "index.html").read_text()
    assert not re.search(r"<style|style=|\son\w+=|<script(?![^>]*\ssrc=)|javascript:", html)
    text = "".join(path.read_text() for path in files)
    assert set(re.findall(r"https?://[^\s'\"]+", text)) == {"http://www.w3.org/2000/svg"}
    assert "innerHTML" not in text


def test_files_are_revalidated_and_nothing_else_is_served(address: str) -> None:
    with httpx.Client(base_url=address) as client:
        page = client.get("/")
        assert page.headers["content-type"].startswith("text/html")
        assert page.headers["cache-control"] == "no-cache"
        script = client.get("/static/app.js")
        assert script.headers["content-type"].startswith("text/javascript")
        etag = {"If-None-Match": script.headers["etag"]}
        assert client.get("/static/app.js", headers=etag).status_code == 304
        for absent in ("/static/absent.js", "/static/%2e%2e/page.py", "/static/", "/v1/absent"):
            assert client.get(absent).status_code == 404
        assert not {"/", "/static"} & set(client.get("/openapi.json").json()["paths"])
