"""schemathesis against the OpenAPI contract: its whole engine, every check, the same cases each time."""

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
from movierec.service.storage.records import LATEST
from tests.service.clients import EXPERIMENT, TOKEN, set_up
from tests.waiting import wait_until

EXAMPLES = 30
TODAY = 1_700_000_000  # s: any time that has passed
LEAST_CASES = 1_000  # of each of the three runs, and so 3,000 in all
RIGHT = {"headers": {"Authorization": f"Bearer {TOKEN}"}}
CONFIG = {
    "seed": 42,
    "workers": 1,
    "generation": {"deterministic": True, "database": "none", "max-examples": EXAMPLES},
}


def start_app(shop: Path, tmp_path: Path, token: str | None) -> FastAPI:
    """Make an app and wait until it is ready; schemathesis ends it after the test."""
    choices = {"api_token": token, "rate_limit": 0, "allowed_hosts": ["testserver"]}
    settings = set_up(shop, tmp_path, **choices, experiment=EXPERIMENT, serve_experiment=True)
    app = create_app(settings)
    rating = app.openapi()["components"]["schemas"]["RatingIn"]  # which ratings there are, only the data says
    rating["properties"]["rating"] = {"type": "number", "minimum": 0.5, "maximum": 5, "multipleOf": 0.5}
    rating["required"].append("rating")
    protocol: Any = app  # of which schemathesis has types of its own
    with asgi.get_client(protocol) as client:
        wait_until(lambda: bool(client.get("http://testserver/health/ready").status_code == 200))
    return app


def is_ahead(body: Any) -> bool:
    """Return whether a body has a time in range but ahead of today: that these are refused, JSON Schema cannot say."""
    rows = body.get("events", [body]) if isinstance(body, dict) else []
    times = [row.get("timestamp") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return any(isinstance(time, int | float) and TODAY < time <= LATEST for time in times)


def explore(app: FastAPI, config: dict[str, Any]) -> tuple[Counter[int], set[str]]:
    """Send every case; return how many had which status, and what broke the contract; a history outlives its movie."""
    schema = schemathesis.openapi.from_asgi("/openapi.json", app, config=SchemathesisConfig.from_dict(config))
    statuses: Counter[int] = Counter()
    broken = set()
    for event in from_schema(schema).execute():
        assert not isinstance(event, events.NonFatalError | events.FatalError), event
        if not isinstance(event, events.ScenarioFinished):
            continue
        recorder = event.recorder
        statuses.update(answer.response.status_code for answer in recorder.interactions.values() if answer.response)
        failed = ((case, check.failure_info) for case, checks in recorder.checks.items() for check in checks)
        failures = [(recorder.cases[case].value, info) for case, info in failed if info]
        broken |= {
            f"{recorder.label}: {info.failure.title}: {info.failure.message}: {info.code_sample}"
            for case, info in failures
            if not (info.failure.title == "Schema-valid request rejected" and is_ahead(case.body))
            if not (info.failure.title == "Deleted resource still available" and case.path.endswith("/history"))
        }
        assert event.status != Status.ERROR, recorder.label
    return statuses, broken


@pytest.mark.parametrize(
    ("token", "sent", "expected"),
    [
        pytest.param(None, {}, {200, 201, 403, 404, 405, 409, 422}, id="open"),
        pytest.param(TOKEN, RIGHT, {200, 201, 404, 405, 409, 422}, id="right token"),
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
