"""Time the planning of an audience, and measure the memory it takes in Python.

    make bench-plan N=1000000

The list of readers has been there for a while. Each round plans two new editions: one for all
readers at the same time, and one by their own clocks, of six zones.
"""

from __future__ import annotations

import argparse
import time

import psutil

from bench import servers
from bench.figures import Figures, heading, median, positive

SECONDS_PER_MILLION = 15
MEMORY_MB = 20


def run_plan_bench() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--readers", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--rounds", type=positive, default=3)
    options = parser.parse_args()
    heading(f"Planning an edition for {options.readers:,} readers")
    figures = Figures()
    with servers.production_services("smtp://127.0.0.1:9"):
        found = _measure(options, figures)
    limit = SECONDS_PER_MILLION * options.readers / 1_000_000
    for clock, rounds in found.items():
        took = median([seconds for seconds, _ in rounds])
        figures.line(f"rows, by the {clock} clock", f"{options.readers / took:,.0f}/s")
        figures.at_most(f"planning by the {clock} clock", took, limit, "{:,.1f} s")
        grew = max(mb for _, mb in rounds)
        figures.at_most("more memory in Python", grew, MEMORY_MB, "{:,.1f} MB")
    figures.verdict()


def _measure(options: argparse.Namespace, figures: Figures) -> dict[str, list[tuple[float, float]]]:
    """Return each round's seconds and MB, by whose clock counts; the two clocks take turns."""
    from bench import edition as editions

    newsletter = editions.add_newsletter()
    figures.line("import (COPY)", f"{editions.add_readers(newsletter, options.readers):,.1f} s")
    found: dict[str, list[tuple[float, float]]] = {"newsroom's": [], "readers'": []}
    for number in range(1, options.rounds + 1):
        for clock, rounds in found.items():
            edition = editions.add_approved_edition(newsletter)
            if clock == "readers'":
                editions.by_readers_clocks(edition)
            rounds.append(measure_planning(edition.pk, options.readers))
            figures.line(f"round {number}, {clock} clock", "{:,.1f} s".format(*rounds[-1]))
    return found


def measure_planning(edition_id: int, readers: int) -> tuple[float, float]:
    """Plan the edition in this process; return seconds, and by how many MB the process grew."""
    from bench import edition as editions
    from digest.models import Delivery

    servers.reset_peak()
    before = servers.peak_mb(psutil.Process())
    began = time.perf_counter()
    editions.plan_readers(edition_id)
    seconds = time.perf_counter() - began
    grew = servers.peak_mb(psutil.Process()) - before
    assert Delivery.objects.filter(edition=edition_id).count() == readers
    return seconds, grew


if __name__ == "__main__":
    run_plan_bench()
