"""Each list of the admin opens and searches, and its queries do not grow with its rows."""

from datetime import UTC, datetime

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from digest.models import Delivery
from subscribers.api import tokens
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


def create_one_of_each(number):
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
    tokens.issue(name="CMS", scopes=["stories:write"], newsletter=newsletter, now=factories.NOW)
    webhook = factories.webhook(newsletter=newsletter)
    factories.webhook_delivery(webhook).tries.create(at=factories.NOW, milliseconds=12, status=500)


def count_queries(client, url):
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


@pytest.mark.parametrize("name", LISTS)
def test_a_list_takes_as_many_queries_for_ten_rows_as_for_two(admin_client, name):
    url = reverse(f"admin:{name}_changelist")
    for number in range(2):
        create_one_of_each(number)
    admin_client.get(url)  # This request fills the caches of content types and sessions.
    few = count_queries(admin_client, url)

    for number in range(2, 10):
        create_one_of_each(number)

    assert count_queries(admin_client, url) == few


@pytest.mark.parametrize("name", LISTS)
def test_a_list_can_be_searched(admin_client, name):
    create_one_of_each(0)

    assert (
        admin_client.get(reverse(f"admin:{name}_changelist"), {"q": "example"}).status_code == 200
    )


@pytest.mark.parametrize("name", LISTS)
def test_an_empty_list_opens(admin_client, name):
    assert admin_client.get(reverse(f"admin:{name}_changelist")).status_code == 200


def test_times_are_written_on_a_24_hour_clock(admin_client):
    noon = datetime(2026, 3, 10, 12, tzinfo=UTC)
    Subscriber.objects.filter(pk=factories.subscriber().pk).update(created_at=noon)

    page = admin_client.get(reverse("admin:subscribers_subscriber_changelist")).content.decode()

    assert "10 Mar 2026, 12:00" in page


def test_the_overview_takes_as_many_queries_for_five_newsletters_as_for_one(admin_client):
    create_one_of_each(0)
    admin_client.get(reverse("admin:index"))
    # The expensive figures are cached for about a second. Each count is of a page without them.
    cache.clear()
    few = count_queries(admin_client, reverse("admin:index"))

    for number in range(1, 5):
        create_one_of_each(number)

    cache.clear()
    assert count_queries(admin_client, reverse("admin:index")) == few


def test_an_empty_list_says_whether_nothing_is_there_or_nothing_matches(admin_client):
    url = reverse("admin:digest_feed_changelist")

    assert "No feeds yet" in admin_client.get(url).content.decode()
    assert "Show all" not in admin_client.get(url).content.decode()
    assert "No feeds match" in admin_client.get(url, {"q": "zzz"}).content.decode()
