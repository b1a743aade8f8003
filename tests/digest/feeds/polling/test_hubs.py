"""A feed's hub says when something is new, and is believed only that (WebSub)."""

import hashlib
import hmac
from datetime import timedelta
from urllib.parse import parse_qs

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils.timezone import now as clock
from hypothesis import given
from hypothesis import strategies as st

from digest import tasks
from digest.feeds import ingest
from digest.feeds.polling import hubs
from digest.models import Feed, HubSubscription
from digest.views import hubs as view
from tests import factories
from tests.factories import NOW
from tests.support.steps import assert_steps_are_bounded

pytestmark = pytest.mark.django_db
TOPIC = "https://a.example/feed"


@pytest.fixture(autouse=True)
def _public(settings):
    settings.FETCH_ALLOW_HOSTS = ["127.0.0.1"]
    settings.SITE_URL = "https://news.example.com"


@pytest.fixture
def hub():
    """An active subscription that was told something an hour ago."""
    feed = factories.feed(factories.newsletter(), url=TOPIC, next_fetch_at=clock() + LATER)
    return subscribe(feed)


LATER = timedelta(hours=5)


def subscribe(feed, **fields):
    at = clock()
    defaults = {
        "hub_url": "https://hub.example/", "topic_url": TOPIC, "status": "active",
        "next_request_at": at + timedelta(days=8), "lease_until": at + timedelta(days=10),
    }  # fmt: skip
    return HubSubscription.objects.create(feed=feed, **defaults | fields)


def atom(n, hub="https://hub.example/"):
    entries = "".join(
        f"<entry><title>Story {i}</title><id>i{i}</id><link href='https://a.example/{i}'/></entry>"
        for i in range(n)
    )
    return (
        "<feed xmlns='http://www.w3.org/2005/Atom'><title>A</title>"
        f"<link rel='self' href='{TOPIC}'/><link rel='hub' href='{hub}'/>{entries}</feed>"
    ).encode()


# --- Subscribing ---------------------------------------------------------------------------------


def test_the_hub_that_a_feed_names_is_asked_for_ten_days(web, receiver):
    receiver.status = 202
    feed = factories.feed(factories.newsletter(), url=web.serve("/f", atom(1, receiver.url)))
    ingest.fetch_feed(feed_id=feed.pk, now=NOW, force=True)
    hub = HubSubscription.objects.get()
    assert hubs.due_requests(now=NOW) == [hub.pk]

    hubs.request(subscription_id=hub.pk, now=NOW)
    hubs.request(subscription_id=hub.pk, now=NOW + timedelta(hours=1))

    asked = {name: value for name, [value] in parse_qs(receiver.received[0].body.decode()).items()}
    assert asked == {
        "hub.mode": "subscribe",
        "hub.topic": TOPIC,
        "hub.callback": f"https://news.example.com/hubs/{hub.token}/",
        "hub.lease_seconds": "864000",
        "hub.secret": hub.secret,
    }
    assert len(hub.token) > 40
    hub.refresh_from_db()
    # It has not verified, and is asked again after one hour, then two.
    assert (hub.status, hub.next_request_at) == ("asked", NOW + timedelta(hours=3))


def test_a_hub_in_the_headers_comes_first_and_one_that_is_gone_is_forgotten(web):
    link = f'<https://other.example/hub>; rel="hub", <{TOPIC}>; rel=self'
    url = web.serve("/f", atom(1), headers={"Link": link})
    feed = factories.feed(factories.newsletter(), url=url)
    ingest.fetch_feed(feed_id=feed.pk, now=NOW, force=True)
    assert HubSubscription.objects.get().hub_url == "https://other.example/hub"

    web.serve("/f", b"<rss version='2.0'><channel><title>A</title></channel></rss>")
    ingest.fetch_feed(feed_id=feed.pk, now=NOW, force=True)
    assert not HubSubscription.objects.exists()


@pytest.mark.parametrize(
    ("site", "expected"),
    [
        ("https://news.example.com", True),
        ("http://news.example.com", False),
        ("https://localhost:8000", False),
        ("https://10.0.0.1", False),
        ("https://newsroom", False),
        ("https://news.local", False),
    ],
)
def test_no_hub_is_asked_that_could_not_reach_us(settings, site, expected):
    settings.SITE_URL = site
    assert hubs.can_be_reached() == expected


