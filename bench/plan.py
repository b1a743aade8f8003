"""Time the planning of an audience, and look at the memory it takes in Python.

    make bench-plan N=1000000

Planned is an edition of a list that has been there for a while; each round is another edition.
"""

from __future__ import annotations

import argparse
import time

import psutil

from bench import servers
from bench.figures import Figures, heading, median

SECONDS_PER_MILLION = 15
MEMORY_MB = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--readers", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    heading(f"Planning an edition for {asked.readers:,} readers")
    figures = Figures()
    with servers.product("smtp://127.0.0.1:9"):
        found = _measure(asked, figures)
    took = median([seconds for seconds, _ in found])
    figures.line("rows", f"{asked.readers / took:,.0f}/s")
    limit = SECONDS_PER_MILLION * asked.readers / 1_000_000
    figures.at_most("planning, median", took, limit, "{:,.1f} s")
    figures.at_most("more memory in Python", max(mb for _, mb in found), MEMORY_MB, "{:,.1f} MB")
    figures.verdict()


def _measure(asked: argparse.Namespace, figures: Figures) -> list[tuple[float, float]]:
    from bench import edition as editions

    newsletter = editions.newsletter()
    figures.line("import (COPY)", f"{editions.add_readers(newsletter, asked.readers):,.1f} s")
    found = []
    for number in range(1, asked.rounds + 1):
        found.append(measured(editions.approved(newsletter).pk, asked.readers))
        figures.line(f"round {number}", "{:,.1f} s".format(*found[-1]))
    return found


def measured(edition_id: int, readers: int) -> tuple[float, float]:
    """Plan it in this process: seconds, and by how many MB this process grew."""
    from bench import edition as editions
    from digest.models import Delivery

    servers.forget_peak()
    before = servers.peak_mb(psutil.Process())
    began = time.perf_counter()
    editions.plan_readers(edition_id)
    seconds = time.perf_counter() - began
    grew = servers.peak_mb(psutil.Process()) - before
    assert Delivery.objects.filter(edition=edition_id).count() == readers
    return seconds, grew


if __name__ == "__main__":
    main()
