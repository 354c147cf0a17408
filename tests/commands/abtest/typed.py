"""What the commands of `movierec abtest` print and say."""

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest

from movierec import cli

Run = Callable[..., str]


def refuse(monkeypatch: pytest.MonkeyPatch, *words: str) -> str:
    """Type a command that ends with a message of one line and, as that is no number, status 1; return the line."""
    monkeypatch.setattr(sys, "argv", ["movierec", "abtest", *words])
    with pytest.raises(SystemExit, match="^error: ") as ended:
        cli.main()
    message = str(ended.value.code)
    assert "\n" not in message
    return message


def parse(output: str) -> dict[str, Any]:
    """Parse JSON as strict as the standard: no NaN, no infinity."""

    def forbid(constant: str) -> None:
        raise ValueError(constant)

    content: dict[str, Any] = json.loads(output, parse_constant=forbid)
    return content
