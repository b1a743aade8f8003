"""Store a sign-up in one round trip: reader, subscription, consent, and the mail that is due.

A flood of sign-ups must not become a flood of round trips. The work is the same for an address that
is new, known or suppressed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import psycopg
from django.db import OperationalError, connection
from django.db.models import Model
from django.db.models.expressions import DatabaseDefault
from psycopg.sql import Literal
from psycopg.types.json import Jsonb

from subscribers.addresses.mailbox import mailbox_of
from subscribers.consent.record import Origin, build_consent
from subscribers.models import Consent, Newsletter, Subscriber, Subscription

# Within this time a mailbox gets one mail for each newsletter, and MAILS_PER_MAILBOX over all
# newsletters, whichever of its addresses they go to. Further mails wait. On one day no more than
# MAILS_PER_DAY become due: somebody who signs up another person's mailbox all day long causes ten
# mails, not three hundred.
# Whoever signs up ten addresses with tags must not keep the mailbox's owner out. So the first
# address of the day without a tag takes the first free place, and has a mail beyond the ten. So
# has the address that is the mailbox's own name, because the spellings with dots may be guessed.
COOLDOWN = timedelta(minutes=5)
MAILS_PER_MAILBOX = 3
MAILS_PER_DAY = 10

# {reader}, {subscription} and {consent} stand for the columns of each table, and {…_values} for
# their values. A new field with a default needs no change here.

# Sign-ups of the same mailbox wait for each other here. Each one then counts, with a snapshot of
# its own, what those before it asked for. Row locks alone do not keep this order. A sign-up that
# waits for a reader's row that is just being inserted does not see the subscription inserted with
# it, and so has not locked that one. The lock's name must not change while two releases run.
_LOCK_MAILBOX = """
SELECT pg_advisory_xact_lock(hashtextextended('subscribers.enrol:' || %(mailbox)s::varchar, 0))
"""
# This locks the subscriptions before the reader, in the order of preferences.locks. It changes no
# key, so rows that refer to them can be written at the same time.
# Nobody is stored for a newsletter that was deleted a moment ago (newsletter_cache.MAX_AGE). No
# foreign key would refuse such a row, and nothing would find it again.
_STORE_READER = """
WITH known AS (
    SELECT o.id FROM subscribers_subscriber r
      JOIN subscribers_subscription o ON o.subscriber_id = r.id
     WHERE r.email_key = %(email_key)s::varchar
     ORDER BY o.id FOR NO KEY UPDATE OF o
)
INSERT INTO subscribers_subscriber AS r ({reader})
SELECT {reader_values} FROM (SELECT count(*) FROM known) AS held
 WHERE EXISTS (SELECT FROM subscribers_newsletter n WHERE n.id = %(newsletter_id)s::bigint)
    ON CONFLICT (email_key) DO UPDATE SET mailbox = EXCLUDED.mailbox
