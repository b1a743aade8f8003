"""The lists: they open, they search, and their queries do not grow with their rows."""

from datetime import UTC, datetime

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from digest.models import Delivery
from subscribers import access
from subscribers.models import Consent, Subscriber, Suppression
from tests import factories

pytestmark = pytest.mark.django_db

LISTS = [
    "auth_user",
    "auth_group",
    "digest_delivery",
    "digest_edition",
    "digest_feed",
    "digest_schedule",
    "digest_story",
    "subscribers_apitoken",
    "subscribers_consent",
    "subscribers_importjob",
    "subscribers_newsletter",
    "subscribers_subscriber",
    "subscribers_subscription",
    "subscribers_suppression",
    "subscribers_webhook",
    "subscribers_webhookdelivery",
]


def one_of_each(number):
    newsletter = factories.newsletter()
    section = factories.section(newsletter)
    factories.schedule(newsletter)
    feed = factories.feed(newsletter, section=section, consecutive_failures=1)
    edition = factories.edition(newsletter)
    factories.item(
        edition, factories.story(newsletter, feed=feed, section=section), section=section
    )
    subscription = factories.subscription(newsletter)
    Consent.objects.create(
        subscription=subscription, kind="signup", wording="Send me it.", wording_version="1"
    )
    Delivery.objects.create(edition=edition, subscription=subscription)
    Suppression.objects.create(email_key=f"gone{number}@example.com", reason="bounce")
    access.make(name="CMS", scopes=["stories:write"], newsletter=newsletter, now=factories.NOW)
    webhook = factories.webhook(newsletter=newsletter)
    factories.webhook_delivery(webhook).tries.create(at=factories.NOW, milliseconds=12, status=500)


def queries(client, url):
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


@pytest.mark.parametrize("name", LISTS)
def test_a_list_takes_as_many_queries_for_ten_rows_as_for_two(desk, name):
    url = reverse(f"admin:{name}_changelist")
    for number in range(2):
        one_of_each(number)
    desk.get(url)  # fills the caches of content types and sessions
    few = queries(desk, url)

    for number in range(2, 10):
        one_of_each(number)

    assert queries(desk, url) == few


@pytest.mark.parametrize("name", LISTS)
def test_a_list_can_be_searched(desk, name):
    one_of_each(0)

    assert desk.get(reverse(f"admin:{name}_changelist"), {"q": "example"}).status_code == 200


@pytest.mark.parametrize("name", LISTS)
def test_an_empty_list_opens(desk, name):
    assert desk.get(reverse(f"admin:{name}_changelist")).status_code == 200


def test_times_are_written_on_a_24_hour_clock(desk):
    noon = datetime(2026, 3, 10, 12, tzinfo=UTC)
    Subscriber.objects.filter(pk=factories.subscriber().pk).update(created_at=noon)

    page = desk.get(reverse("admin:subscribers_subscriber_changelist")).content.decode()

    assert "10 Mar 2026, 12:00" in page


def test_the_overview_takes_as_many_queries_for_five_newsletters_as_for_one(desk):
    one_of_each(0)
    desk.get(reverse("admin:index"))
    # Its dear figures are kept for a second or so: each count is of a page that has none of them.
    cache.clear()
    few = queries(desk, reverse("admin:index"))

    for number in range(1, 5):
        one_of_each(number)

    cache.clear()
    assert queries(desk, reverse("admin:index")) == few
