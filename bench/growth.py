"""Time the admin's page of growth, and the counting behind it, for a million readers.

    make bench-growth N=1000000

The data are three years of sign-ups from 2,000 pages: most are confirmed, and one in seven has left
again. For the worst hour, a list of the same size has just been imported.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from bench import servers
from bench.figures import Figures, heading, median, positive

PAGE_SECONDS = 0.5
IMPORT_SECONDS = 5.0
TWO_HOURS = timedelta(hours=2)
PAGES = 2000
DAYS = 3 * 365

_READERS = """
WITH person AS (
    INSERT INTO subscribers_subscriber (email, email_key, name, language, timezone, created_at)
    SELECT format('reader.%%s@%%s.example.com', n, %(newsletter)s),
           format('reader.%%s@%%s.example.com', n, %(newsletter)s), '', '', '', %(now)s
      FROM generate_series(1, %(count)s) AS n
    RETURNING id
)
INSERT INTO subscribers_subscription
       (subscriber_id, newsletter_id, status, generation, muted_sections, source, created_at,
        confirmed_at, ended_at)
SELECT id, %(newsletter)s, CASE WHEN gone < %(now)s THEN 'unsubscribed' ELSE 'active' END, 1, '{}',
       %(host)s || floor(%(pages)s * power(random(), 3)), at, at,
       CASE WHEN gone < %(now)s THEN gone END
  FROM (SELECT id, at, CASE WHEN id %% 6 = 0 THEN at + random() * interval '300 days' END AS gone
          FROM (SELECT id, %(now)s - random() * %(days)s * interval '1 day' AS at
                  FROM person OFFSET 0) dated OFFSET 0) p
"""
_LEDGER = """
INSERT INTO subscribers_consent
       (subscription_id, kind, wording, wording_version, page, language, user_agent, details,
        created_at)
SELECT s.id, k.kind, %(wording)s, '2026-01', 'https://' || s.source, 'en', %(agent)s, '{}',
       CASE WHEN k.kind = 'withdrawal' THEN s.ended_at ELSE s.created_at END
  FROM subscribers_subscription s
  JOIN unnest(%(kinds)s::text[]) AS k(kind) ON k.kind <> 'withdrawal' OR s.ended_at IS NOT NULL
 WHERE s.newsletter_id = %(newsletter)s
   AND NOT EXISTS (SELECT 1 FROM subscribers_consent c WHERE c.subscription_id = s.id)
 ORDER BY s.created_at
"""
WORDING = "By signing up you agree to get The Daily Bench by e-mail. " * 2
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

_PLAIN = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}


def run_growth_bench() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--readers", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--rounds", type=positive, default=3)
    options = parser.parse_args()
    heading(f"Growth of a newsletter with {options.readers:,} readers")
    figures = Figures()
    with servers.production_services("smtp://127.0.0.1:9"):
        _measure(options, figures)
    figures.verdict()


def _measure(options: argparse.Namespace, figures: Figures) -> None:
    from django.utils.timezone import now

    from bench import edition as editions

    at = now()
    newsletter = editions.add_newsletter()
    _fill(newsletter.pk, options.readers, DAYS, ["signup", "confirmation", "withdrawal"])
    figures.line("first count of three years", f"{_seconds(lambda: _count_all(at)):,.1f} s")
    _pages(options, figures, "")
    # The page reads what happened in the last hour from the consent ledger itself.
    _fill(newsletter.pk, options.readers // 500, 0.04, ["signup", "confirmation"])
    _pages(options, figures, ", a busy day")
    other = editions.add_newsletter()
    _fill(other.pk, options.readers, 0.001, ["import"])
    # Measured once: then the page is cached for thirty times as long as it took, and the import is
    # soon counted.
    figures.at_most("page, an import this hour", _page_seconds(30), IMPORT_SECONDS, "{:,.2f} s")
    figures.line("counting it", f"{_seconds(lambda: _count_all(at + TWO_HOURS)):,.1f} s")
    _pages(options, figures, ", the import counted")


def _pages(options: argparse.Namespace, figures: Figures, when: str) -> None:
    for days in (30, 365):
        took = median([_page_seconds(days) for _ in range(options.rounds)])
        figures.at_most(f"page, {days} days{when}", took, PAGE_SECONDS, "{:,.2f} s")


def _page_seconds(days: int) -> float:
    from django.contrib.auth.models import User
    from django.core.cache import cache
    from django.test import Client, override_settings
    from django_otp import DEVICE_ID_SESSION_KEY
    from django_otp.plugins.otp_totp.models import TOTPDevice

    client = Client()
    user, _ = User.objects.get_or_create(username="editor", is_staff=True, is_superuser=True)
    client.force_login(user)
    app, _ = TOTPDevice.objects.get_or_create(user=user)
    session = client.session
    session[DEVICE_ID_SESSION_KEY] = app.persistent_id  # the code of this app was given
    session.save()
    cache.clear()  # the first visitor finds it empty
    # Only a deployment has a manifest of static files; the bench does without it.
    with override_settings(STORAGES=_PLAIN):
        began = time.perf_counter()
        response = client.get(
            "/admin/subscribers/growthday/", {"days": days}, secure=True, SERVER_NAME="localhost"
        )
        assert response.status_code == 200, response
        return time.perf_counter() - began


def _fill(newsletter_id: int, count: int, days: float, kinds: list[str]) -> None:
    from django.db import connection
    from django.utils.timezone import now

    values: dict[str, Any] = {
        "newsletter": newsletter_id,
        "count": count,
        "days": days,
        "kinds": kinds,
        "now": now(),
        "pages": PAGES,
        "host": "news.example.com/",
        "wording": WORDING,
        "agent": AGENT,
    }
    with connection.cursor() as cursor:
        # Addresses have to be new each time.
        cursor.execute(_READERS.replace("reader.", f"reader{time.time_ns()}."), values)
        cursor.execute(_LEDGER, values)
        cursor.execute("VACUUM ANALYZE subscribers_subscription, subscribers_consent")


def _count_all(at: Any) -> None:
    from subscribers.reports import growth

    while growth.count_settled(now=at):
        pass


def _seconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    run_growth_bench()