"""
# If the subscription exists already, a mail becomes due unless one is due or was just sent:
# - A reader who left has shown that they own the mailbox, so leaving ends the cooldown.
# - A mail may be due much later, because it waits in an import's long queue or for a relay. If its
#   reader signs up themselves, it waits no longer.
# - A mail that a worker has leased, to send it now, is due in five minutes. It stays as it is.
# Only the mails to the mailbox's other subscriptions postpone this one. Those for this newsletter
# went to another address of the mailbox.
_STORE_SUBSCRIPTION = """
WITH reader AS (
    SELECT id FROM subscribers_subscriber WHERE email_key = %(email_key)s::varchar
       AND EXISTS (SELECT FROM subscribers_newsletter n WHERE n.id = %(newsletter_id)s::bigint)
),
mailbox AS (
    SELECT o.*, r.email_key FROM subscribers_subscriber r
      JOIN subscribers_subscription o ON o.subscriber_id = r.id
     WHERE r.mailbox = %(mailbox)s::varchar AND r.mailbox <> ''
),
others AS (
    SELECT count(*) AS mails,
           count(*) FILTER (WHERE o.newsletter_id = %(newsletter_id)s::bigint) AS same
      FROM mailbox o
     WHERE (o.mail_due_at IS NOT NULL OR o.mail_sent_at > %(since)s::timestamptz)
       AND (o.newsletter_id <> %(newsletter_id)s::bigint OR o.email_key <> %(email_key)s::varchar)
),
today AS (
    SELECT count(*) AS asked,
           {own_name} = {mailbox_name} AND (
               count(*) FILTER (WHERE {row_name} = {mailbox_name}) = 0
               OR %(email_key)s::varchar = %(mailbox)s::varchar
                  AND count(*) FILTER (WHERE o.email_key = %(email_key)s::varchar) = 0
           ) AS is_first_plain
      FROM mailbox o JOIN subscribers_consent c ON c.subscription_id = o.id
     WHERE c.kind = 'signup' AND c.created_at > %(now)s::timestamptz - interval '1 day'
),
place AS (
    SELECT CASE WHEN today.is_first_plain THEN least(1, waiting.mails) ELSE waiting.mails END AS n,
           today.is_first_plain OR today.asked < {per_day} AS is_free
      FROM today, (
          SELECT greatest(others.same, others.mails / {per_mailbox}) AS mails FROM others
      ) AS waiting
),
subscription AS (
    INSERT INTO subscribers_subscription AS s (subscriber_id, mail_due_at, {subscription})
    SELECT reader.id,
           CASE WHEN place.is_free
                THEN %(due)s::timestamptz + %(cooldown)s::interval * place.n END,
           {subscription_values}
      FROM reader, place
        ON CONFLICT (subscriber_id, newsletter_id) DO UPDATE
       SET status = CASE s.status WHEN 'unsubscribed' THEN 'pending' ELSE s.status END,
           generation = s.generation + (s.status = 'unsubscribed')::int,
           source = CASE s.status WHEN 'active' THEN s.source ELSE EXCLUDED.source END,
           paused_until = CASE s.status WHEN 'unsubscribed' THEN NULL ELSE s.paused_until END,
           reminded_at = CASE s.status WHEN 'unsubscribed' THEN NULL ELSE s.reminded_at END,
           moved_to_id = CASE s.status WHEN 'unsubscribed' THEN NULL ELSE s.moved_to_id END,
           mail_kind = EXCLUDED.mail_kind,
           mail_due_at = LEAST(s.mail_due_at, EXCLUDED.mail_due_at)
     WHERE EXCLUDED.mail_due_at IS NOT NULL
       AND (s.mail_due_at IS NULL OR s.status = 'unsubscribed'
            OR s.mail_due_at > %(now)s::timestamptz + 2 * %(cooldown)s::interval)
       AND (s.mail_sent_at IS NULL OR s.mail_sent_at <= %(since)s::timestamptz
            OR s.ended_at > s.mail_sent_at)
    RETURNING s.id, s.mail_due_at
)
INSERT INTO subscribers_consent (subscription_id, {consent})
SELECT subscription.id, {consent_values} FROM subscription
 WHERE subscription.mail_due_at IS NOT NULL
