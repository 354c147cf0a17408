"""How long a test waits for what must happen: so long that no busy machine decides, while a failure still ends."""

import threading
import time
from collections.abc import Callable
from typing import Final

PATIENCE_S: Final = 30


def wait_until(check: Callable[[], bool], pause: Callable[[], object] | None = None) -> None:
    """Ask again and again until a check holds; fail when patience ends.

    `pause` is what is done between two looks, where more than time must pass, such as a browser's events.
    """
    end, rest = time.monotonic() + PATIENCE_S, pause or (lambda: threading.Event().wait(0.02))
    while not check():
        assert time.monotonic() < end, "it never happened"
        rest()
