import json
import re

import httpx
import pytest
from playwright.sync_api import expect

from movierec.recommender.artifacts import Artifacts
from movierec.recommender.scorer import INTERVAL_COVERAGE
from movierec.service.api.page import STATIC
from tests.service.page.browsing import (
    OVERFLOW,
    OpenPage,
    rate_by_keyboard,
    refuse,
    well_known,
)
from tests.waiting import PATIENCE_S

LARGEST_BYTES = 47_000


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


def test_title_is_text_whatever_it_holds(open_page: OpenPage) -> None:
    title = "<img src=x onerror=alert(1)> & Co, The"
    movie = {"movie_id": 1, "title": title, "year": None, "genres": [], "ratings": 0, "mean": None}
    found = json.dumps({"items": [{"movie": movie, "similarity": 1}]})
    page = open_page(prepare=refuse(r"/v1/movies\?", status=200, body=found, content_type="application/json"))
    page.get_by_role("combobox", name="Film title").fill("img")
    expect(page.get_by_role("listbox").get_by_role("option")).to_contain_text("The <img src=x onerror=alert(1)> & Co")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_readable_and_touchable(open_page: OpenPage, artifacts: Artifacts, scheme: str, width: int) -> None:
    page = open_page(width=width, color_scheme=scheme, is_mobile=width == 390)
    rate_by_keyboard(page, well_known(artifacts, 1)[0], 9)
    expect(page.locator("details[open]").first).to_be_visible()
    page.get_by_role("combobox", name="Film title").fill(artifacts.catalogue.at(0).title)
    expect(page.get_by_role("listbox").get_by_role("option").first).to_be_visible()
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 50
    assert [part for part in contrasts if part[1] < 4.5] == []
    assert page.evaluate(SMALL_TARGETS) == []
    assert page.evaluate(OVERFLOW) <= 0
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(22, 21, 26)") == (scheme == "dark")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_a_band_shows_where_the_stars_lie_and_says_so(open_page: OpenPage, scheme: str, width: int) -> None:
    page = open_page(width=width, color_scheme=scheme)
    with page.expect_response(re.compile("/users/1/recommendations")) as answer:
        page.get_by_label("User", exact=True).fill("1")
        page.get_by_role("button", name="Show").click()
    first = answer.value.json()["items"][0]
    low, stars, high = (first[name] for name in ("low", "predicted_rating", "high"))
    guess = page.locator(".film .guess").first
    expect(guess).to_have_text(re.compile(f"★ {stars:.1f}"))
    told = f"stars expected; {10 * INTERVAL_COVERAGE:g} in 10 such films get {low:.1f} to {high:.1f}"
    band = guess.get_by_role("img", name=told)
    expect(band).to_be_visible()
    place = "(band, part) => parseFloat(getComputedStyle(band, part).left) / band.clientWidth * 5"
    assert band.evaluate(place, "::before") == pytest.approx(low, abs=0.02)
    assert band.evaluate(place, "::after") == pytest.approx(stars, abs=0.1)
    paint = "(band) => [getComputedStyle(band, '::before').backgroundColor, getComputedStyle(band).backgroundColor]"
    assert len(set(band.evaluate(paint))) == 2
    assert page.evaluate(OVERFLOW) <= 0


def test_small_and_without_inline_code() -> None:
    files = [path for path in STATIC.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) < LARGEST_BYTES
    html = (STATIC / "index.html").read_text()
    assert not re.search(r"<style|style=|\son\w+=|<script(?![^>]*\ssrc=)|javascript:", html)
    text = "".join(path.read_text() for path in files)
    assert set(re.findall(r"https?://[^\s'\"]+", text)) == {"http://www.w3.org/2000/svg"}
    assert "innerHTML" not in text


def test_files_are_revalidated_and_nothing_else_is_served(address: str) -> None:
    with httpx.Client(base_url=address, timeout=PATIENCE_S) as client:
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
