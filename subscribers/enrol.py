"""Store a sign-up in one statement: reader, subscription, consent, and the mail that is due.

One statement because a flood of sign-ups must not become a flood of round trips, and because it
does the same work for an address that is new as for one that is known or suppressed.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Model
from django.db.models.expressions import DatabaseDefault

from subscribers import consent
from subscribers.consent import Origin
from subscribers.models import Consent, Newsletter, Subscriber, Subscription

# One mail per address and newsletter in this time, and MAILS_PER_ADDRESS over all newsletters;
# those beyond wait. On one day no more than MAILS_PER_DAY are asked for: somebody who signs up
# another's address all day long makes ten mails, not three hundred.
COOLDOWN = timedelta(minutes=5)
MAILS_PER_ADDRESS = 3
MAILS_PER_DAY = 10

# {reader}, {subscription}, {consent} are the columns of each table and {…_values} what stands in
# them, so that a new field with a default needs no word here. The first two conflict with the row
# that is there already; the second then lets a mail be due, unless one is or just went.
# Whoever left has shown to own the mailbox, so leaving ends the cooldown.
_STATEMENT = """
WITH reader AS (
    INSERT INTO subscribers_subscriber AS r ({reader}) VALUES ({reader_values})
        ON CONFLICT (email_key) DO UPDATE SET email_key = EXCLUDED.email_key
    RETURNING r.id
),
others AS (
    SELECT count(*) FILTER (WHERE o.mail_due_at IS NOT NULL
                               OR o.mail_sent_at > %(now)s - %(cooldown)s) AS mails
      FROM reader JOIN subscribers_subscription o ON o.subscriber_id = reader.id
     WHERE o.newsletter_id <> %(newsletter)s
),
today AS (
    SELECT count(*) AS asked
      FROM reader JOIN subscribers_subscription o ON o.subscriber_id = reader.id
      JOIN subscribers_consent c ON c.subscription_id = o.id
     WHERE c.kind = 'signup' AND c.created_at > %(now)s - interval '1 day'
),
subscription AS (
    INSERT INTO subscribers_subscription AS s (subscriber_id, mail_due_at, {subscription})
    SELECT reader.id,
           CASE WHEN today.asked < %(per_day)s
                THEN %(due)s + %(cooldown)s * (others.mails / %(at_once)s) END,
           {subscription_values}
      FROM reader, others, today
        ON CONFLICT (subscriber_id, newsletter_id) DO UPDATE
       SET status = CASE s.status WHEN 'unsubscribed' THEN 'pending' ELSE s.status END,
           generation = s.generation + (s.status = 'unsubscribed')::int,
           source = CASE s.status WHEN 'active' THEN s.source ELSE EXCLUDED.source END,
           paused_until = CASE s.status WHEN 'unsubscribed' THEN NULL ELSE s.paused_until END,
           reminded_at = CASE s.status WHEN 'unsubscribed' THEN NULL ELSE s.reminded_at END,
           mail_kind = EXCLUDED.mail_kind,
           mail_due_at = EXCLUDED.mail_due_at
     WHERE EXCLUDED.mail_due_at IS NOT NULL
       AND (s.mail_due_at IS NULL OR s.status = 'unsubscribed')
       AND (s.mail_sent_at IS NULL OR s.mail_sent_at <= %(now)s - %(cooldown)s
            OR s.ended_at > s.mail_sent_at)
    RETURNING s.id, s.mail_due_at
)
INSERT INTO subscribers_consent (subscription_id, {consent})
SELECT subscription.id, {consent_values} FROM subscription
 WHERE subscription.mail_due_at IS NOT NULL
"""


def enrol(
    *,
    newsletter: Newsletter,
    reader: Subscriber,
    origin: Origin,
    delay: timedelta = timedelta(0),
    now: datetime,
) -> None:
    """Make `reader` (a row that need not be stored yet) a pending subscriber of the newsletter.

    The mail to confirm is due after `delay`, later where this address was just sent others, and
    not at all where one is due or just went. Nothing is returned, so that nothing can be told.
    """
    subscription = Subscription(newsletter=newsletter, source=_place(origin.page), created_at=now)
    row = consent.draft(
        subscription_id=0,
        newsletter=newsletter,
        kind=Consent.Kind.SIGNUP,
        origin=origin,
        now=now,
    )
    texts: dict[str, str] = {}
    values: dict[str, Any] = {}
    for name, model, left_out in (
        ("reader", reader, ()),
        ("subscription", subscription, ("subscriber", "mail_due_at")),
        ("consent", row, ("subscription",)),
    ):
        columns = _columns(model, left_out)
        texts[name] = ", ".join(columns)
        texts[f"{name}_values"] = ", ".join(f"%({name}_{column})s" for column in columns)
        values |= {f"{name}_{column}": value for column, value in columns.items()}
    limits = {
        "now": now,
        "due": now + delay,
        "newsletter": newsletter.pk,
        "cooldown": COOLDOWN,
        "per_day": MAILS_PER_DAY,
        "at_once": MAILS_PER_ADDRESS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_STATEMENT.format(**texts), values | limits)


def _columns(row: Model, left_out: tuple[str, ...]) -> dict[str, Any]:
    """The row's columns but its id and what the database fills in, each with its value."""
    columns: dict[str, Any] = {}
    for field in row._meta.local_concrete_fields:
        value = getattr(row, field.attname)
        if not (field.primary_key or field.name in left_out or isinstance(value, DatabaseDefault)):
            columns[str(field.column)] = field.get_db_prep_save(value, connection)
    return columns


def _place(page: str) -> str:
    """Host and path of a page: a query may hold what is nobody's business."""
    host_and_path = page.partition("://")[2].partition("?")[0].partition("#")[0]
    return host_and_path.replace("\x00", "")[:300]
