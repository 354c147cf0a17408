"""A served page, and what a visitor does on it."""

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from playwright.sync_api import Page, Response, expect

from movierec.recommender.artifacts import Artifacts
from movierec.recommender.catalogue import Movie
from movierec.service.app import create_app
from movierec.service.settings import ServiceSettings

OVERFLOW = "() => document.documentElement.scrollWidth - innerWidth"
OpenPage = Callable[..., Page]


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


def well_known(artifacts: Artifacts, n: int) -> list[Movie]:
    movies = [artifacts.catalogue.at(row) for row in range(len(artifacts.catalogue))]
    return sorted(movies, key=lambda movie: -movie.ratings)[:n]


def known_user(artifacts: Artifacts) -> int:
    return next(user_id for user_id in range(1, 100) if artifacts.profiles.find(user_id).trained)


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
