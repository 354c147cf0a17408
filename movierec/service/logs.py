"""JSON lines on stderr, one a request, without ids of users or anything that a client sent but the request's id."""

import json
import logging
import sys
import traceback
from typing import Final

LOGGER: Final = logging.getLogger("movierec.service")


class JsonFormatter(logging.Formatter):
    """One JSON object a line; of an exception its type and where it was, not its message, which may quote a user."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {"time": round(record.created, 3), "level": record.levelname.lower(), "message": record.getMessage()}
        line |= getattr(record, "fields", {})
        if record.exc_info and record.exc_info[0]:
            frames = traceback.extract_tb(record.exc_info[2])
            line["error"] = record.exc_info[0].__name__
            line["traceback"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        return json.dumps(line)


def log_json() -> None:
    """Send everything that is logged, uvicorn's lines too, to stderr as JSON; its access log would name users."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    for name in (LOGGER.name, "uvicorn.error"):
        logging.getLogger(name).setLevel(logging.INFO)
