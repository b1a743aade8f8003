"""Print a bench's figures beside their limits, and fail if one is missed."""

from __future__ import annotations

import argparse
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field


def heading(title: str) -> None:
    """Print what is measured, on which machine, and its load before the bench began."""
    load = ", ".join(f"{average:.2f}" for average in os.getloadavg())
    print(f"{title}\n{os.cpu_count()} cores, Python {platform.python_version()}, load {load}\n")


def positive(text: str) -> int:
    """Parse a number of rounds for argparse: at least one."""
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than one")
    return number


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def median_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the median of each round's ratio: what slows a whole round cancels out."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


@dataclass
class Figures:
    """Prints figures; one with a limit gets a verdict."""

    missed: list[str] = field(default_factory=list)

    def line(self, name: str, value: str, note: str = "") -> None:
        print(f"{name:<44}{value:>16}   {note}".rstrip(), flush=True)

    def at_least(self, name: str, value: float, limit: float, spec: str = "{:,.2f}") -> None:
        self._limit(name, spec.format(value), f"at least {spec.format(limit)}", value >= limit)

    def at_most(self, name: str, value: float, limit: float, spec: str = "{:,.2f}") -> None:
        self._limit(name, spec.format(value), f"at most {spec.format(limit)}", value <= limit)

    def _limit(self, name: str, value: str, limit: str, kept: bool) -> None:
        self.line(name, value, f"{limit}: {'kept' if kept else 'MISSED'}")
        if not kept:
            self.missed.append(f"{name}: {value}, the limit is {limit}")

    def verdict(self) -> None:
        """End the bench, with status 1 if a limit was missed."""
        if self.missed:
            print("\nMissed:", *self.missed, sep="\n  ")
            raise SystemExit(1)
        print("\nEvery limit was kept.")
