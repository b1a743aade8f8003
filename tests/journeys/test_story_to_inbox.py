"""A story goes all the way from a feed to a reader's inbox, and the reader unsubscribes.

Every part is real: PostgreSQL, Redis, a Celery worker process, a feed over HTTP, mail over SMTP.
"""

from __future__ import annotations

import re
import threading
from contextlib import suppress
from datetime import timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from config import celery_app
from digest.editions.edit.curate import reorder
from digest.feeds.ingest import add_feed
from digest.models import Delivery, Edition
from subscribers.models import Subscription
from tests import factories
from tests.support.waiting import wait_for

HEADLINES = [
    "Harbour reopens after the long winter",
    "Council votes for the night tram",
    "Old mill becomes a school of music",
    "Ferry crews agree on a new contract",
]


@pytest.fixture
def feed_url():
    """The URL of a feed on loopback HTTP, whose stories are less than an hour old."""
    now = timezone.now()
    items = "".join(
        f"<item><title>{headline}</title><link>https://wire.example.com/{n}</link>"
        f"<description>What is known about it, story {n}.</description>"
        f"<pubDate>{format_datetime(now - timedelta(minutes=10 * n))}</pubDate></item>"
        for n, headline in enumerate(HEADLINES, start=1)
    )
    body = f'<rss version="2.0"><channel><title>Coast Wire</title>{items}</channel></rss>'.encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "application/rss+xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/feed.xml"
    server.shutdown()
    server.server_close()


def test_a_story_reaches_the_inbox_and_the_reader_can_unsubscribe(
    worker, relay, client, feed_url, settings, capsys
):
    settings.FETCH_ALLOW_HOSTS = ["127.0.0.1"]
    newsletter = factories.newsletter(name="The Morning Boat", slug="boat")
    reader = "ada@example.com"

    # A reader signs up on the newsletter's page and confirms from the mail.
    sign_up(client, newsletter, reader)
    confirmation = relay.wait_for_mail(reader)
    confirm_url = re.search(r"http\S+/confirm/\S+", confirmation.part("plain"))[0]
    assert Subscription.objects.get().status == "pending"
    assert client.get(confirm_url).status_code == 200
    assert Subscription.objects.get().status == "pending"
    assert client.post(confirm_url, follow=True).status_code == 200
    assert Subscription.objects.get().status == "active"
    welcome = relay.wait_for_mail(reader, count=2)
    assert welcome.message["Subject"] == "Welcome to The Morning Boat"

    # Stories come in from a feed. A draft is proposed, reordered and approved.
    add_feed(newsletter=newsletter, url=feed_url, now=timezone.now())
    edition = draft(newsletter, capsys)
    items = {item.story.title: item.pk for item in edition.items.select_related("story")}
    assert set(items) == set(HEADLINES)
    wanted = [HEADLINES[2], HEADLINES[0], HEADLINES[3], HEADLINES[1]]
    reorder(edition_id=edition.pk, item_ids=[items[title] for title in wanted])
    call_command("approve_edition", edition.pk)

    # The worker sends it.
    call_command("send_edition", edition.pk, "--wait")
    assert re.search(
        r"^sent 1, failed 0, skipped 0, uncertain 0 in \d+\.\d s\b", capsys.readouterr().out, re.M
    )
    digest = relay.wait_for_mail(reader, count=3)
    assert digest.message["Subject"] == edition.subject
    for kind in ("plain", "html"):
        found = [digest.part(kind).rindex(title) for title in wanted]
        assert found == sorted(found), f"the {kind} part is in another order"
    assert "https://wire.example.com/3" in digest.part("html")
    edition.refresh_from_db()
    assert edition.status == Edition.Status.SENT

    # After one click in the mail program the reader gets nothing more.
    (one_click,) = re.findall(r"<(http[^>]+)>", digest.message["List-Unsubscribe"])
    assert digest.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    response = client.post(one_click, {"List-Unsubscribe": "One-Click"})
    assert response.status_code == 200
    assert Subscription.objects.get().status == "unsubscribed"

    other = factories.subscription(newsletter, "bob@example.com")
    next_edition = factories.edition(newsletter, sends_at=timezone.now(), deadline_at=tomorrow())
    call_command("approve_edition", next_edition.pk)
    call_command("send_edition", next_edition.pk, "--wait")
    relay.wait_for_mail("bob@example.com")
    deliveries = Delivery.objects.filter(edition=next_edition)
    assert list(deliveries.values_list("subscription")) == [(other.pk,)]
    assert len(relay.mails_to(reader)) == 3


def test_the_ticks_of_beat_alone_send_a_due_edition(worker, relay, settings):
    """The ticks of beat are enough, whatever happened to the queue."""
    newsletter = factories.newsletter()
    factories.subscription(newsletter, "ada@example.com")
    local = (timezone.now() - timedelta(minutes=1)).astimezone(newsletter.zone)
    schedule = factories.schedule(newsletter, local_time=local.time(), unapproved="send")
    type(schedule).objects.update(changed_at=timezone.now() - timedelta(hours=2))
    # Three events: alike stories would be one, of which one is printed.
    for title in ("Port of Bergen closed by storm", "Court fines bank", "Comet seen over Peru"):
        factories.story(newsletter, title=title, summary="", published_at=timezone.now())

    def is_sent():
        return Edition.objects.filter(status=Edition.Status.SENT).exists()

    # The first tick finds the slot, the next the draft, and the third the approved edition.
    for _ in range(20):
        celery_app.send_task("digest.tasks.tick")
        with suppress(AssertionError):
            wait_for(is_sent, seconds=2)
            break
    relay.wait_for_mail("ada@example.com")
    assert Edition.objects.count() == 1
    assert len(relay.received) == 1


def sign_up(client, newsletter, email):
    url = reverse("newsletter", args=[newsletter.slug])
    response = client.post(url, {"email": email}, follow=True)
    assert response.status_code == 200


def draft(newsletter, capsys):
    call_command("draft_edition", newsletter.slug)
    first = capsys.readouterr().out
    call_command("draft_edition", newsletter.slug)
    assert capsys.readouterr().out == first
    return Edition.objects.get(pk=int(first))


def tomorrow():
    return timezone.now() + timedelta(days=1)
