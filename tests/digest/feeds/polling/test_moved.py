"""A feed whose server says that it has moved for good is asked for at its new URL."""

from datetime import timedelta

import pytest

from digest.feeds import ingest
from digest.feeds.polling import moved
from digest.models import Feed
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db

BODY = (
    b"<rss version='2.0'><channel><title>Wire</title><item><title>A story</title>"
    b"<link>https://a.example/1</link></item></channel></rss>"
)
LATER = NOW + moved.SETTLED


@pytest.fixture
def old(web):
    """A feed at /old, which redirects to a feed at /new."""
    web.serve("/new", BODY, headers={"ETag": '"1"'})
    url = web.serve("/old", status=301, headers={"Location": "/new"})
    return factories.feed(factories.newsletter(), url=url)


def fetch(feed, *moments):
    for moment in moments:
        ingest.fetch_feed(feed_id=feed.pk, now=moment, force=True)
    return Feed.objects.get(pk=feed.pk)


@pytest.mark.parametrize("status", [301, 308])
def test_a_permanent_redirect_that_lasts_changes_the_url(web, old, status):
    web.serve("/old", status=status, headers={"Location": "/new"})
    feed = fetch(old, NOW)
    assert (feed.url, feed.moving_to) == (old.url, web.url("/new"))

    feed = fetch(old, LATER)
    assert (feed.url, feed.moved_from, feed.moved_at) == (web.url("/new"), old.url, LATER)
    assert feed.moving_to == ""

    fetch(old, LATER + timedelta(hours=1))
    assert web.requests[-1][0] == "/new"


@pytest.mark.parametrize("status", [302, 303, 307])
def test_a_temporary_redirect_changes_nothing(web, old, status):
    web.serve("/old", status=status, headers={"Location": "/new"})
    feed = fetch(old, NOW, LATER)

    assert (feed.url, feed.moving_to, feed.last_error) == (old.url, "", "")


def test_behind_a_temporary_redirect_the_way_does_not_count(web, old):
    web.serve("/old", status=301, headers={"Location": "/middle"})
    web.serve("/middle", status=302, headers={"Location": "/then"})
    web.serve("/then", status=301, headers={"Location": "/new"})

    assert fetch(old, NOW, LATER).url == web.url("/middle")


def test_a_redirect_of_a_few_hours_changes_nothing(web, old):
    assert fetch(old, NOW, LATER - timedelta(minutes=1)).url == old.url
    web.serve("/old", BODY)
    feed = fetch(old, LATER)
    assert (feed.url, feed.moving_to, feed.moving_since) == (old.url, "", None)


@pytest.mark.parametrize("body", [b"<html><body>Log in</body></html>", b""])
def test_a_redirect_to_what_is_no_feed_changes_nothing(web, old, body):
    web.serve("/new", body)

    assert fetch(old, NOW, LATER, LATER + moved.SETTLED).url == old.url


def test_a_feed_that_moved_to_where_another_is_gives_way_to_it(web, old):
    other = factories.feed(old.newsletter, url=web.url("/new"), title="The same wire")
    feed = fetch(old, NOW, LATER)

    assert (feed.url, feed.is_active) == (old.url, False)
    assert "as “The same wire”. The feed was switched off." in feed.last_error
    assert Feed.objects.get(pk=other.pk).is_active


def test_a_feed_does_not_give_way_to_one_that_is_switched_off(web, old):
    factories.feed(old.newsletter, url=web.url("/new"), is_active=False)
    feed = fetch(old, NOW, LATER, LATER + moved.SETTLED)

    assert (feed.url, feed.is_active, feed.last_error) == (old.url, True, "")


@pytest.mark.parametrize(
    ("moved_to", "expected"),
    [
        ("https://b.example/feed", "https://b.example/feed"),
        ("https://b.example/feed#top", "https://b.example/feed"),
        ("http://a.example/feed", ""),
        ("https://a.example/old#x", ""),
        ("https://10.0.0.1/feed", ""),
        ("https://a.example/" + "x" * 1000, ""),
        ("ftp://a.example/feed", ""),
        ("", ""),
    ],
)
def test_a_feed_moves_neither_to_plain_http_nor_to_a_private_host(moved_to, expected):
    target = moved.target("https://a.example/old", moved_to, allow_hosts=["10.0.0.1"])
    assert target == expected
