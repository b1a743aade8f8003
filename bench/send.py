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
    options = parser.parse_args()
    heading(f"A digest of 45 KB to smtp-sink, {options.processes} worker processes, medians")
    figures = Figures()
    with servers.smtp_sink() as sink:
        relay = f"smtp://127.0.0.1:{sink.port}?connections={options.processes}"
        with (
            servers.production_services(relay),
            servers.workers("delivery", processes=options.processes) as pool,
        ):
            _warm_up(sink)
            sizes = [_add_list(count, figures) for count in options.readers]
            for number in range(1, options.rounds + 1):
                for size in sizes:
                    if size.readers < MILLION or number == (options.rounds + 1) // 2:
                        _round(size, number, sink, pool, figures)
            print()
            for size in sizes:
                _report(size, figures, check_ratios=len(sizes) == 1)
            _memory(figures, pool)
    if len(sizes) > 1:
        rates = [median(size.ours) for size in sizes]
        spread = max(rates) / min(rates) - 1
        figures.at_most("between the sizes' rates", 100 * spread, 15, "{:,.0f} %")
    figures.verdict()


def _warm_up(sink: servers.Sink) -> None:
    """Send a few messages first, as a worker that has been up for a while has."""
    from bench import edition as editions

    newsletter = editions.add_newsletter()
    editions.add_readers(newsletter, 400)
    _send(editions.add_planned_edition(newsletter), 400, sink)


def _add_list(readers: int, figures: Figures) -> SizeResults:
    from bench import edition as editions

    newsletter = editions.add_newsletter()
    seconds = editions.add_readers(newsletter, readers)
    figures.line("import (COPY)", f"{seconds:,.1f} s", f"{readers:,} readers")
    return SizeResults(readers, newsletter)


def _round(
    size: SizeResults, number: int, sink: servers.Sink, pool: servers.Pool, figures: Figures
) -> None:
    from bench import edition as editions
    from bench import plain_django, plan

    edition = editions.add_approved_edition(size.newsletter)
    plan_seconds, plan_mb = plan.measure_planning(edition.pk, size.readers)
    size.plan_seconds.append(plan_seconds)
    size.plan_mb.append(plan_mb)
    before = _usage(sink, pool)
    size.ours.append(_send(edition.pk, size.readers, sink))
    for name, seconds in _usage(sink, pool).since(before).items():
        size.cpu.setdefault(name, []).append(seconds / size.readers * 1e6)
    messages = min(size.readers, PER_SOURCE)
    before = servers.usage(sink=sink.process)
    size.source.append(_smtp_source(messages, sink.port, sessions=len(pool.processes)))
    seconds = servers.usage(sink=sink.process).since(before)["sink"]
    size.cpu.setdefault("sink, for smtp-source", []).append(seconds / messages * 1e6)
    messages = min(size.readers, PER_PLAIN)
    size.plain.append(plain_django.rate(edition, port=sink.port, messages=messages))
    others = f"smtp-source {size.source[-1]:,.0f}/s, plain Django {size.plain[-1]:,.0f}/s"
    figures.line(f"round {number}, {size.readers:,}", f"{size.ours[-1]:,.0f}/s", others)


def _send(edition_id: int, readers: int, sink: servers.Sink) -> float:
    """Have the workers send it; return messages per second from first claim to last record."""
    from bench import edition as editions
    from digest import tasks
    from digest.delivery.progress.report import tally
    from digest.models import Edition

    count_before, last_count, checked_at = sink.counted(), -1, time.monotonic()
    tasks.start_lanes(edition_id)
    edition = Edition.objects.filter(pk=edition_id)
    while edition.filter(status=Edition.Status.SENDING).exists():
        time.sleep(0.2)
        if time.monotonic() - checked_at > 30:  # what the tick does
            if sink.counted() == last_count:
                raise SystemExit(f"The send stands still: {tally(edition_id)}")
            last_count, checked_at = sink.counted(), time.monotonic()
            tasks.start_lanes(edition_id)
    assert tally(edition_id).sent == readers, tally(edition_id)
    assert sink.counted() - count_before == readers, (sink.counted() - count_before, readers)
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


def _report(size: SizeResults, figures: Figures, *, check_ratios: bool) -> None:
    figures.line("rate", f"{median(size.ours):,.0f}/s", f"{size.readers:,} messages")
    to_source = median_ratio(size.ours, size.source)
    to_plain = median_ratio(size.ours, size.plain)
    if check_ratios:
        figures.at_least("to smtp-source", to_source, 1.0)
        figures.at_least("to plain Django", to_plain, 12.0)
    else:
        figures.line("to smtp-source", f"{to_source:.2f}")
        figures.line("to plain Django", f"{to_plain:.2f}")
    for name, used in size.cpu.items():
        figures.line(f"CPU a message, {name}", f"{median(used):,.0f} µs")
    rows_per_second = size.readers / median(size.plan_seconds)
    figures.line(
        "planning", f"{median(size.plan_seconds):,.2f} s", f"{rows_per_second:,.0f} rows/s"
    )
    figures.line("planning's memory in Python", f"{max(size.plan_mb):,.1f} MB")
    if size.readers >= MILLION:
        millions = size.readers / MILLION
        limit = PLAN_SECONDS_PER_MILLION * millions
        figures.at_most("planning", median(size.plan_seconds), limit, "{:,.1f} s")
        seconds = size.readers / median(size.ours)
        # This is what the machine and the sink allow, without readers, claims or a ledger.
        alone = size.readers / median(size.source)
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
