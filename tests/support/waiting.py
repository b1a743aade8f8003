"""Wait for a condition, never for a fixed time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def wait_for(condition: Callable[[], Any], *, seconds: float = 30, what: str = "") -> Any:
    """Return what `condition` returns once it is true; fail after `seconds`.

    In a page, `page.evaluate` is a condition. Playwright's own `wait_for_function` is not used: if
    its first look fails it compiles the text again inside the page, whose policy may forbid that.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if result := condition():
            return result
        time.sleep(0.02)
    raise AssertionError(f"waited {seconds} s for {what or condition}, which did not come")
