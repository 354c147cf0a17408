import asyncio
from pathlib import Path
from threading import Event

import httpx
import pytest
from anyio import from_thread

from movierec import paths
from movierec.recommender.artifacts import Artifacts, load_artifacts
from movierec.service.live import models as reload
from tests.service.clients import TOKEN, is_ready, ready, running, set_up, until
from tests.shop import lock_shop

pytestmark = pytest.mark.anyio
ADMIN = {"authorization": f"Bearer {TOKEN}"}
TUNED = paths.MODELS / "als_tuned.npz"


def replace_model(root: Path) -> None:
    """Put the plain ALS in the place of the tuned one."""
    temporary = root / "new.npz"
    temporary.write_bytes((root / paths.MODELS / "als.npz").read_bytes())
    temporary.replace(root / TUNED)
    lock_shop(root)


async def version(client: httpx.AsyncClient) -> str:
    return str((await client.get("/health/ready")).json()["model_version"])


async def test_changed_files_are_loaded_and_no_request_is_lost(own_shop: Path, tmp_path: Path) -> None:
    done = asyncio.Event()
    versions: set[str] = set()

    async def keep_asking(client: httpx.AsyncClient, first: int) -> int:
        asked = 0
        while not done.is_set():
            answer = await client.get(f"/v1/users/{first + asked % 50}/recommendations", params={"explain": True})
            assert answer.status_code == 200
            versions.add(answer.json()["model_version"])
            asked += 1
        return asked

    async with ready(set_up(own_shop, tmp_path)) as client:
        old = await version(client)
        clients = [asyncio.ensure_future(keep_asking(client, first)) for first in (1, 51, 10_001)]
        replace_model(own_shop)
        new = load_artifacts(own_shop).version

        async def serves_new() -> bool:
            return new in versions

        await until(serves_new)
        done.set()
        assert min(await asyncio.gather(*clients)) > 0
        assert versions == {old, new}
        assert await version(client) == new


async def test_new_models_answer_at_once_and_not_from_the_old_cache(own_shop: Path, tmp_path: Path) -> None:
    async with ready(set_up(own_shop, tmp_path, api_token=TOKEN, reload_interval_s=3600)) as client:
        before = (await client.get("/v1/users/1/recommendations")).json()
        assert (await client.post("/admin/reload", headers=ADMIN)).json() == {
            "model_version": before["model_version"],
            "changed": False,
        }
        replace_model(own_shop)
        changed = (await client.post("/admin/reload", headers=ADMIN)).json()
        assert changed["changed"]
        after = (await client.get("/v1/users/1/recommendations")).json()
        assert after["model_version"] == changed["model_version"] != before["model_version"]
        assert after["items"] != before["items"]
        figures = (await client.get("/metrics")).text
        assert f'movierec_model_info{{champion="als_tuned",version="{after["model_version"]}"}} 1.0' in figures
        assert before["model_version"] not in figures


async def test_damaged_model_is_not_taken_and_the_old_one_serves_on(own_shop: Path, tmp_path: Path) -> None:
    async with ready(set_up(own_shop, tmp_path, api_token=TOKEN)) as client:
        old, content = await version(client), (own_shop / TUNED).read_bytes()
        (own_shop / TUNED).write_bytes(content[:-100])

        async def problem_is_told() -> bool:
            return (await client.get("/health/ready")).json()["problem"] is not None

        await until(problem_is_told)
        refused = await client.post("/admin/reload", headers=ADMIN)
        assert refused.status_code == 409
        assert refused.json()["detail"].startswith("models/als_tuned.npz is not what dvc.lock names")
        assert (await client.get("/v1/users/1/recommendations")).json()["model_version"] == old
        assert 'movierec_reloads_total{result="failed"}' in (await client.get("/metrics")).text
        (own_shop / TUNED).write_bytes(content)

        async def is_well() -> bool:
            return not await problem_is_told()

        await until(is_well)
        assert await version(client) == old


@pytest.mark.parametrize("damage", ["missing", "damaged"])
async def test_without_models_it_lives_and_waits_for_them(own_shop: Path, tmp_path: Path, damage: str) -> None:
    content = (own_shop / TUNED).read_bytes()
    (own_shop / TUNED).unlink()
    if damage == "damaged":
        (own_shop / TUNED).write_bytes(b"PK")
    async with running(set_up(own_shop, tmp_path)) as (_, client):

        async def reason_is_told() -> bool:
            return "models/als_tuned.npz" in (await client.get("/health/ready")).json()["detail"]

        await until(reason_is_told)
        answer = await client.get("/v1/users/1/recommendations")
        assert answer.status_code == 503
        assert str(own_shop) not in answer.text
        assert (await client.get("/health/live")).status_code == 200
        (own_shop / TUNED).write_bytes(content)
        await until(lambda: is_ready(client))


async def test_watcher_outlives_a_defect(
    own_shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Path) -> Artifacts:
        raise ZeroDivisionError

    monkeypatch.setattr(reload, "load_artifacts", fail)
    async with running(set_up(own_shop, tmp_path)) as (_, client):

        async def failure_is_told() -> bool:
            return "internal error" in (await client.get("/health/ready")).json()["detail"]

        await until(failure_is_told)
        assert "models not loaded" in caplog.text
        monkeypatch.undo()
        lock_shop(own_shop)
        await until(lambda: is_ready(client))


async def test_rating_posted_while_new_models_load_is_reflected(
    own_shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, started = Event(), asyncio.Event()

    def load_slowly(root: Path) -> Artifacts:
        from_thread.run_sync(started.set)
        assert go_on.wait(60)
        return load_artifacts(root)

    async with ready(set_up(own_shop, tmp_path, api_token=TOKEN, reload_interval_s=3600)) as client:
        monkeypatch.setattr(reload, "load_artifacts", load_slowly)
        replace_model(own_shop)
        loading = asyncio.ensure_future(client.post("/admin/reload", headers=ADMIN))
        await started.wait()
        rating = {"user_id": 99_999, "movie_id": 1, "rating": 5}
        assert (await client.post("/v1/ratings", json=rating, headers=ADMIN)).status_code == 201
        go_on.set()
        assert (await loading).json()["changed"]
        assert (await client.get("/v1/users/99999/recommendations")).json()["strategy"] == "folded_in"
