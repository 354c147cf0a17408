"""Which tests one worker runs together: a file's, or a folder's that share something costly.

pytest-xdist's own groups (`xdist_group`) do nothing under pytest 9.2, so two workers would
each start a Spark cluster, a PostgreSQL and a server of MLflow.
"""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

TOGETHER = ("tests/pipeline/tracking", "tests/spark", "tests/tracking/registry", "tests/service/storage")
FIRST = ("tests/pipeline/test_commands.py", "tests/pipeline", *TOGETHER)  # the longest


def find_unit(node_id: str) -> str:
    """Return the folder or the file whose tests run in one worker, as one unit of work."""
    path = node_id.partition("::")[0]
    return next((unit for unit in TOGETHER if path.startswith(unit)), path)


class UnitScheduling(LoadScopeScheduling):  # type: ignore[misc] # xdist has no types
    """Hand out units of work; a worker that is nearly done gets the next."""

    def _split_scope(self, nodeid: str) -> str:
        return find_unit(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Distribute by units, whatever `--dist` says."""
    return UnitScheduling(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest units, so that no worker is left with one at the end."""
    items.sort(key=lambda item: next((n for n, path in enumerate(FIRST) if item.nodeid.startswith(path)), len(FIRST)))
