"""An approved edition with readers, and lanes that run in this process."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings

from digest.delivery.lane import lane, shutdown
from digest.delivery.pacing import circuit_breaker
from digest.delivery.planning import start
from digest.editions.decide.approve import approve
from digest.models import Delivery, Edition
from subscribers.mail.relays import parse_relay
from tests import factories
from tests.factories import NOW
from tests.servers.esp import esp_server, frozen_with, mailgun, postmark


@pytest.fixture(autouse=True)
def _no_shutdown_requested():
    shutdown.reset_request_for_tests()
    yield
    shutdown.reset_request_for_tests()


@pytest.fixture
def edition(db):
    """Return an approved edition with three stories; its newsletter has no readers yet."""
    edition = factories.edition(factories.newsletter(), sends_at=NOW)
    return approve(edition_id=edition.pk, now=NOW)


@pytest.fixture
def readers(edition):
    """Make the given number of active subscriptions, in id order."""

    def make(count, prefix="reader"):
        return [
            factories.subscription(edition.newsletter, f"{prefix}{n}@example.com")
            for n in range(count)
        ]

    return make


@pytest.fixture
def start_sending(edition):
    """Start the edition, plan all its readers and return how many rows were added."""

    def start_sending(now=NOW):
        before = edition.deliveries.count()
        start.start_delivery(edition_id=edition.pk, now=now)
        start.plan_audience(edition_id=edition.pk, now=now)
        return edition.deliveries.count() - before

    return start_sending


@pytest.fixture
def run_lane(edition):
    """Run one lane in this process; without a `clock` its time stands still.

    All breakers are closed first, as if some time had passed since the run before.
    """

    def run(name="lane-1", now=NOW, clock=None):
        for relay in settings.EMAIL_RELAYS:
            circuit_breaker.record_success(relay)
        return lane.run_lane(edition_id=edition.pk, lane=name, clock=clock or (lambda: now))

    return run


@pytest.fixture
def esp():
    with esp_server() as server:
        yield server


@pytest.fixture
def postmark_relay(esp):
    esp.answer = postmark
    return parse_relay(f"anymail+postmark://token-of-mine@?api_url={esp.url}")


@pytest.fixture
def mailgun_relay(esp):
    esp.answer = mailgun
    url = f"{esp.url}/v3"
    return parse_relay(f"anymail+mailgun://key-of-mine@?sender_domain=mg.example.com&api_url={url}")


@pytest.fixture
def page(db):
    return frozen_with("A plain headline")


def rows(edition):
    """Return the outcome of each address: {address: (status, reason)}."""
    found = Delivery.objects.filter(edition=edition).select_related("subscription__subscriber")
    return {row.subscription.subscriber.email: (row.status, row.reason) for row in found}


def row(subscription):
    return Delivery.objects.get(subscription=subscription)


def status(edition):
    return Edition.objects.get(pk=edition.pk).status


def later(**span):
    return NOW + timedelta(**span)
