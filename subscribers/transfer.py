"""Bring readers in from a list, in batches, and account for every line."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from subscribers import consent
from subscribers.addresses import BadAddress, compare_key, normalise
from subscribers.consent import Origin
from subscribers.models import (
    Consent,
    Newsletter,
    Subscriber,
    Subscription,
    Suppression,
    one_line,
)
from subscribers.spreadsheet import Refusal, Row

BATCH = 1000
# Imported readers are asked to confirm at this pace, a little slower than the tick can follow
# (confirmation.AT_MOST every 30 s), so that they never stand before a reader who is waiting.
CONFIRMATION_EVERY = timedelta(seconds=0.2)

# The C1 controls, which Windows-1252 read as Latin-1 is full of.
_STRAY = re.compile(r"[\x80-\x9f]")

Status = Subscription.Status


@dataclass(frozen=True)
class Import:
    """What is imported where, on whose word."""

    newsletter: Newsletter
    confirmed: bool
    origin: Origin
    now: datetime


@dataclass
class Batch:
    """What became of some lines."""

    added: int = 0
    already_there: int = 0
    refused: list[Refusal] = field(default_factory=list)


def import_rows(task: Import, rows: Iterable[Row | Refusal]) -> Iterator[Batch]:
    """Store the rows, a thousand to a transaction, and yield what became of each thousand.

    Confirmed readers become active with a consent record of kind import, and no
    `subscription_confirmed` is sent for them. Others are asked to confirm, one after the other.
    Who is there already stays as they are, and whoever left stays away. Running an import again
    is harmless.
    """
    zones = zoneinfo.available_timezones()
    remaining = iter(rows)
    added = 0
    while some := list(islice(remaining, BATCH)):
        batch = Batch()
        readers: dict[str, tuple[Row, Subscriber]] = {}
        for row in some:
            if isinstance(row, Refusal):
                batch.refused.append(row)
                continue
            checked = _check(row, zones, now=task.now)
            if isinstance(checked, Refusal):
                batch.refused.append(checked)
            elif checked.email_key in readers:
                batch.already_there += 1
            else:
                readers[checked.email_key] = (row, checked)
        _store(task, readers, batch, first=added)
        added += batch.added
        batch.refused.sort(key=lambda refusal: refusal.line)
        yield batch


def _check(row: Row, zones: set[str], *, now: datetime) -> Subscriber | Refusal:
    """Return the reader, unsaved, or what is wrong with the row."""
    try:
        email = normalise(row.email)
        # What a badly converted list has for apostrophes is no reason to refuse a reader.
        name = " ".join(_STRAY.sub(" ", row.name).split())
        one_line(name)
    except BadAddress as error:
        return _refuse(row, str(error))
    except ValidationError:
        return _refuse(row, "the name holds control characters")
    if len(name) > 120:
        return _refuse(row, "the name is longer than 120 characters")
    if row.timezone and row.timezone not in zones:
        reason = f"{row.timezone[:40]!r} is not a time zone; write it like Europe/London"
        return _refuse(row, reason)
    if row.language and not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}", row.language):
        return _refuse(row, f"{row.language[:40]!r} is not a language; write it like en or pt-BR")
    return Subscriber(
        email=email,
        email_key=compare_key(email),
        name=name,
        timezone=row.timezone,
        language=row.language[:16],
        created_at=now,
    )


def _refuse(row: Row, reason: str) -> Refusal:
    return Refusal(row.line, row.email[:254], reason)


def _store(
    task: Import, readers: dict[str, tuple[Row, Subscriber]], batch: Batch, *, first: int
) -> None:
    """Write one batch. A reader who signs up meanwhile makes it start over, and be found."""
    try:
        with transaction.atomic():
            done = _write(task, readers, first=first)
    except IntegrityError:
        with transaction.atomic():
            done = _write(task, readers, first=first)
    batch.added += done.added
    batch.already_there += done.already_there
    batch.refused += done.refused


def _write(task: Import, readers: dict[str, tuple[Row, Subscriber]], *, first: int) -> Batch:
    batch = Batch()
    suppressed = {row.email_key: row for row in Suppression.objects.filter(email_key__in=readers)}
    for key, entry in suppressed.items():
        reason = f"the address is suppressed: {entry.get_reason_display()}"
        batch.refused.append(_refuse(readers[key][0], reason))
    # In the order of the key, so that two imports at once wait for each other, not for ever.
    wanted = {key: readers[key] for key in sorted(readers.keys() - suppressed.keys())}
    Subscriber.objects.bulk_create([s for _, s in wanted.values()], ignore_conflicts=True)
    ids = dict(Subscriber.objects.filter(email_key__in=wanted).values_list("email_key", "pk"))
    states = dict(
        Subscription.objects.filter(
            newsletter=task.newsletter, subscriber__in=ids.values()
        ).values_list("subscriber", "status")
    )
    new: list[Subscription] = []
    for key, (row, _) in wanted.items():
        state = states.get(ids[key])
        if state is None:
            new.append(_subscription(task, ids[key], place=first + len(new)))
        elif state == Status.UNSUBSCRIBED:
            batch.refused.append(_refuse(row, "has unsubscribed; only the reader can come back"))
        else:
            batch.already_there += 1
    Subscription.objects.bulk_create(new)
    if task.confirmed:
        Consent.objects.bulk_create(_consents(task, new))
    batch.added = len(new)
    return batch


def _subscription(task: Import, subscriber_id: int, *, place: int) -> Subscription:
    state = (
        {"status": Status.ACTIVE, "confirmed_at": task.now}
        if task.confirmed
        else {"status": Status.PENDING, "mail_due_at": task.now + place * CONFIRMATION_EVERY}
    )
    return Subscription(
        newsletter=task.newsletter, subscriber_id=subscriber_id, created_at=task.now, **state
    )


def _consents(task: Import, subscriptions: list[Subscription]) -> list[Consent]:
    return [
        consent.draft(
            subscription_id=subscription.pk,
            newsletter=task.newsletter,
            kind=Consent.Kind.IMPORT,
            origin=task.origin,
            now=task.now,
        )
        for subscription in subscriptions
    ]
