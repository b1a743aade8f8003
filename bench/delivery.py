"""Measure one lane, ledger and all, against a bare smtplib loop to the same sink.

    .venv/bin/python -m bench.delivery [MESSAGES]

Both send the same digest over one connection. The lane also claims its readers from PostgreSQL,
checks their status, makes each message and records each outcome; the loop sends one message, made
beforehand, over and over.
"""

from __future__ import annotations

import os
import smtplib
import statistics
import sys
import time
from datetime import timedelta
from pathlib import Path

os.environ["DAYBREAK_VAR"] = str(Path(__file__).resolve().parent.parent / "var" / "bench")
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
os.environ["DEBUG"] = "true"
for name in ("DATABASE_URL", "REDIS_URL"):
    os.environ.pop(name, None)

import django  # noqa: E402

from bench import sink  # noqa: E402
from config import local  # noqa: E402

ROUNDS = 3


def main() -> None:
    messages = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    with sink.running() as port:
        local.ensure_services()
        try:
            django.setup()
            # Django's settings name the database, so these wait for it.
            from django.conf import settings
            from django.core.management import call_command

            from subscribers.relays import parse_relay

            settings.DEBUG = False  # or Django keeps every statement
            settings.EMAIL_RELAYS = [parse_relay(f"smtp://127.0.0.1:{port}")]
            call_command("migrate", verbosity=0)
            _measure(messages, port)
        finally:
            local.stop_services()


def _measure(messages: int, port: int) -> None:
    lanes, bare = [], []
    for number in range(1, ROUNDS + 1):
        rate, message = _lane(messages)
        lanes.append(rate)
        bare.append(_loop(messages, port, message))
        print(
            f"round {number}: lane {lanes[-1]:,.0f}/s, bare smtplib {bare[-1]:,.0f}/s, "
            f"ratio {lanes[-1] / bare[-1]:.2f}   ({messages:,} messages of {len(message):,} bytes)"
        )
    ratio = statistics.median(one / other for one, other in zip(lanes, bare, strict=True))
    print(
        f"median: lane {statistics.median(lanes):,.0f}/s, "
        f"bare smtplib {statistics.median(bare):,.0f}/s, ratio {ratio:.2f}"
    )


def _lane(messages: int) -> tuple[float, bytes]:
    """Send an edition to so many readers; messages per second, and one of the messages."""
    from django.utils.timezone import now

    from digest.delivery import lane, plan
    from digest.delivery.report import tally
    from digest.models import Frozen
    from digest.rendering.personalise import personalise
    from digest.rendering.readers import sample_reader

    edition = _edition(messages)
    plan.start(edition_id=edition, now=now())
    began = time.perf_counter()
    while lane.run(edition_id=edition, lane="bench", clock=now) is lane.End.MORE:
        pass
    seconds = time.perf_counter() - began
    assert tally(edition).sent == messages, tally(edition)
    frozen = Frozen.objects.get(edition=edition)
    message = personalise(frozen, sample_reader(edition_id=edition, date=now()))
    assert message
    return messages / seconds, message


def _loop(messages: int, port: int, message: bytes) -> float:
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.ehlo()
        began = time.perf_counter()
        for number in range(messages):
            client.sendmail("bounces@example.com", [f"reader{number}@example.com"], message)
        return messages / (time.perf_counter() - began)


def _edition(messages: int) -> int:
    """An approved edition of twelve stories in four sections, to so many readers."""
    from django.utils.timezone import now

    from digest.editions.approve import approve
    from subscribers.models import Subscriber, Subscription
    from tests import factories

    slug = f"bench-{time.time_ns()}"
    newsletter = factories.newsletter(name="Bench", slug=slug)
    edition = factories.edition(
        newsletter, stories=0, sends_at=now(), deadline_at=now() + timedelta(hours=3)
    )
    sections = [factories.section(newsletter) for _ in range(4)]
    for position in range(12):
        story = factories.story(
            newsletter,
            url=f"https://news.example.com/{slug}/{position}",
            identity=f"{slug}-{position}",
            summary="Two lines of what happened, as a summary of a story has them. " * 3,
        )
        section = sections[position // 3]
        factories.item(edition, story, section=section, position=position)
    people = Subscriber.objects.bulk_create(
        Subscriber(email=f"r{n}@{slug}.example.com", email_key=f"r{n}@{slug}.example.com")
        for n in range(messages)
    )
    Subscription.objects.bulk_create(
        Subscription(newsletter=newsletter, subscriber=person, status="active", confirmed_at=now())
        for person in people
    )
    approve(edition_id=edition.pk, now=now())
    return edition.pk


if __name__ == "__main__":
    main()
