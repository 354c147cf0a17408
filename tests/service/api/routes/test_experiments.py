import httpx
import pytest

from movierec.service.experiments import assign_arm
from movierec.service.settings import ARMS
from tests.service.clients import EXPERIMENT

pytestmark = pytest.mark.anyio
NAME = EXPERIMENT.name


@pytest.mark.parametrize("count", [0, 1001])
async def test_batches_have_bounds(client: httpx.AsyncClient, count: int) -> None:
    pairs = [{"user_id": 1, "movie_id": 1}] * count
    assert (await client.post("/v1/predictions", json={"pairs": pairs})).status_code == 422
    events = [{"user_id": 1, "movie_id": 1, "kind": "click", "experiment": NAME}] * count
    assert (await client.post("/v1/events", json={"events": events})).status_code == 422


async def test_experiment_assigns_counts_and_reports(client: httpx.AsyncClient) -> None:
    events = []
    for user_id in range(1, 61):
        assigned = (await client.get(f"/v1/experiments/{NAME}/assignment", params={"user_id": user_id})).json()
        assert assigned == {"experiment": NAME, "user_id": user_id, "arm": assign_arm(NAME, user_id, *ARMS)}
        kinds = ["impression"] + ["click"] * (assigned["arm"] == "treatment" and user_id % 3 > 0)
        event = {"user_id": user_id, "movie_id": 1, "experiment": NAME}
        events += [{**event, "kind": kind, "key": f"{user_id}-{kind}"} for kind in kinds]
    for accepted in (len(events), 0):
        assert (await client.post("/v1/events", json={"events": events})).json() == {"accepted": accepted}
    report = (await client.get(f"/v1/experiments/{NAME}/results")).json()
    assert report["arms"]["control"]["n"] + report["arms"]["treatment"]["n"] == 60
    assert report["arms"]["control"]["mean"] == 0
    assert 0.5 < report["arms"]["treatment"]["mean"] < 0.8


async def test_results_before_any_event_say_so(client: httpx.AsyncClient) -> None:
    report = (await client.get(f"/v1/experiments/{NAME}/results")).json()
    assert report["verdict"]["decision"] == "keep running"


async def test_other_experiments_are_not_found(client: httpx.AsyncClient) -> None:
    for route in ("other/assignment?user_id=1", "other/results"):
        answer = await client.get(f"/v1/experiments/{route}")
        assert answer.status_code == 404
        assert NAME in answer.json()["detail"]
    event = {"user_id": 1, "movie_id": 1, "kind": "click", "experiment": "other"}
    assert (await client.post("/v1/events", json={"events": [event]})).status_code == 404