def test_a_hub_on_a_private_address_is_not_asked(settings, hub):
    settings.FETCH_ALLOW_HOSTS = []
    HubSubscription.objects.update(hub_url="http://10.0.0.1/hub")
    hubs.request(subscription_id=hub.pk, now=clock())
    hub.refresh_from_db()
    assert "which is not a public address" in hub.last_error


def test_the_subscription_of_a_feed_that_is_switched_off_is_ended(hub, receiver):
    HubSubscription.objects.update(hub_url=receiver.url)
    Feed.objects.update(is_active=False)
    assert hubs.due_requests(now=clock()) == [hub.pk]

    hubs.request(subscription_id=hub.pk, now=NOW)

    assert "hub.mode=unsubscribe" in receiver.received[0].body.decode()
    assert hubs.due_requests(now=NOW) == []
    hubs.request(subscription_id=hub.pk, now=NOW + timedelta(days=1))
    assert not HubSubscription.objects.exists()


# --- Verifying -----------------------------------------------------------------------------------


def verify(client, hub, **fields):
    asked = {"mode": "subscribe", "topic": TOPIC, "challenge": "abc", "lease_seconds": "100000"}
    query = {f"hub.{name}": value for name, value in (asked | fields).items()}
    return client.get(reverse("hub_callback", args=[hub.token]), query)


def test_a_hub_that_asks_back_gets_its_challenge_and_the_lease_is_renewed_in_time(client, hub):
    HubSubscription.objects.update(status="asked", lease_until=None, failures=3)
    answer = verify(client, hub)

    assert (answer.status_code, answer.content, answer["Content-Type"]) == (
        200, b"abc", "text/plain; charset=utf-8",
    )  # fmt: skip
    hub.refresh_from_db()
    assert (hub.status, hub.failures) == ("active", 0)
    assert hub.next_request_at < hub.lease_until <= clock() + timedelta(seconds=100000)


@pytest.mark.parametrize(
    "fields",
    [{"topic": "https://b.example/"}, {"mode": "unsubscribe"}, {"mode": "publish"}, {"mode": ""}],
)
def test_what_we_did_not_ask_for_is_not_confirmed(client, hub, fields):
    assert verify(client, hub, **fields).status_code == 404


def test_an_unknown_address_is_not_confirmed_and_gets_no_messages(client, hub):
    hub.token = "guessed"
    assert verify(client, hub).status_code == 404
    assert client.post(reverse("hub_callback", args=["guessed"])).status_code == 410


def test_a_refusal_is_kept_and_the_hub_is_asked_again_a_day_later(client, hub):
    assert verify(client, hub, mode="denied").status_code == 200
    hub.refresh_from_db()
    assert hub.status == "refused"
    assert hub.next_request_at > clock() + timedelta(hours=23)


@pytest.mark.parametrize(
    ("stated", "lease"),
    [("", hubs.LEASE), ("soon", hubs.LEASE), ("1", timedelta(minutes=10)),
     ("9" * 400, timedelta(days=30)), ("-5", hubs.LEASE)],
)  # fmt: skip
def test_a_lease_is_believed_within_bounds(client, hub, stated, lease):
    verify(client, hub, lease_seconds=stated)
    hub.refresh_from_db()
    assert abs(hub.lease_until - clock() - lease) < timedelta(minutes=1)


# --- Messages ------------------------------------------------------------------------------------


def tell(client, hub, body=b"<feed/>", *, method="sha256", secret=None, signature=None):
    key = (secret or hub.secret).encode()
    signature = signature or f"{method}={hmac.new(key, body, method).hexdigest()}"
    return client.post(
        reverse("hub_callback", args=[hub.token]), body, content_type="application/atom+xml",
        headers={"X-Hub-Signature": signature},
    )  # fmt: skip


@pytest.fixture
def queued(monkeypatch):
    cache.clear()
    fetched = []
    monkeypatch.setattr(view, "enqueue", lambda task, **kwargs: fetched.append(kwargs["feed_id"]))
    return fetched


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
def test_a_signed_message_has_the_feed_fetched_now(client, hub, queued, method):
    assert tell(client, hub, method=method).status_code == 202
    assert queued == [hub.feed_id]
    assert Feed.objects.get().next_fetch_at <= clock()


