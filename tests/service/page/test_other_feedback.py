"""The page where the data has no stars: a button for what was seen, a number on a scale of one's own."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from movierec import io, paths
from movierec.feedback import leave_out, leave_out_stars
from movierec.roster import NEED_RATINGS, STORED
from tests.service.page.browsing import OpenPage, read_ratings, reflects_rating, serve, shown_titles
from tests.shop import lock_shop

EVALUATED = paths.DETAILS / "evaluate.json"


@pytest.fixture
def event_shop(own_shop: Path) -> Path:
    """Return the shop as it were of events: without the models that need ratings."""
    scale = {"low": 1.0, "high": 1.0, "step": 0.0}
    io.write_json({"implicit": 1, "scale": scale}, own_shop / paths.DETAILS / "clean.json")
    io.write_json(io.read_json(own_shop / EVALUATED) | leave_out_stars([]), own_shop / EVALUATED)
    for model in set(NEED_RATINGS) & set(STORED):
        leave_out(model, [own_shop / paths.MODELS / f"{model}.npz"])
    lock_shop(own_shop)
    return own_shop


@pytest.fixture
def number_shop(own_shop: Path) -> Path:
    """Return the shop with whole ratings from -4 to 6."""
    found = {"implicit": 0, "scale": {"low": -4.0, "high": 6.0, "step": 1.0}}
    io.write_json(found, own_shop / paths.DETAILS / "clean.json")
    lock_shop(own_shop)
    return own_shop


def test_seen_films_are_marked_with_one_button(open_page: OpenPage, event_shop: Path, tmp_path: Path) -> None:
    with serve(event_shop, tmp_path / "service.db") as address:
        page = open_page(address)
        title = shown_titles(page)[0]
        film = page.locator(".film").filter(has_text=title).first
        expect(page.get_by_role("slider")).to_have_count(0)
        with page.expect_request(re.compile("/v1/ratings$")) as sent, page.expect_response(reflects_rating()):
            film.get_by_role("button", name=f"I have seen {title}").click()
        assert "rating" not in json.loads(sent.value.post_data or "")
        mark = page.locator("#ratings").get_by_role("button", name=f"You have seen {title}")
        expect(mark).to_have_attribute("aria-pressed", "true")
        expect(mark).to_be_disabled()
        assert title not in shown_titles(page)
        user = page.evaluate("localStorage.getItem('movierec-user')")
        assert [row["rating"] for row in read_ratings(address, user)] == [1]
        page.reload()
        expect(mark).to_be_visible()


def test_other_scales_are_given_as_a_number(open_page: OpenPage, number_shop: Path, tmp_path: Path) -> None:
    with serve(number_shop, tmp_path / "service.db") as address:
        page = open_page(address)
        title = shown_titles(page)[0]
        number = page.locator(".film").filter(has_text=title).first.get_by_role("spinbutton")
        expect(number).to_have_value("")
        number.fill("7")
        number.press("Enter")  # the browser says that it is above the scale; nothing is sent
        assert number.evaluate("field => field.validity.rangeOverflow")
        number.fill("-4")
        with page.expect_response(reflects_rating()):
            number.press("Enter")
        expect(page.locator("#ratings").get_by_role("spinbutton")).to_have_value("-4")
        user = page.evaluate("localStorage.getItem('movierec-user')")
        assert [row["rating"] for row in read_ratings(address, user)] == [-4]
