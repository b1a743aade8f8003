"""A reader with a link to their preferences."""

import pytest
from django.urls import reverse
from django.utils import timezone

from subscribers import signed_links
from tests import factories


@pytest.fixture
def newsletter():
    newsletter = factories.newsletter(name="The Daily", slug="daily", timezone="Europe/London")
    for name in ("World", "Sport", "Arts"):
        factories.section(newsletter, name=name)
    return newsletter


@pytest.fixture
def active(newsletter):
    return factories.subscription(newsletter, "ann@example.com")


@pytest.fixture
def other(active):
    """The same reader's subscription to another newsletter."""
    second = factories.newsletter(name="The Evening", slug="evening")
    return factories.second_subscription(active.subscriber, second)


@pytest.fixture
def send(client):
    """Return a function that sends a form of the page like a browser, and follows the redirect."""

    def send(reader, do, /, **fields):
        return client.post(link(reader), {"do": do, **fields}, follow=True)

    return send


def link(subscription):
    return reverse("preferences", args=[signed_links.preferences_token(subscription)])


def data_link(subscription, name="data-export"):
    """Return a link as the mail has it that a reader gets who asks for their data."""
    return reverse(name, args=[signed_links.data_token(subscription, now=timezone.now())])


def unsubscribe_link(subscription, name="unsubscribe"):
    return reverse(name, args=[signed_links.unsubscribe_token(subscription.pk)])


def recorded_changes(subscription):
    """Return the changes that the ledger has of the subscription, the oldest first."""
    changes = subscription.consents.filter(kind="change").order_by("pk")
    return list(changes.values_list("details", flat=True))
