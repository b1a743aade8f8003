"""Make readers, and a digest of 45 KB that is ready to be sent to them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import time as time_of_day
from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import Max, Min
from django.utils.timezone import now

from digest.delivery.planning import start
from digest.editions.decide.approve import approve
from digest.models import Delivery, Edition
from digest.rendering.preview import sample_message
from digest.schedule import worldwide_span
from subscribers.models import Newsletter, Section, Subscriber, Subscription
from tests import factories

SIZE = 45_000
SECTIONS = 4
NAMES = ("Ada Lovelace", "Zoë Müller", "Иван Петров", "", "", "")
DOMAINS = 500
ZONES = ("Europe/London", "Europe/Berlin", "America/New_York", "Asia/Tokyo", "Australia/Sydney", "")
STORY = {
    "title": "The ferry company and the town agree on a timetable for the winter",
    "summary": "Two lines of what happened, as a summary of a story has them. " * 4,
}
NOTE = "What the editors say before the day's stories begin. "


def add_newsletter() -> Newsletter:
    slug = f"bench-{time.time_ns()}"
    newsletter = factories.newsletter(name="The Daily Bench", slug=slug)
    for _ in range(SECTIONS):
        factories.section(newsletter)
    return newsletter


def add_readers(newsletter: Newsletter, count: int) -> float:
    """COPY in `count` active readers, one in twenty with a muted section; return the seconds."""
    began = time.perf_counter()
    first = (Subscriber.objects.order_by("-pk").values_list("pk", flat=True).first() or 0) + 1
    at = now()
    sections = list(newsletter.sections.values_list("pk", flat=True))
    people = (
        (first + n, _address(first + n), _address(first + n), NAMES[n % len(NAMES)], "",
         ZONES[n % len(ZONES)], at)
        for n in range(count)
    )  # fmt: skip
    _copy(
        Subscriber,
        ["id", "email", "email_key", "name", "language", "timezone", "created_at"],
        people,
    )
    subscriptions = (
        (first + n, newsletter.pk, "active", 1, _muted(n, sections), at, at) for n in range(count)
    )
    _copy(
        Subscription,
        ["subscriber_id", "newsletter_id", "status", "generation", "muted_sections", "created_at",
         "confirmed_at"],
        subscriptions,
    )  # fmt: skip
    seconds = time.perf_counter() - began
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval('subscribers_subscriber_id_seq', %s)", [first + count])
        # Autovacuum does the same for readers who have been there for a day.
        cursor.execute("VACUUM ANALYZE subscribers_subscriber, subscribers_subscription")
        cursor.execute("CHECKPOINT")
    return seconds


def _address(number: int) -> str:
    return f"reader.{number}@mail-{number % DOMAINS}.example.com"


def _muted(number: int, sections: list[int]) -> list[int]:
    return [sections[number // 20 % len(sections)]] if number % 20 == 0 else []


def _copy(model: Any, columns: list[str], rows: Iterator[tuple[Any, ...]]) -> None:
    statement = f"COPY {model._meta.db_table} ({', '.join(columns)}) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def add_approved_edition(newsletter: Newsletter) -> Edition:
    """Return an approved edition whose messages have 45 KB on the wire."""
    edition = factories.edition(
        newsletter, stories=0, sends_at=now(), deadline_at=now() + timedelta(hours=3)
    )
    sections = list(newsletter.sections.all())
    _fill_with_stories(edition, sections)
    _fill_with_note(edition)
    size = len(message(edition))
    assert abs(size - SIZE) < SIZE / 50, f"the message has {size} bytes"
    return approve(edition_id=edition.pk, now=now())


def by_readers_clocks(edition: Edition) -> None:
    """Let the edition go out at seven by each reader's clock, on a day of its own."""
    day, seven = now().date() + timedelta(days=edition.pk), time_of_day(7)
    _first, last = worldwide_span(day, seven)
    Edition.objects.filter(pk=edition.pk).update(
        slot_date=day,
        local_time=seven,
        last_wave_at=last,
        deadline_at=last + timedelta(hours=3),
    )
    approve(edition_id=edition.pk, now=now())


def _fill_with_stories(edition: Edition, sections: list[Section]) -> None:
    """Add one more story to each section for as long as there is room."""
    before, size, position = 0, len(message(edition)), 0
    while not before or size + (size - before) < SIZE:
        before = size
        for section in sections:
            number = f"{edition.pk}-{position}"
            url = f"https://news.example.com/{number}"
            story = factories.story(edition.newsletter, url=url, identity=number, **STORY)
            factories.item(edition, story, section=section, position=position)
            position += 1
        size = len(message(edition))


def _fill_with_note(edition: Edition) -> None:
    """Fill the rest of the 45 KB with a note of the editors."""
    one, eleven = (len(_with_note(edition, repeats)) for repeats in (1, 11))
    _with_note(edition, 1 + max(0, SIZE - one) * 10 // (eleven - one))


def _with_note(edition: Edition, repeats: int) -> bytes:
    edition.note = NOTE * repeats
    edition.save(update_fields=["note"])
    return message(edition)


def message(edition: Edition) -> bytes:
    return sample_message(edition, now=now())


def add_planned_edition(newsletter: Newsletter) -> int:
    """Return the id of an edition that is being sent and whose readers are planned."""
    edition = add_approved_edition(newsletter)
    plan_readers(edition.pk)
    return edition.pk


def plan_readers(edition_id: int) -> None:
    """Plan all readers of the edition in this process."""
    start.start_delivery(edition_id=edition_id, now=now())
    start.plan_audience(edition_id=edition_id, now=now())


def sending_seconds(edition_id: int) -> float:
    """Return the seconds from the first claim to the last record."""
    times = Delivery.objects.filter(edition=edition_id).aggregate(
        began=Min("claimed_at"), ended=Max("finished_at")
    )
    return float((times["ended"] - times["began"]).total_seconds())
