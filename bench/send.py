"""Send a digest through real workers to smtp-sink; compare with smtp-source and plain Django.

    make bench-send N=100000
    make bench-scale

Each round measures three senders in this order, with messages of the same size to the same sink:

1. the product with claims and ledger, from the first claim to the last record;
2. smtp-source, Postfix's own load generator, with as many sessions;
3. a plain Django loop.

A ratio compares figures of the same round. Several sizes take turns, because a machine's speed
changes from minute to minute; a million is sent only once, about the middle. With several sizes
the bench compares their rates with each other.
"""

from __future__ import annotations

import argparse
import subprocess
import time
from dataclasses import dataclass, field
from typing import Any

from bench import servers
from bench.figures import Figures, heading, median, median_ratio, positive

MEMORY_MB = 120
MILLION = 1_000_000
PER_SOURCE, PER_PLAIN = 20_000, 2_000
SECONDS_PER_MILLION, PLAN_SECONDS_PER_MILLION = 300, 15


@dataclass
class SizeResults:
    """The rounds of one list size; rates are in messages per second."""

    readers: int
    newsletter: Any
    ours: list[float] = field(default_factory=list)
    source: list[float] = field(default_factory=list)
    plain: list[float] = field(default_factory=list)
    plan_seconds: list[float] = field(default_factory=list)
    plan_mb: list[float] = field(default_factory=list)
    cpu: dict[str, list[float]] = field(default_factory=dict)


def run_send_bench() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--readers", type=int, nargs="+", default=[100_000], metavar="N")
    parser.add_argument("--rounds", type=positive, default=3, help="a million has one")
    parser.add_argument(
        "--processes", type=int, default=2, metavar="N", help="each with a connection"
    )
    asked = parser.parse_args()
    heading(f"A digest of 45 KB to smtp-sink, {asked.processes} worker processes, medians")
    figures = Figures()
    with servers.smtp_sink() as sink:
        relay = f"smtp://127.0.0.1:{sink.port}?connections={asked.processes}"
        with (
            servers.production_services(relay),
            servers.workers("delivery", processes=asked.processes) as pool,
        ):
            _warm_up(sink)
            found = [_imported(count, figures) for count in asked.readers]
            for number in range(1, asked.rounds + 1):
                for one in found:
                    if one.readers < MILLION or number == (asked.rounds + 1) // 2:
                        _round(one, number, sink, pool, figures)
            print()
            for one in found:
                _report(one, figures, asks_rates=len(found) == 1)
            _memory(figures, pool)
    if len(found) > 1:
        rates = [median(one.ours) for one in found]
        spread = max(rates) / min(rates) - 1
        figures.at_most("between the sizes' rates", 100 * spread, 15, "{:,.0f} %")
    figures.verdict()


def _warm_up(sink: servers.Sink) -> None:
    """Send a few messages first, as a worker that has been up for a while has."""
    from bench import edition as editions

    newsletter = editions.add_newsletter()
    editions.add_readers(newsletter, 400)
    _send(editions.add_planned_edition(newsletter), 400, sink)


def _imported(readers: int, figures: Figures) -> SizeResults:
    from bench import edition as editions

    newsletter = editions.add_newsletter()
    seconds = editions.add_readers(newsletter, readers)
    figures.line("import (COPY)", f"{seconds:,.1f} s", f"{readers:,} readers")
    return SizeResults(readers, newsletter)


def _round(
    found: SizeResults, number: int, sink: servers.Sink, pool: servers.Pool, figures: Figures
) -> None:
    from bench import edition as editions
    from bench import plain_django, plan

    edition = editions.add_approved_edition(found.newsletter)
    plan_seconds, plan_mb = plan.measure_planning(edition.pk, found.readers)
    found.plan_seconds.append(plan_seconds)
    found.plan_mb.append(plan_mb)
    before = _usage(sink, pool)
    found.ours.append(_send(edition.pk, found.readers, sink))
    for name, seconds in _usage(sink, pool).since(before).items():
        found.cpu.setdefault(name, []).append(seconds / found.readers * 1e6)
    messages = min(found.readers, PER_SOURCE)
    before = servers.usage(sink=sink.process)
    found.source.append(_smtp_source(messages, sink.port, sessions=len(pool.processes)))
    seconds = servers.usage(sink=sink.process).since(before)["sink"]
    found.cpu.setdefault("sink, for smtp-source", []).append(seconds / messages * 1e6)
    messages = min(found.readers, PER_PLAIN)
    found.plain.append(plain_django.rate(edition, port=sink.port, messages=messages))
    others = f"smtp-source {found.source[-1]:,.0f}/s, plain Django {found.plain[-1]:,.0f}/s"
    figures.line(f"round {number}, {found.readers:,}", f"{found.ours[-1]:,.0f}/s", others)


