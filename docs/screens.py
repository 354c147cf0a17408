"""Takes docs/img/mlflow-*.png in Chromium: docs/tracking.md's pictures of the tracked runs; first `make repro`."""

import json
import shutil
import socket
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import requests
from PIL import Image
from playwright.sync_api import Page, sync_playwright
from urllib3.util import Retry

from movierec.errors import MovierecError, run_command
from movierec.tracking.mirror import Mirror, connect, tracking_database

IMAGES = Path(__file__).parent / "img"
WIDTH, HEIGHT, TALL = 1280, 560, 860
COLOURS = 128
DRAWING_MS = 8000  # MLflow's pages draw long after they have loaded
COLUMNS = [f"metrics.`{name}`" for name in ("rmse", "mae", "ndcg_at_10", "coverage_at_10")] + ["params.`factors`"]


def main() -> None:
    """Start MLflow's page on a free port, and take three pictures of it."""
    mirror = Mirror(*connect())
    experiment = mirror.experiment_id
    runs = {run.info.run_name: run.info.run_id for run in mirror.find_runs()}
    if "train_svd" not in runs:
        raise MovierecError("no run is tracked: run `make repro`")
    found = "searchFilter=tags.dvc.stage%20%3D%20%27evaluate%27&orderByKey=metrics.%60rmse%60&orderByAsc=true"
    pages = {
        "runs": f"experiments/{experiment}/runs?{found}",
        "curve": f"experiments/{experiment}/runs/{runs['train_svd']}/model-metrics",
        "registry": "models/movie-recommender",
    }
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "ui", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{tracking_database()}"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            wait_until_ready(f"http://127.0.0.1:{port}")
            take_pictures(f"http://127.0.0.1:{port}/#/", pages, experiment)
        finally:
            server.terminate()


def wait_until_ready(address: str) -> None:
    """Ask for the page until it is there, for two minutes at most."""
    tries = 60
    retries = Retry(
        None, connect=tries, read=tries, status=tries, status_forcelist=[503], backoff_factor=0.1, backoff_max=2
    )
    with requests.Session() as session:
        session.mount("http://", requests.adapters.HTTPAdapter(max_retries=retries))
        session.get(address, timeout=10)


def take_pictures(address: str, pages: dict[str, str], experiment: str) -> None:
    """Open each page without MLflow's chat beside it, with columns that matter, and store its picture."""
    stored = {
        "mlflow.assistant.fab.autoOpenedOnFirstLoad_v1": "true",
        "mlflow.assistant.panelOpen_v1": "false",
        f'MLflowLocalStorage-1.1-ExperimentPage-["{experiment}"]-ReactComponentState': json.dumps(
            {"selectedColumns": COLUMNS, "runsExpanded": {}, "viewMaximized": False}
        ),
    }
    script = "".join(f"localStorage.setItem({json.dumps(item)}, {json.dumps(stored[item])});" for item in stored)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        context = browser.new_context()
        context.add_init_script(script)
        for name, path in pages.items():
            page = context.new_page()
            page.set_viewport_size({"width": WIDTH, "height": HEIGHT if name == "runs" else TALL})
            page.goto(address + path)
            page.get_by_text("Model training", exact=True).click()
            page.goto(address + path)
            page.wait_for_timeout(DRAWING_MS)
            save_picture(page, IMAGES / f"mlflow-{name}.png")
            page.close()
        browser.close()


def save_picture(page: Page, path: Path) -> None:
    """Store what is in the window, in few colours."""
    path.parent.mkdir(exist_ok=True)
    Image.open(BytesIO(page.screenshot())).convert("RGB").quantize(COLOURS).save(path, optimize=True)


if __name__ == "__main__":
    run_command(main)
