"""Every migration can be undone and applied again although each of its tables has rows."""

from __future__ import annotations

from datetime import timedelta

from django.apps import apps
from django.core.management import call_command
from django.db import connection, models

from digest.models import (
    Delivery,
    Edition,
    HubSubscription,
    RankingWeights,
    SectionRule,
    SieveRule,
    Story,
    TitleVector,
)
from subscribers.api import tokens
from subscribers.models import (
    AddressChange,
    ApiReceipt,
    Consent,
    Event,
    GrowthDay,
    GrowthMark,
    ImportJob,
    ImportRefusal,
    RequestedMail,
    Subscription,
    Suppression,
    WebhookAttempt,
)
from tests import factories
from tests.factories import NOW

OWN = ("digest", "subscribers")


def own_models() -> list[type[models.Model]]:
    return [model for app in OWN for model in apps.get_app_config(app).get_models()]


def add_rows() -> None:
    """Add rows to every table, with each value that a constraint may know only since lately."""
    newsletter = factories.newsletter()
    section, feed = factories.section(newsletter), factories.feed(newsletter)
    for kind in SectionRule.Kind.values:
        SectionRule.objects.create(newsletter=newsletter, section=section, feed=feed, kind=kind)
    for kind in SieveRule.Kind.values:
        SieveRule.objects.create(newsletter=newsletter, kind=kind, value="a")
    for status in HubSubscription.Status.values:
        HubSubscription.objects.create(
            feed=factories.feed(newsletter), status=status, next_request_at=NOW
        )
    factories.schedule(newsletter)
    RankingWeights.objects.create(newsletter=newsletter)
    for origin in Story.Origin.values:
        factories.story(newsletter, origin=origin)
    readers = {
        status: factories.subscription(newsletter, status=status)
        for status in Subscription.Status.values
    }
    reader = readers["active"]
    for kind in Consent.Kind.values:
        Consent.objects.create(
            subscription=reader, kind=kind, wording="x", wording_version="1", ip_address="192.0.2.1"
        )
    for reason in Suppression.Reason.values:
        factories.suppression(f"{reason}@example.com", reason=reason)
    add_editions(reader)
    add_requests(reader)
    add_imports(reader)
    hook = factories.webhook()
    for event in Event.values:
        sent = factories.webhook_delivery(hook, event=event, subscriber=reader.subscriber)
    WebhookAttempt.objects.create(delivery=sent, at=NOW, milliseconds=1)
    token, _ = tokens.issue(name="CMS", scopes=["stories:write"], now=NOW)
    ApiReceipt.objects.create(token=token, key="a", created_at=NOW)


def add_editions(reader: Subscription) -> None:
    published = factories.publish(factories.edition(reader.newsletter))
    TitleVector.objects.create(
        story=factories.story(reader.newsletter), dimension=1, numbers=b"\0\0", made_at=NOW
    )
    published.log.create(at=NOW, actor="autopilot", words="Approved")
    for status in Edition.Status.values:
        edition = factories.edition(reader.newsletter, stories=1, corrects=published)
        factories.force_update(
            Edition.objects.filter(pk=edition.pk),
            status=status, reason="stopped", approved_hash="x",
        )  # fmt: skip
        Delivery.objects.create(edition=edition, subscription=reader)
    # Beside the editions by hand of the same date, of which there is one.
    by_hand = factories.edition(reader.newsletter, schedule=None)
    extras = [
        factories.edition(
            reader.newsletter,
            stories=0,
            schedule=None,
            extra_story=factories.story(reader.newsletter),
            slot_date=by_hand.slot_date,
        )
        for _ in range(2)
    ]
    factories.publish(extras[0])
    for status in Delivery.Status.values:
        edition = factories.edition(reader.newsletter, stories=0)
        Delivery.objects.create(
            edition=edition, subscription=reader, status=status, reason="unsubscribed"
        )


def add_requests(reader: Subscription) -> None:
    change = AddressChange.objects.create(
        subscriber=reader.subscriber, email="new@example.com", email_key="new@example.com"
    )
    for kind in RequestedMail.Kind.values:
        RequestedMail.objects.create(
            kind=kind,
            email_key="x@example.com",
            change=None if kind in ("link", "data") else change,
            due_at=NOW,
        )


def add_imports(reader: Subscription) -> None:
    for status in ImportJob.Status.values:
        job = ImportJob.objects.create(
            newsletter=reader.newsletter, name="list.csv", status=status, evidence="They agreed."
        )
    ImportRefusal.objects.create(job=job, line=2, email="ann@", reason="no address")
    GrowthDay.objects.create(newsletter=reader.newsletter, day=NOW.date() - timedelta(days=1))
    GrowthMark.objects.create(newsletter=reader.newsletter, counted_to=NOW)


def test_everything_can_be_undone_while_every_table_has_rows(spare_database):
    add_rows()
    assert [model for model in own_models() if not model._default_manager.exists()] == []

    for app in OWN:
        call_command("migrate", app, "zero", verbosity=0)

    tables = connection.introspection.table_names()
    assert [name for name in tables if name.startswith(OWN)] == []
    call_command("migrate", verbosity=0)
    assert not any(model._default_manager.exists() for model in own_models())
