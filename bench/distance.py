"""Send over one connection to a real Postfix, nearby and 20 ms away, and compare with smtplib.

    make bench-distance

The relay is the same each time. A proxy in between delays every byte by 10 ms each way, or not at
all. The bench measures the connection by itself, and the whole lane with claims and ledger.
"""

from __future__ import annotations

import argparse
import smtplib
import time
from collections.abc import Callable

from bench import delay, postfix, servers
from bench.figures import Figures, heading, median, median_ratio, positive
from digest.delivery.ledger import WINDOW

ROUND_TRIP = 0.020
BY_SMTPLIB = 50


def run_distance_bench() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=3000)
    parser.add_argument("--rounds", type=positive, default=3)
    options = parser.parse_args()
    heading(f"45 KB messages over one connection to Postfix, {ROUND_TRIP * 1000:.0f} ms away")
    figures = Figures()
    with (
        postfix.serve() as direct,
        delay.proxy(direct, seconds=0) as near,
        delay.proxy(direct, seconds=ROUND_TRIP / 2) as far,
        servers.production_services(f"smtp://127.0.0.1:{direct}"),
    ):
        _measure(options, {"direct": direct, "near": near, "far": far}, figures)
    figures.verdict()


def _measure(options: argparse.Namespace, ports: dict[str, int], figures: Figures) -> None:
    from bench import edition as editions

    newsletter = editions.add_newsletter()
    editions.add_readers(newsletter, options.messages)
    message = editions.message(editions.add_approved_edition(newsletter))
    rates: dict[str, list[float]] = {}

    def record(name: str, measure: Callable[[], float]) -> None:
        rates.setdefault(name, []).append(measure())

    for number in range(1, options.rounds + 1):
        for place in ("direct", "near", "far"):
            port = ports[place]
            record(f"connection {place}", lambda: _connection(port, message, options.messages))  # noqa: B023
        for place in ("near", "far"):
            port = ports[place]
            record(f"lane {place}", lambda: _lane(port, newsletter, options.messages))  # noqa: B023
        record("smtplib far", lambda: _smtplib(ports["far"], message))
        latest = ", ".join(f"{name} {found[-1]:,.0f}/s" for name, found in rates.items())
        print(f"round {number}: {latest}", flush=True)
    _report(rates, figures)


def _report(rates: dict[str, list[float]], figures: Figures) -> None:
    print()
    notes = {
        "direct": "no proxy in between",
        "near": "through the proxy, no delay",
        "far": "through the proxy, 20 ms round trip",
    }
    for name, found in rates.items():
        figures.line(name, f"{median(found):,.1f}/s", notes[name.split()[1]])
    for what in ("connection", "lane"):
        share = median_ratio(rates[f"{what} far"], rates[f"{what} near"])
        figures.at_least(f"{what}: far to near", 100 * share, 80, "{:,.0f} %")
        ratio = median_ratio(rates[f"{what} far"], rates["smtplib far"])
        figures.at_least(f"{what}: to smtplib, both far", ratio, 40, "{:,.1f}")


def _connection(port: int, message: bytes, count: int) -> float:
    """Send as the lane does, with at most 20 messages unanswered; return messages per second."""
    from django.utils.timezone import now

    from digest.delivery.transport.base import Outgoing
    from digest.delivery.transport.connect import connect
    from digest.delivery.transport.replies import Verdict
    from digest.models import Frozen
    from digest.rendering.readers import sample_reader
    from subscribers.mail.relays import parse_relay

    relay = parse_relay(f"smtp://127.0.0.1:{port}")
    reader = sample_reader(edition_id=1, date=now())
    outcomes = []
    with connect(relay, should_stop=lambda: False, frozen=Frozen()) as transport:
        began = time.perf_counter()
        for key in range(count):
            recipient = f"reader.{key}@example.com"
            transport.put(Outgoing(key, "bounces@news.example.com", recipient, message, reader))
            if (key + 1) % transport.batch == 0:
                outcomes += transport.take(unanswered=WINDOW - transport.batch)
        outcomes += transport.take()
        seconds = time.perf_counter() - began
    refused = {outcome for _, outcome in outcomes if outcome.verdict is not Verdict.ACCEPTED}
    assert len(outcomes) == count, f"{len(outcomes)} outcomes"
    assert not refused, refused
    return count / seconds


def _lane(port: int, newsletter: object, count: int) -> float:
    """Run a lane in this process; return messages per second, first claim to last record."""
    from django.conf import settings
    from django.utils.timezone import now

    from bench import edition as editions
    from digest.delivery.lane import lane
    from digest.delivery.progress.report import tally
    from subscribers.mail.relays import parse_relay

    settings.EMAIL_RELAYS = [parse_relay(f"smtp://127.0.0.1:{port}")]
    edition = editions.add_planned_edition(newsletter)
    while lane.run_lane(edition_id=edition, lane="bench", clock=now) is lane.End.MORE:
        pass
    assert tally(edition).sent == count, tally(edition)
    return count / editions.sending_seconds(edition)


def _smtplib(port: int, message: bytes) -> float:
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.ehlo()
        began = time.perf_counter()
        for number in range(BY_SMTPLIB):
            recipient = f"reader.{number}@example.com"
            client.sendmail("bounces@news.example.com", [recipient], message)
        return BY_SMTPLIB / (time.perf_counter() - began)


if __name__ == "__main__":
    run_distance_bench()
