"""Count the steps that a function takes, to show that its work grows no faster than its input.

Seconds would say as much about the machine. A step is a line of Python that ran.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def count_steps(function: Callable[[], object]) -> int:
    """Return how many lines of Python run in a call of the function."""
    steps = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal steps
        steps += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(before)
    return steps


def growth(function: Callable[[int], object], size: int) -> float:
    """Return the steps of `function(2 * size)` as a multiple of those of `function(size)`."""
    return count_steps(lambda: function(2 * size)) / count_steps(lambda: function(size))


def assert_steps_are_bounded(
    function: Callable[[str], object], unit: str, *, length: int = 2000, per_character: int = 40
) -> None:
    """Fail if a text of this length, made of the unit, takes too many steps for each character."""
    text = (unit * length)[:length]
    assert count_steps(lambda: function(text)) < per_character * length, unit