"""
# An address's name without what a provider may ignore in it. It is the mailbox's, without a tag.
_NAME = "translate(split_part({}, '@', 1), '._-', '')"


@dataclass(frozen=True)
class Contact:
    """The address that is signed up, known or not."""

    email: str
    email_key: str
    # The address as the reader typed it, if that differs from `email`.
    email_as_typed: str = ""
    language: str = ""


# The columns that differ between sign-ups. Every other column has its model's default.
_GIVEN: dict[type[Model], tuple[str, ...]] = {
    Subscriber: ("email", "email_key", "mailbox", "email_as_typed", "language", "created_at"),
    Subscription: ("newsletter_id", "source", "created_at"),
    Consent: tuple(
        str(field.column)
        for field in Consent._meta.local_concrete_fields
        if field.name not in ("id", "subscription")
    ),
}
# The columns that the statement itself or the database fills in.
_LEFT_OUT = ("id", "subscriber_id", "mail_due_at", "subscription_id")


def enrol(
    *,
    newsletter: Newsletter,
    contact: Contact,
    origin: Origin,
    delay: timedelta = timedelta(0),
    now: datetime,
) -> None:
    """Make the contact a pending subscriber of the newsletter.

    The mail to confirm is due after `delay`. It is due later if this mailbox was just sent other
    mails, and not at all if one is due or was just sent to this address, or if the mailbox has had
    its mails of the day. Nothing is returned, so that no caller can reveal whether the address is
    known.
    """
    row = build_consent(
        subscription_id=0,
        newsletter=newsletter,
        kind=Consent.Kind.SIGNUP,
        origin=origin,
        now=now,
    )
    values = {
        **vars(contact),
        "mailbox": mailbox_of(contact.email_key),
        "newsletter_id": newsletter.pk,
        "source": _host_and_path(origin.page),
        "now": now,
        "created_at": now,
        "due": now + delay,
        "since": now - COOLDOWN,
        "cooldown": COOLDOWN,
        **{f"consent_{column}": getattr(row, column) for column in _GIVEN[Consent]},
        "consent_details": Jsonb(row.details),
    }
    try:
        _run(values)
    except OperationalError:
        # The connection may have been lost while it was idle: Django's health check for each
        # request runs only in its own cursors. A second try is harmless, since no further mail
        # becomes due for a sign-up that is stored already. It also saves a sign-up that PostgreSQL
        # ended for a deadlock with an UPDATE of many rows, which locks them in no order.
        if connection.in_atomic_block:
            raise
        connection.close()
        _run(values)


def _run(values: dict[str, Any]) -> None:
    connection.ensure_connection()
    # Django's own cursors put the values into the text, so they cannot prepare a statement. Django
    # also sets None here, which forbids it. Planning this statement each time took three times as
    # long as running it.
    pg_connection = connection.connection
    pg_connection.prepare_threshold = 0
    # A caller in a transaction may hold the reader's rows already. It must not wait for a sign-up
    # that waits for these rows, so it skips the first statement.
    statements = _statements()[1:] if connection.in_atomic_block else _statements()
    with (
        connection.wrap_database_errors,
        pg_connection.pipeline(),
        psycopg.Cursor(pg_connection) as cursor,
    ):
        for statement in statements:
            cursor.execute(statement, values, prepare=True)


@cache
def _statements() -> tuple[str, str, str]:
    """Return the statements with their tables' columns, ready for values."""
    texts: dict[str, Any] = {
        "per_day": MAILS_PER_DAY,
        "per_mailbox": MAILS_PER_MAILBOX,
        "own_name": _NAME.format("%(email_key)s::varchar"),
        "row_name": _NAME.format("o.email_key"),
        "mailbox_name": _NAME.format("%(mailbox)s::varchar"),
    }
    for name, model in (
        ("reader", Subscriber),
        ("subscription", Subscription),
        ("consent", Consent),
    ):
        columns = _columns(model, prefix="consent_" if model is Consent else "")
        texts[name] = ", ".join(columns)
        texts[f"{name}_values"] = ", ".join(columns.values())
    return _LOCK_MAILBOX, _STORE_READER.format(**texts), _STORE_SUBSCRIPTION.format(**texts)


def _columns(model: type[Model], *, prefix: str) -> dict[str, str]:
    """Return the model's columns, each with its SQL: a placeholder, or the default as a literal."""
    blank, columns = model(), {}
    for field in model._meta.local_concrete_fields:
        column, default = str(field.column), getattr(blank, field.attname)
        if column in _LEFT_OUT:
            continue
        if column in _GIVEN[model]:
            kind = str(field.db_type(connection)).partition("(")[0]
            columns[column] = f"%({prefix}{column})s::{kind}"
        elif not isinstance(default, DatabaseDefault):
            value = field.get_db_prep_save(default, connection)
            columns[column] = Literal(value).as_string(connection.connection)
    return columns


def _host_and_path(page: str) -> str:
    """Return host and path of a page. The query is left out, since it may hold private data."""
    host_and_path = page.partition("://")[2].partition("?")[0].partition("#")[0]
    return host_and_path.replace("\x00", "")[:300]
