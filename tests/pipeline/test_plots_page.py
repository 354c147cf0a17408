"""The committed page of `dvc plots show` and `dvc plots diff` draws every plot without a network."""

import html
import json
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import matplotlib.image
import numpy as np
import pytest
from dvc_render.vega import VegaRenderer  # type: ignore[import-untyped]

ROOT = Path(__file__).parents[2]
PAGE = ROOT / ".dvc" / "plots" / "page.html"
CHARTS = {"curve", "curves", "bars", "trials", "cloud"}
DVC_YAML = """
plots:
  - curve: {x: epoch, y: {curve.csv: rmse}}
  - curves: {template: lines, x: epoch, y: {curve.csv: [rmse, mae]}}
  - bars: {template: bar_horizontal, x: rmse, y: {tune.csv: configuration}}
  - trials: {template: dots, x: rmse, y: {tune.csv: configuration}}
  - cloud: {template: scatter, x: epoch, y: {curve.csv: mae}}
  - picture.png
"""
PROBE = """<script>addEventListener("load", () => setTimeout(() => {
  const found = [...document.querySelectorAll("main > div")].map((card) => ({
    id: card.id,
    marks: card.querySelectorAll("svg .role-mark path").length,
    width: card.querySelector("svg.marks")?.clientWidth,
    card: card.clientWidth,
    images: [...card.querySelectorAll("img")].map((image) => [image.naturalWidth, image.alt]),
  }));
  const report = document.createElement("pre");
  report.id = "probe";
  report.textContent = JSON.stringify(found);
  document.body.append(report);
}, 1000));</script>"""


class Sources(HTMLParser):
    """Collects every address that a page loads by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        loading = {"src", "srcset", "data", "poster"} | ({"href"} if tag in {"link", "base"} else set())
        self.found += [value or "" for name, value in attrs if name in loading]


def sources(page: Path) -> list[str]:
    parser = Sources()
    parser.feed(page.read_text("utf-8"))
    return parser.found


def write_plots(repo: Path, shift: float) -> None:
    rows = [f"{epoch},{1 / epoch + shift},{0.8 / epoch + shift}" for epoch in range(1, 6)]
    (repo / "curve.csv").write_text("\n".join(["epoch,rmse,mae", *rows]))
    (repo / "tune.csv").write_text(f"configuration,rmse\nbaseline,{0.9 + shift}\nmore_factors,{0.88 + shift}\n")
    matplotlib.image.imsave(repo / "picture.png", np.full((30, 40), shift), vmin=0, vmax=1)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("settings")
    settings = {f"DVC_{name}_DIR": str(folder / name) for name in ("GLOBAL_CONFIG", "SYSTEM_CONFIG", "SITE_CACHE")}
    person = {f"GIT_{who}_{what}": "test" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    return {**os.environ, **settings, **person, "DVC_NO_ANALYTICS": "1"}


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Path:
    """Return a repository of two commits that has this project's DVC settings and a few plots."""
    repo = tmp_path_factory.mktemp("repo")
    for name in ("config", ".gitignore"):
        (repo / ".dvc").mkdir(exist_ok=True)
        shutil.copy(ROOT / ".dvc" / name, repo / ".dvc" / name)
    shutil.copytree(PAGE.parent, repo / ".dvc" / "plots")
    (repo / "dvc.yaml").write_text(DVC_YAML)
    subprocess.run(["git", "init", "--quiet"], cwd=repo, env=environment, check=True)
    for shift in (0.0, 0.5):
        write_plots(repo, shift)
        subprocess.run(["git", "add", "."], cwd=repo, env=environment, check=True)
        subprocess.run(["git", "commit", "--quiet", "-m", f"shift {shift}"], cwd=repo, env=environment, check=True)
    return repo


@pytest.fixture(scope="module", params=[["show"], ["diff", "HEAD~1"]], ids=["show", "diff"])
def page(repo: Path, environment: dict[str, str], request: pytest.FixtureRequest) -> Path:
    out = f"page_{request.param[0]}"
    command = [sys.executable, "-m", "dvc", "plots", *request.param, "--out", out]
    subprocess.run(command, cwd=repo, env=environment, check=True, capture_output=True)
    return repo / out / "index.html"


def look(browser: str, page: Path, profile: Path, width: int) -> list[dict[str, Any]]:
    """Return what a browser without a network shows: one record a card of the page."""
    probed = page.with_name("probed.html")
    probed.write_text(page.read_text("utf-8") + PROBE, "utf-8")
    flags = ["headless", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "disable-quic", "no-first-run"]
    flags += ["disable-background-networking", "disable-component-update", "disable-sync", f"user-data-dir={profile}"]
    flags += ["host-resolver-rules=MAP * ~NOTFOUND", f"window-size={width},900", "virtual-time-budget=5000", "dump-dom"]
    command = [browser, *(f"--{flag}" for flag in flags), probed.as_uri()]
    dom = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    report = re.search(r'<pre id="probe">(.*?)</pre>', dom, re.DOTALL)
    assert report, f"the page's own scripts did not finish: {dom[-2000:]}"
    cards: list[dict[str, Any]] = json.loads(html.unescape(report[1]))
    return cards


def test_page_loads_nothing_remote(page: Path) -> None:
    found = sources(page)
    assert found
    assert all(re.fullmatch(r"static/[\w.~]+\.png", source) for source in found), found


def test_dvcs_own_page_would_load_vega_from_a_network(repo: Path, environment: dict[str, str]) -> None:
    own = repo / "own.html"
    own.write_text("<html>{scripts}{plot_divs}</html>")
    command = [sys.executable, "-m", "dvc", "plots", "show", "--html-template", str(own), "--out", "own"]
    subprocess.run(command, cwd=repo, env=environment, check=True, capture_output=True)
    remote = [source for source in sources(repo / "own" / "index.html") if source.startswith("https:")]
    assert len(remote) == 3


def test_page_carries_the_versions_that_dvc_asks_for() -> None:
    asked = re.findall(r"npm/([\w-]+)@([\d.]+)", VegaRenderer.SCRIPTS)
    assert [name for name, _ in asked] == ["vega", "vega-lite", "vega-embed"]
    assert re.findall(r"<!-- ([\w-]+) ([\d.]+) -->", PAGE.read_text("utf-8")) == asked


def test_page_keeps_the_licences() -> None:
    text = PAGE.read_text("utf-8")
    for phrase in ("University of Washington Interactive Data Lab", "Mike Bostock", "Redistributions in binary form"):
        assert phrase in text


@pytest.mark.parametrize("width", [1280, 390])
def test_browser_without_network_draws_every_plot(page: Path, chromium: str, tmp_path: Path, width: int) -> None:
    cards = {card["id"]: card for card in look(chromium, page, tmp_path, width)}
    assert set(cards) == CHARTS | {"picture_png"}
    for name in CHARTS:
        assert cards[name]["marks"] > 0, name
        assert 0.8 * cards[name]["card"] < cards[name]["width"] <= cards[name]["card"], name
    revisions = ["workspace", "HEAD~1"] if page.parent.name == "page_diff" else ["workspace"]
    assert cards["picture_png"]["images"] == [[40, f"picture.png ({revision})"] for revision in revisions]
