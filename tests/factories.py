"""Rows for tests, each with sensible defaults; keyword arguments override."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, time, timedelta
from hashlib import sha256
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from digest.models import Edition, EditionItem, Feed, Schedule, Story
from digest.rendering.content_hash import content_hash
from digest.rendering.freeze import freeze
from subscribers.models import (
    Event,
    Newsletter,
    Section,
    Subscriber,
    Subscription,
    Suppression,
    Webhook,
    WebhookDelivery,
)

# A Tuesday.
NOW = datetime(2026, 3, 10, 6, 0, tzinfo=UTC)
_count = itertools.count(1)


def newsletter(**fields: Any) -> Newsletter:
    n = next(_count)
    defaults = {"name": f"The Daily {n}", "slug": f"daily-{n}", "promise": "The day's top stories."}
    return Newsletter.objects.create(**defaults | fields)


def section(newsletter: Newsletter, **fields: Any) -> Section:
    n = next(_count)
    return Section.objects.create(
        newsletter=newsletter, **{"name": f"Section {n}", "slug": f"s{n}", "position": n} | fields
    )


def subscriber(email: str = "", **fields: Any) -> Subscriber:
    email = email or f"reader{next(_count)}@example.com"
    return Subscriber.objects.create(email=email, email_key=email.lower(), **fields)


def subscription(newsletter: Newsletter, email: str = "", **fields: Any) -> Subscription:
    """An active subscription unless `status` says otherwise."""
    defaults = {"status": Subscription.Status.ACTIVE, "confirmed_at": NOW}
    return Subscription.objects.create(
        newsletter=newsletter, subscriber=subscriber(email), **defaults | fields
    )


def suppression(email: str, **fields: Any) -> Suppression:
    defaults = {"reason": Suppression.Reason.BOUNCE}
    return Suppression.objects.create(email_key=email.lower(), **defaults | fields)


def second_subscription(
    subscriber: Subscriber, newsletter: Newsletter, **fields: Any
) -> Subscription:
    """Another active subscription of an existing reader."""
    defaults = {"status": Subscription.Status.ACTIVE, "confirmed_at": NOW}
    return Subscription.objects.create(
        newsletter=newsletter, subscriber=subscriber, **defaults | fields
    )


def feed(newsletter: Newsletter, **fields: Any) -> Feed:
    n = next(_count)
    return Feed.objects.create(
        newsletter=newsletter,
        **{"url": f"https://feeds.example.com/{n}.xml", "title": f"Wire {n}"} | fields,
    )


def story(newsletter: Newsletter, **fields: Any) -> Story:
    n = next(_count)
    defaults = {
        "url": f"https://news.example.com/story-{n}",
        "title": f"Story number {n}",
        "summary": f"What happened in story number {n}, in one sentence.",
        "source_name": f"Wire {n % 5}",
        "published_at": NOW - timedelta(hours=n % 12),
        "identity": sha256(f"story-{n}".encode()).hexdigest(),
    }
    # It arrived when it was published: a draft knows what had arrived by then.
    published_at = fields.get("published_at", defaults["published_at"])
    defaults["added_at"] = published_at or NOW - timedelta(hours=12)
    return Story.objects.create(newsletter=newsletter, **defaults | fields)


def schedule(newsletter: Newsletter, **fields: Any) -> Schedule:
    return Schedule.objects.create(newsletter=newsletter, **{"local_time": time(7, 0)} | fields)


def edition(newsletter: Newsletter, *, stories: int = 3, **fields: Any) -> Edition:
    """A draft edition with this number of stories."""
    defaults = {
        "subject": "The day's top stories",
        # Every date is a Tuesday: the weekday decides which readers an edition is for.
        "slot_date": NOW.date() + timedelta(weeks=next(_count)),
        "sends_at": NOW + timedelta(hours=1),
        "deadline_at": NOW + timedelta(hours=4),
    }
    edition = Edition.objects.create(newsletter=newsletter, **defaults | fields)
    for position in range(stories):
        item(edition, story(newsletter), position=position)
    return edition


def propose(edition: Edition, **fields: Any) -> Edition:
    """Let the edition, with these fields, be what its schedule proposed."""
    Edition.objects.filter(pk=edition.pk).update(**fields)
    edition.refresh_from_db()
    edition.proposed_hash = content_hash(edition)
    edition.save(update_fields=["proposed_hash"])
    return edition


def item(edition: Edition, story: Story, **fields: Any) -> EditionItem:
    return EditionItem.objects.create(
        edition=edition, newsletter=edition.newsletter, story=story, **fields
    )


def webhook(url: str = "https://hooks.example.com/daybreak", **fields: Any) -> Webhook:
    """A webhook for every event of every newsletter."""
    defaults = {"name": f"Hook {next(_count)}", "events": Event.values}
    return Webhook.objects.create(url=url, **defaults | fields)


def webhook_delivery(webhook: Webhook, **fields: Any) -> WebhookDelivery:
    """A webhook delivery that is due."""
    n = next(_count)
    defaults = {
        "event": Event.CONFIRMED,
        "message_id": f"msg_{n}",
        "payload": f'{{"type": "subscriber.confirmed", "data": {{"n": {n}}}}}',
        "next_attempt_at": NOW,
        "created_at": NOW,
    }
    return WebhookDelivery.objects.create(webhook=webhook, **defaults | fields)


def publish(edition: Edition, *, status: str = Edition.Status.SENT, **fields: Any) -> Edition:
    """Put the edition into the state in which readers have it: frozen, and with that approval."""
    frozen = freeze(edition_id=edition.pk, now=NOW)
    times = {"sending_at": NOW, "sent_at": NOW if status == Edition.Status.SENT else None}
    force_update(
        Edition.objects.filter(pk=edition.pk),
        **{"status": status, "approved_hash": frozen.content_hash} | times | fields,
    )
    edition.refresh_from_db()
    return edition


def force_update(rows: QuerySet[Any], **fields: Any) -> None:
    """Set rows directly to the state that a test begins with, whatever MOVES allows."""
    with transaction.atomic(), connection.cursor() as cursor:
        # Triggers do not fire for a replica, and so the one that enforces MOVES does not.
        cursor.execute("SET LOCAL session_replication_role = replica")
        rows.update(**fields)
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")
