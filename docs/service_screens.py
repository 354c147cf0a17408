"""Takes docs/img/service-*.png in Chromium: the page with the films of ml-latest-small, built in a clone of HEAD."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import requests
from playwright.sync_api import Browser, sync_playwright

from docs.screens import IMAGES, save_picture, wait_until_ready
from movierec.errors import MovierecError, run_command

DATASET: Final = "ml-latest-small"
SIZES: Final = {1280: 960, 390: 844}  # width and height of the window, in pixels
USER: Final = 1_000_000_000  # the page's first number for a new user
GIVEN: Final = {2571: 4.5, 1: 3.5, 1197: 5.0}  # The Matrix, Toy Story, The Princess Bride
LAST: Final = "Spirited Away"  # rated on the page, so that it shows what moved
PATIENCE_MS: Final = 60_000


def main() -> None:
    """Build, serve and take both pictures."""
    with TemporaryDirectory(prefix="movierec-screens-") as folder:
        clone = Path(folder)
        run("git", "clone", "--quiet", ".", folder)
        run(sys.executable, "-m", "dvc", "exp", "run", "--set-param", f"dataset={DATASET}", "evaluate", cwd=clone)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        database = {"MOVIEREC_DATABASE_URL": f"sqlite:///{clone / 'page.sqlite'}"}
        command = [str(Path(sys.executable).with_name("movierec")), "serve", "--port", str(port), "--root", folder]
        with subprocess.Popen(command, env=os.environ | database, stderr=subprocess.DEVNULL) as server:
            try:
                wait_until_ready(f"http://127.0.0.1:{port}/health/ready")
                take_pictures(f"http://127.0.0.1:{port}")
            finally:
                server.terminate()


def run(*command: str, cwd: Path = Path()) -> None:
    """Run a command to its end."""
    path = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    if subprocess.run(command, cwd=cwd, env=os.environ | path, check=False).returncode != 0:
        raise MovierecError(f"`{' '.join(command)}` failed")


def take_pictures(address: str) -> None:
    """Rate as a new user who sees the page in each size, and store what is in the window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for user, width in enumerate(SIZES, USER):
            for movie_id, stars in GIVEN.items():
                rating = {"user_id": user, "movie_id": movie_id, "rating": stars}
                requests.post(f"{address}/v1/ratings", json=rating, timeout=60).raise_for_status()
            take_picture(browser, address, user, width)
        browser.close()


def take_picture(browser: Browser, address: str, user: int, width: int) -> None:
    """Rate one more film on the page, open the first two lists of reasons, and store the picture."""
    page = browser.new_page(viewport={"width": width, "height": SIZES[width]})
    page.set_default_timeout(PATIENCE_MS)
    page.add_init_script(f"localStorage.setItem('movierec-user', {user})")
    page.goto(address)
    page.locator(".list details").first.wait_for()
    page.locator("#query").fill(LAST)
    page.get_by_role("listbox").get_by_role("option").filter(has_text=LAST).first.click()
    for _ in range(9):
        page.keyboard.press("ArrowRight")
    with page.expect_response(lambda response: "/recommendations" in response.url):
        page.keyboard.press("Enter")
    page.wait_for_load_state("networkidle")
    page.evaluate("document.querySelectorAll('.list details').forEach((each, n) => { each.open = n < 2; })")
    page.evaluate("document.activeElement.blur()")
    page.evaluate("document.fonts.ready")
    if width == min(SIZES):
        page.evaluate("document.querySelector('#results').scrollIntoView(); window.scrollBy(0, -12)")
    save_picture(page, IMAGES / f"service-{width}.png")
    page.close()


if __name__ == "__main__":
    run_command(main)
