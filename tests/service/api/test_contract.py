"""schemathesis against the OpenAPI contract: its whole engine, every check, the same cases each time."""

import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema
from schemathesis.python import asgi

from movierec.service.app import create_app
from tests.service.clients import EXPERIMENT, TOKEN, set_up

EXAMPLES = 30
LEAST_CASES = 1_000  # of each of the three runs, and so 3,000 in all
RIGHT = {"headers": {"Authorization": f"Bearer {TOKEN}"}}
CONFIG = {
    "seed": 42,
    "workers": 1,
    "generation": {"deterministic": True, "database": "none", "max-examples": EXAMPLES},
}


def start_app(shop: Path, tmp_path: Path, token: str | None) -> FastAPI:
    """Make an app and wait until it is ready; schemathesis ends it after the test."""
    settings = set_up(shop, tmp_path, api_token=token, rate_limit=0, experiment=EXPERIMENT, serve_experiment=True)
    app = create_app(settings)
    protocol: Any = app  # of which schemathesis has types of its own
    deadline_s = time.monotonic() + 60
    with asgi.get_client(protocol) as client:
        while client.get("http://testserver/health/ready").status_code != 200:
            assert time.monotonic() < deadline_s
    return app


def explore(app: FastAPI, config: dict[str, Any]) -> tuple[Counter[int], set[str]]:
    """Send every case; return how many had which status, and what broke the contract."""
    schema = schemathesis.openapi.from_asgi("/openapi.json", app, config=SchemathesisConfig.from_dict(config))
    statuses: Counter[int] = Counter()
    broken = set()
    for event in from_schema(schema).execute():
        assert not isinstance(event, events.NonFatalError | events.FatalError), event
        if not isinstance(event, events.ScenarioFinished):
            continue
        recorder = event.recorder
        statuses.update(answer.response.status_code for answer in recorder.interactions.values() if answer.response)
        failures = (check.failure_info for checks in recorder.checks.values() for check in checks if check.failure_info)
        broken |= {
            f"{recorder.label}: {one.failure.title}: {one.failure.message}: {one.code_sample}" for one in failures
        }
        assert event.status != Status.ERROR, recorder.label
    return statuses, broken


@pytest.mark.parametrize(
    ("token", "sent", "expected"),
    [
        pytest.param(None, {}, {200, 201, 400, 403, 404, 405, 409, 422}, id="open"),
        pytest.param(TOKEN, RIGHT, {200, 201, 400, 404, 405, 409, 422}, id="right token"),
        pytest.param(TOKEN, {}, {200, 401, 404, 405, 422}, id="wrong or no token"),
    ],
)
def test_no_case_breaks_the_contract(
    shop: Path, tmp_path: Path, token: str | None, sent: dict[str, Any], expected: set[int]
) -> None:
    statuses, broken = explore(start_app(shop, tmp_path, token), CONFIG | sent)
    assert broken == set()
    assert statuses.total() >= LEAST_CASES
    assert expected <= set(statuses)
    assert max(statuses) < 500


def test_a_broken_contract_is_found(shop: Path, tmp_path: Path) -> None:
    app = start_app(shop, tmp_path, None)
    app.router.routes.clear()
    app.add_api_route("/openapi.json", app.openapi, include_in_schema=False)

    @app.get("/broken")
    def divide(number: int) -> float:
        return number / 0

    statuses, broken = explore(app, CONFIG)
    assert 500 in statuses
    assert any(one.startswith("GET /broken: Server error") for one in broken)
