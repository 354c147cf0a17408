"""The online experiment: who is in which arm, what happened, and what it says."""

from functools import partial
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, HTTPException, Path, Query

from movierec.service.api.dependencies import Dependencies, Deps, LiveNow, NeedsToken, find_movie, now_s
from movierec.service.api.problems import describe_problems
from movierec.service.api.replies import Accepted, Assignment
from movierec.service.api.schemas import EventIn, EventsIn, ExperimentName, UserId
from movierec.service.experiments import assign_arm, report_results
from movierec.service.settings import ARMS, OnlineExperiment
from movierec.service.storage.store import Event

router = APIRouter(prefix="/v1", tags=["experiments"], responses=describe_problems(422, 429))

Name = Annotated[ExperimentName, Path()]


@router.get("/experiments/{name}/assignment", responses=describe_problems(404))
async def show_assignment(name: Name, user_id: Annotated[UserId, Query()], dependencies: Deps) -> Assignment:
    """Say which arm a user belongs to: always the same one."""
    _find_experiment(dependencies, name)
    return Assignment.model_validate({"experiment": name, "user_id": user_id, "arm": assign_arm(name, user_id, *ARMS)})


@router.get("/experiments/{name}/results", responses=describe_problems(404, 503))
async def show_results(name: Name, dependencies: Deps) -> dict[str, Any]:
    """Compare the arms by the events so far, as `movierec abtest analyze --json` does."""
    rates = _find_experiment(dependencies, name).model_dump(include={"minimum_effect", "significance", "power"})
    return await to_thread.run_sync(lambda: report_results(dependencies.store.outcomes(name), *ARMS, **rates))


@router.post("/events", dependencies=[NeedsToken], responses=describe_problems(400, 401, 403, 404, 413, 503))
async def add_events(events: EventsIn, dependencies: Deps, live: LiveNow) -> Accepted:
    """Store what was shown and chosen, all or nothing; those with a key that is known already count as stored."""
    now = now_s()
    for event in events.events:
        _find_experiment(dependencies, event.experiment)
        find_movie(live.artifacts, event.movie_id)
        live.artifacts.profiles.users.find(event.user_id)  # refuses text among integers
    stored = [_complete(event, now) for event in events.events]
    return Accepted(accepted=await dependencies.write(partial(dependencies.store.add_events, stored)))


def _find_experiment(dependencies: Dependencies, name: str) -> OnlineExperiment:
    experiment = dependencies.settings.experiment
    if experiment is None or experiment.name != name:
        known = f"there is {experiment.name!r}" if experiment else "params.yaml names none that can be served"
        raise HTTPException(404, f"there is no such experiment: {known}")
    return experiment


def _complete(event: EventIn, now: int) -> Event:
    arm = assign_arm(event.experiment, event.user_id, *ARMS)
    timestamp = now if event.timestamp is None else event.timestamp
    return Event(event.user_id, event.movie_id, event.kind, event.experiment, arm, timestamp, event.key)
