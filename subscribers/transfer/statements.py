"""The statements that store a batch of a list (subscribers.transfer.storing).

`incoming` is the temporary table that a batch is copied into. A statement that removes rows from it
returns these rows, with what `storing` needs to give a reason.
"""

from __future__ import annotations

from subscribers.transfer.checking import Checked

CREATE_INCOMING = """
    CREATE TEMP TABLE IF NOT EXISTS incoming (
        line bigint, kind text, email text, email_key text COLLATE "C", mailbox text COLLATE "C",
        email_as_typed text, name text, timezone text, language text, is_confirmed boolean,
        confirmed_at timestamptz, ip_address inet, left_at timestamptz, details jsonb, why text
    );
    TRUNCATE incoming
"""
# An empty value is NULL in these columns, and an empty string in all others.
_NULLABLE = {"confirmed_at", "ip_address", "left_at"}
COPY = (
    f"COPY incoming ({', '.join(Checked._fields)}) FROM STDIN (FORMAT csv, "
    f"FORCE_NOT_NULL ({', '.join(set(Checked._fields) - _NULLABLE)}))"
)

REMOVE_SUPPRESSED = """
    DELETE FROM incoming i USING subscribers_suppression s WHERE s.email_key = i.email_key
    RETURNING i.line, i.email, i.kind, s.reason
"""
# A reader who left another list and has confirmed here since then, of their own will, stays.
REMOVE_CONFIRMED_SINCE = """
    DELETE FROM incoming i USING subscribers_subscriber s, subscribers_subscription p
    WHERE i.kind NOT IN ('reader', 'unconfirmed') AND s.email_key = i.email_key
      AND p.subscriber_id = s.id AND p.status = 'active'
      AND EXISTS (
        SELECT FROM subscribers_consent c
        WHERE c.subscription_id = p.id AND c.kind = 'confirmation'
          AND (i.left_at IS NULL OR c.created_at > i.left_at)
      )
    RETURNING i.line, i.email
"""
# Somebody who reads one list of a service and has left another has a row for each.
REMOVE_LEFT_ELSEWHERE = """
    DELETE FROM incoming i USING incoming l
    WHERE i.kind IN ('reader', 'unconfirmed') AND l.kind NOT IN ('reader', 'unconfirmed')
      AND l.email_key = i.email_key
    RETURNING i.line, i.email
"""
REMOVE_EXISTING = """
    DELETE FROM incoming i USING subscribers_subscriber s, subscribers_subscription p
    WHERE i.kind IN ('reader', 'unconfirmed') AND s.email_key = i.email_key
      AND p.subscriber_id = s.id AND p.newsletter_id = %(newsletter)s
    RETURNING i.line, i.email, p.status
"""
# Tags and dots make many addresses of one mailbox, and each of them would be sent a mail. The one
# without a tag counts, or else the first. A mailbox that has just been asked is not asked again.
# LATERAL with a LIMIT looks each row up by an index: joins read all readers for each batch.
REMOVE_SAME_MAILBOX = """
    WITH asked AS MATERIALIZED (
        SELECT i.ctid AS place, i.line, i.email_key, i.mailbox FROM incoming i
        LEFT JOIN LATERAL (
            SELECT p.id FROM subscribers_subscriber s
            JOIN subscribers_subscription p ON p.subscriber_id = s.id
            WHERE s.email_key = i.email_key AND p.newsletter_id = %(newsletter)s LIMIT 1
        ) AS present ON true
        WHERE i.kind IN ('reader', 'unconfirmed') AND NOT i.is_confirmed AND present.id IS NULL
    ), others AS (
        SELECT place FROM (
            SELECT place, row_number() OVER (
                PARTITION BY mailbox ORDER BY email_key <> mailbox, strpos(email_key, '+') > 0, line
            ) AS number FROM asked
        ) AS numbered WHERE number > 1
        UNION
        SELECT a.place FROM asked a, LATERAL (
            SELECT FROM subscribers_subscriber s
            JOIN subscribers_subscription p ON p.subscriber_id = s.id
            WHERE s.mailbox = a.mailbox AND s.mailbox <> ''
              AND p.newsletter_id = %(newsletter)s AND p.status = 'pending'
              AND (p.mail_due_at IS NOT NULL OR p.mail_sent_at > %(asked_since)s)
            LIMIT 1
        ) AS just_asked
        {tried}
    )
    DELETE FROM incoming i USING others o WHERE i.ctid = o.place
    RETURNING i.line, i.email
"""
SELECT_UNSUBSCRIBED = """
    SELECT i.line, i.email FROM incoming i
    JOIN subscribers_subscriber s USING (email_key)
    JOIN subscribers_subscription p ON p.subscriber_id = s.id
    WHERE i.kind IN ('reader', 'unconfirmed')
      AND p.newsletter_id = %(newsletter)s AND p.status = 'unsubscribed'
"""
SUPPRESS = """
    INSERT INTO subscribers_suppression (email_key, reason, detail, created_at)
    SELECT DISTINCT ON (email_key)
        email_key, %(reasons)s::jsonb ->> kind,
        left(concat_ws(
            ', ', (%(labels)s::jsonb ->> kind) || %(at)s, to_char(left_at, 'YYYY-MM-DD'),
            nullif(why, '')
        ), 300),
        %(now)s
    FROM incoming WHERE kind NOT IN ('reader', 'unconfirmed') ORDER BY email_key
    ON CONFLICT (email_key) DO NOTHING
"""
SUBSCRIBER_COLUMNS = (
    "email", "email_key", "mailbox", "email_as_typed", "name", "timezone", "language",
    "created_at",
)  # fmt: skip
ADD_SUBSCRIBERS = """
    INSERT INTO subscribers_subscriber ({columns})
    SELECT email, email_key, mailbox, email_as_typed, name, timezone, language, %(now)s{values}
    FROM incoming WHERE kind IN ('reader', 'unconfirmed') ORDER BY email_key
    ON CONFLICT (email_key) DO NOTHING
"""
SUBSCRIPTION_COLUMNS = (
    "subscriber_id", "newsletter_id", "status", "created_at", "confirmed_at", "mail_due_at",
    "source",
)  # fmt: skip
ADD_SUBSCRIPTIONS = """
    WITH readers AS MATERIALIZED (
        SELECT i.*, s.id AS subscriber_id
        FROM incoming i JOIN subscribers_subscriber s USING (email_key)
        WHERE i.kind IN ('reader', 'unconfirmed')
    ), added AS (
        INSERT INTO subscribers_subscription ({columns})
        SELECT i.subscriber_id, %(newsletter)s,
            CASE WHEN i.is_confirmed THEN 'active' ELSE 'pending' END, %(now)s,
            CASE WHEN i.is_confirmed THEN coalesce(i.confirmed_at, %(now)s) END,
            CASE WHEN NOT i.is_confirmed THEN %(now)s + %(every)s * (%(asked)s - 1
                + row_number() OVER (PARTITION BY i.is_confirmed ORDER BY i.line)) END,
            %(source)s{values}
        FROM readers i
        ORDER BY i.email_key
        ON CONFLICT (subscriber_id, newsletter_id) DO NOTHING
        RETURNING id, subscriber_id, status
    ), recorded AS (
        INSERT INTO subscribers_consent
            (subscription_id, kind, wording, wording_version, page, language, ip_address,
             user_agent, details, created_at)
        SELECT a.id, 'import', %(wording)s, %(version)s, %(page)s, i.language, i.ip_address,
            '', %(details)s::jsonb || i.details, %(now)s
        FROM added a JOIN readers i USING (subscriber_id)
        WHERE a.status = 'active'
    )
    SELECT count(*), count(*) FILTER (WHERE status = 'pending') FROM added
"""
COUNT_REMAINING = """
    SELECT count(*) FILTER (WHERE kind IN ('reader', 'unconfirmed')),
        count(*) FILTER (WHERE kind IN ('reader', 'unconfirmed') AND NOT is_confirmed),
        count(*) FILTER (WHERE kind NOT IN ('reader', 'unconfirmed'))
    FROM incoming
"""
# The rows that a dry run has counted, and the mailboxes that it would ask (hashed with the seed
# 2). It stores nothing, so the next batch would not find them.
CREATE_SEEN = """
    CREATE TEMP TABLE IF NOT EXISTS seen (row_hash bigint PRIMARY KEY);
    TRUNCATE seen
"""
UNION_TRIED = """
        UNION
        SELECT a.place FROM asked a JOIN seen ON row_hash = hashtextextended(a.mailbox, 2)
"""
NOTE_TRIED = """
    INSERT INTO seen SELECT hashtextextended(mailbox, 2) FROM incoming
    WHERE kind IN ('reader', 'unconfirmed') AND NOT is_confirmed
    ON CONFLICT DO NOTHING
"""
REMOVE_SEEN = """
    WITH counted AS (
        INSERT INTO seen
        SELECT hashtextextended(email_key, (kind IN ('reader', 'unconfirmed'))::int) FROM incoming
        ON CONFLICT DO NOTHING RETURNING row_hash
    )
    DELETE FROM incoming WHERE hashtextextended(
        email_key, (kind IN ('reader', 'unconfirmed'))::int
    ) NOT IN (SELECT row_hash FROM counted)
"""