@pytest.mark.parametrize(
    "fields",
    [
        {"secret": "another"},
        {"signature": "sha256="},
        {"signature": "md5=" + hashlib.md5(b"").hexdigest()},  # noqa: S324
        {"signature": "é"},
        {"signature": "x" * 5000},
    ],
    ids=["key", "empty", "md5", "letters", "long"],
)
def test_what_is_not_signed_is_answered_and_ignored(client, hub, queued, fields):
    assert tell(client, hub, **fields).status_code == 202
    assert queued == []
    hub.refresh_from_db()
    assert hub.told_at is None
    assert Feed.objects.get().next_fetch_at > clock()


def test_many_messages_cause_one_fetch_a_minute(client, hub, queued):
    Feed.objects.update(last_fetched_at=clock())
    tell(client, hub)

    assert queued == []
    assert clock() < Feed.objects.get().next_fetch_at <= clock() + timedelta(minutes=1)


def test_a_message_during_a_fetch_is_not_forgotten_at_its_end(web, monkeypatch):
    feed = factories.feed(factories.newsletter(), url=web.serve("/f", atom(1)))
    at = clock()
    hub = subscribe(feed, told_at=at - timedelta(hours=1))
    get = ingest.fetch.get

    def meanwhile(*args, **kwargs):
        answer = get(*args, **kwargs)
        hubs.take_message(hub, now=at + timedelta(seconds=1))
        return answer

    monkeypatch.setattr(ingest.fetch, "get", meanwhile)
    ingest.fetch_feed(feed_id=feed.pk, now=at, force=True)

    assert Feed.objects.get().next_fetch_at == at + timedelta(minutes=1)
    monkeypatch.undo()
    ingest.fetch_feed(feed_id=feed.pk, now=at + timedelta(minutes=1))
    assert Feed.objects.get().next_fetch_at > at + timedelta(hours=5)


def test_more_than_thirty_messages_a_minute_are_not_looked_at(client, hub, queued):
    statuses = [tell(client, hub, secret="x").status_code for _ in range(31)]

    assert statuses == [202] * 30 + [429]


def test_a_message_that_is_too_large_is_refused(client, hub, queued, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    assert tell(client, hub, b"x" * 101).status_code == 413


# --- Polling -------------------------------------------------------------------------------------


def test_polling_is_slow_only_while_the_hub_tells(web, hub):
    feed = hub.feed
    at = clock()

    def fetched(stories, at):
        web.serve("/f", atom(stories))
        Feed.objects.update(url=web.url("/f"))
        ingest.fetch_feed(feed_id=feed.pk, now=at, force=True)
        feed.refresh_from_db()
        return feed.interval_reason

    assert "hub" not in fetched(1, at)
    HubSubscription.objects.update(told_at=at + timedelta(minutes=5))
    assert fetched(2, at + timedelta(minutes=6)) == "its hub tells when something is new"
    assert feed.current_minutes == 360
    # Six hours later a poll finds what nobody announced.
    assert "hub" not in fetched(3, at + timedelta(hours=6))
    HubSubscription.objects.update(told_at=at + timedelta(hours=7))
    assert "hub" in fetched(3, at + timedelta(hours=8))
    assert "hub" not in fetched(3, at + timedelta(days=11))


def test_a_tick_asks_the_hubs_that_are_due(hub, monkeypatch):
    asked = []
    monkeypatch.setattr(tasks, "enqueue", lambda task, **kwargs: asked.append((task.name, kwargs)))
    HubSubscription.objects.update(next_request_at=NOW)
    tasks._ask_hubs(clock())
    assert asked == [("digest.tasks.ask_hub", {"subscription_id": hub.pk})]


# --- Link headers --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('<https://h.example/>; rel="hub"', "https://h.example/"),
        ("<https://x.example/>; rel=next, <https://h.example/>; rel=hub", "https://h.example/"),
        ('<https://h.example/>; rel="self hub"', "https://h.example/"),
        ("<javascript:x>; rel=hub", ""),
        ("https://h.example/; rel=hub", ""),
        ("", ""),
    ],
)
def test_a_link_header_is_read(header, expected):
    assert hubs.linked(header, "hub") == expected


@given(st.text(alphabet='<>;,= "relhub\n', min_size=1, max_size=8))
def test_a_hostile_link_header_takes_bounded_steps(unit):
    assert_steps_are_bounded(lambda text: hubs.linked(text, "hub"), unit)