def _send(edition_id: int, readers: int, sink: servers.Sink) -> float:
    """Have the workers send it; return messages per second from first claim to last record."""
    from bench import edition as editions
    from digest import tasks
    from digest.delivery.report import tally
    from digest.models import Edition

    counted, seen, looked = sink.counted(), -1, time.monotonic()
    tasks.start_lanes(edition_id)
    edition = Edition.objects.filter(pk=edition_id)
    while edition.filter(status=Edition.Status.SENDING).exists():
        time.sleep(0.2)
        if time.monotonic() - looked > 30:  # what the tick does
            if sink.counted() == seen:
                raise SystemExit(f"The send stands still: {tally(edition_id)}")
            seen, looked = sink.counted(), time.monotonic()
            tasks.start_lanes(edition_id)
    assert tally(edition_id).sent == readers, tally(edition_id)
    assert sink.counted() - counted == readers, (sink.counted() - counted, readers)
    return readers / editions.sending_seconds(edition_id)


def _smtp_source(messages: int, port: int, *, sessions: int) -> float:
    """Run Postfix's generator; each session keeps one connection (-d), as a lane does."""
    from bench import edition as editions

    command = [
        servers.program("smtp-source"), "-d", "-s", str(sessions), "-m", str(messages),
        "-l", str(editions.SIZE), "-f", "bounces@example.com", "-t", "reader@example.com",
        f"127.0.0.1:{port}",
    ]  # fmt: skip
    began = time.perf_counter()
    subprocess.run(command, check=True)
    return messages / (time.perf_counter() - began)


def _usage(sink: servers.Sink, pool: servers.Pool) -> servers.Usage:
    return servers.usage(
        workers=pool.parent,
        PostgreSQL=servers.postgres(),
        Redis=servers.redis(),
        sink=sink.process,
    )


def _report(found: SizeResults, figures: Figures, *, asks_rates: bool) -> None:
    figures.line("rate", f"{median(found.ours):,.0f}/s", f"{found.readers:,} messages")
    to_source = median_ratio(found.ours, found.source)
    to_plain = median_ratio(found.ours, found.plain)
    if asks_rates:
        figures.at_least("to smtp-source", to_source, 1.0)
        figures.at_least("to plain Django", to_plain, 12.0)
    else:
        figures.line("to smtp-source", f"{to_source:.2f}")
        figures.line("to plain Django", f"{to_plain:.2f}")
    for name, used in found.cpu.items():
        figures.line(f"CPU a message, {name}", f"{median(used):,.0f} µs")
    rows_per_second = found.readers / median(found.plan_seconds)
    figures.line(
        "planning", f"{median(found.plan_seconds):,.2f} s", f"{rows_per_second:,.0f} rows/s"
    )
    figures.line("planning's memory in Python", f"{max(found.plan_mb):,.1f} MB")
    if found.readers >= MILLION:
        millions = found.readers / MILLION
        limit = PLAN_SECONDS_PER_MILLION * millions
        figures.at_most("planning", median(found.plan_seconds), limit, "{:,.1f} s")
        seconds = found.readers / median(found.ours)
        # This is what the machine and the sink allow, without readers, claims or a ledger.
        alone = found.readers / median(found.source)
        figures.line("smtp-source would take", f"{alone:,.0f} s", "alone, for as many")
        figures.at_most("sending", seconds, SECONDS_PER_MILLION * millions, "{:,.0f} s")
    print()


def _memory(figures: Figures, pool: servers.Pool) -> None:
    for number, process in enumerate(pool.processes, start=1):
        name = f"peak of worker process {number}"
        figures.at_most(name, servers.peak_mb(process), MEMORY_MB, "{:,.0f} MB")
        figures.line("  of that its own now", f"{servers.private_mb(process):,.0f} MB")
    figures.line("their parent's peak", f"{servers.peak_mb(pool.parent):,.0f} MB")


if __name__ == "__main__":
    run_send_bench()
