"""Erasing a reader leaves nothing of them in any table, and no import brings them back."""

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.core.serializers import serialize
from django.urls import reverse

from digest.delivery.lane.claim import Claimant, PendingClaim
from digest.models import Delivery
from subscribers import signals, signed_links
from subscribers.consent import suppression
from subscribers.consent.record import Origin, record_consent
from subscribers.consent.suppression import suppress
from subscribers.models import (
    AddressChange,
    Consent,
    ImportJob,
    ImportRefusal,
    RequestedMail,
    Subscriber,
    Subscription,
    Suppression,
)
from subscribers.privacy import data_export, erasure
from subscribers.signup import flow
from tests import factories
from tests.factories import NOW
from tests.support.suppression import suppressed_among

pytestmark = pytest.mark.django_db

ADDRESS = "ann.unmistakable@example.com"
ORIGIN = Origin(
    page="https://news.example.com/", language="en", ip_address="192.0.2.77", user_agent="Annfox/9"
)


@pytest.fixture
def ann():
    """Return a reader of two newsletters about whom every table holds something."""
    newsletter = factories.newsletter()
    active = factories.subscription(
        newsletter,
        ADDRESS,
        muted_sections=[factories.section(newsletter).pk],
        preferred_time="06:30",
    )
    subscriber = active.subscriber
    Subscriber.objects.filter(pk=subscriber.pk).update(
        name="Ann Unmistakable", email_as_typed=ADDRESS.title(), timezone="Africa/Lagos"
    )
    left = Subscription.objects.create(
        newsletter=factories.newsletter(), subscriber=subscriber, status="unsubscribed"
    )
    for subscription in (active, left):
        record_consent(
            subscription_id=subscription.pk,
            newsletter=subscription.newsletter,
            kind=Consent.Kind.SIGNUP,
            origin=ORIGIN,
            now=NOW,
        )
    edition = factories.publish(factories.edition(newsletter))
    Delivery.objects.create(
        edition=edition, subscription=active, status="sent", reply=f"250 <{ADDRESS}> queued"
    )
    change = AddressChange.objects.create(
        subscriber=subscriber, email="ann.unmistakable@elsewhere.example", email_key="x"
    )
    RequestedMail.objects.create(kind="old-address", email_key=ADDRESS, change=change, due_at=NOW)
    RequestedMail.objects.create(kind="link", email_key=ADDRESS, due_at=NOW)
    job = ImportJob.objects.create(newsletter=newsletter, name="list.csv", size=1)
    ImportRefusal.objects.create(job=job, line=2, email=ADDRESS, reason="is already a reader")
    suppress(email=ADDRESS, reason="complaint", detail=f"<{ADDRESS}>", now=NOW)
    editor = User.objects.create_user("editor")
    LogEntry.objects.log_actions(editor.pk, [subscriber], CHANGE)
    LogEntry.objects.log_actions(editor.pk, [active], CHANGE)
    return subscriber


def everything():
    """Return all rows of all tables as one text."""
    return serialize("json", [row for model in apps.get_models() for row in model.objects.all()])


def traces():
    found = everything().lower()
    marks = ("unmistakable", "192.0.2.77", "annfox", "lagos", "06:30")
    return [mark for mark in marks if mark in found]


def erase_now(subscriber):
    return erasure.erase(subscriber_id=subscriber.pk, now=NOW)


def test_nothing_of_the_person_is_left_in_any_table(ann):
    assert len(traces()) == 5

    assert erase_now(ann)

    assert traces() == []


# Ann's address as lists have it, and where nothing but the regular form would be found.
WRITTEN = [
    f"  {ADDRESS}\t", ADDRESS.replace("@", " @ "), f"\u00a0{ADDRESS}",
    ADDRESS.replace("u", "u\u200b"),
    ADDRESS.replace(".", "\u00ad."), f"�{ADDRESS}", f"<{ADDRESS}>", f"Ann U. <{ADDRESS}>",
    f"mailto:{ADDRESS}?subject=hello", ADDRESS.replace("@", "%40"), ADDRESS.replace("@", "＠"),
    f"{ADDRESS}; bob@example.com", f"'{ADDRESS.upper()}',", f"{ADDRESS}.", f"Ann {ADDRESS} (work)",
]  # fmt: skip


@pytest.mark.parametrize("written", WRITTEN)
def test_a_refused_row_is_emptied_however_it_writes_the_address(ann, written):
    job = ImportJob.objects.get()
    job.refusals.create(line=3, email=written[:254], reason="it cannot be written to")
    for line, other in enumerate(["joann.unmistakable@example.com", "bob@example.com;"], 4):
        job.refusals.create(line=line, email=other, reason="it cannot be written to")

    erase_now(ann)

    emails = list(job.refusals.order_by("line").values_list("email", flat=True))
    assert emails == ["", "", "joann.unmistakable@example.com", "bob@example.com;"]


def test_an_international_domain_is_found_in_both_its_forms():
    job = ImportJob.objects.create(newsletter=factories.newsletter(), name="list.csv")
    for line, email in enumerate(["Ann <ann@Müller.example>", "ann@xn--mller-kva.example,"], 2):
        job.refusals.create(line=line, email=email, reason="x")

    erasure.erase_address(email="ann@xn--mller-kva.example", now=NOW)

    assert set(job.refusals.values_list("email", flat=True)) == {""}


def test_the_admin_log_forgets_an_address_that_had_been_suppressed_by_hand(ann):
    suppressed = Suppression.objects.get(email_key=ADDRESS)
    other = factories.suppression(f"jo{ADDRESS}")
    editor = User.objects.get()
    LogEntry.objects.all().delete()
    LogEntry.objects.log_actions(editor.pk, [suppressed], CHANGE)
    LogEntry.objects.log_actions(editor.pk, [other], CHANGE, f"Changed {ADDRESS}")
    LogEntry.objects.log_actions(editor.pk, [other], CHANGE)

    erase_now(ann)

    assert list(LogEntry.objects.order_by("pk").values_list("object_repr", "change_message")) == [
        ("an erased reader", ""), ("an erased reader", ""), (f"jo{ADDRESS}", ""),
    ]  # fmt: skip


@pytest.mark.parametrize("is_reader", [True, False])
def test_another_readers_request_to_move_to_the_address_is_deleted(ann, is_reader):
    if not is_reader:
        erase_now(ann)
    bob = factories.subscriber("bob@example.com")
    change = AddressChange.objects.create(subscriber=bob, email=ADDRESS, email_key=ADDRESS)
    RequestedMail.objects.create(kind="new-address", email_key=ADDRESS, change=change, due_at=NOW)

    assert erasure.erase_address(email=ADDRESS, now=NOW) is is_reader

    assert traces() == []


def test_sent_deliveries_are_still_counted_after_erasing(ann):
    erase_now(ann)

    assert Delivery.objects.get().status == "sent"
    ann.refresh_from_db()
    assert ann.email == ann.email_key == f"erased-{ann.pk}@erased.invalid"
    assert ann.erased_at == NOW


def test_every_subscription_ends_and_planned_deliveries_are_skipped(
    ann, django_capture_on_commit_callbacks
):
    edition = factories.publish(
        factories.edition(ann.subscriptions.get(status="active").newsletter), status="sending"
    )
    planned = Delivery.objects.create(
        edition=edition, subscription=ann.subscriptions.get(status="active")
    )

    with django_capture_on_commit_callbacks(execute=True):
        erase_now(ann)

    assert set(ann.subscriptions.values_list("status", flat=True)) == {"unsubscribed"}
    planned.refresh_from_db()
    assert (planned.status, planned.reason) == ("skipped", "unsubscribed")


def test_a_reply_that_a_lane_records_during_the_erasure_is_emptied_too(
    ann, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks() as after_commit:
        erase_now(ann)
    Delivery.objects.update(reply=f"250 <{ADDRESS}> queued")

    for callback in after_commit:
        callback()

    assert traces() == []


def test_erasing_twice_changes_nothing_more(ann):
    erase_now(ann)
    before = everything()

    assert not erase_now(ann)

    assert everything() == before


def test_an_erasure_is_rolled_back_if_a_listener_fails(ann):
    """What was done before the listener ran is rolled back too."""

    def fails(**_):
        raise RuntimeError

    signals.subscriber_erased.connect(fails)
    try:
        with pytest.raises(RuntimeError):
            erase_now(ann)
    finally:
        signals.subscriber_erased.disconnect(fails)

    assert Consent.objects.count() == 2
    ann.refresh_from_db()
    assert ann.email == ADDRESS


def test_an_import_cannot_bring_an_erased_reader_back(ann):
    Suppression.objects.all().delete()
    erase_now(ann)

    assert suppressed_among([ADDRESS]) == {ADDRESS: "erased"}


def test_the_row_of_a_former_address_is_erased_too(ann):
    old = factories.subscription(
        ann.subscriptions.first().newsletter,
        "ann.unmistakable@old.example",
        status="unsubscribed",
        moved_to=ann.subscriptions.get(status="active"),
    )
    record_consent(
        subscription_id=old.pk,
        newsletter=old.newsletter,
        kind=Consent.Kind.SIGNUP,
        origin=ORIGIN,
        now=NOW,
    )
    assert len(data_export.export(subscriber_id=ann.pk)["consents"]) == 3

    erase_now(ann)

    assert traces() == []
    assert "ann.unmistakable@old.example" in suppressed_among(["ann.unmistakable@old.example"])


def test_an_import_cannot_bring_a_former_address_back_either(ann):
    subscription = ann.subscriptions.first()
    Consent.objects.create(
        subscription=subscription,
        kind="change",
        wording="x",
        wording_version="1",
        details={"email": {"from": "old@example.com", "to": ADDRESS}},
    )
    Consent.objects.create(
        subscription=subscription, kind="change", wording="x", wording_version="1", details={}
    )

    erase_now(ann)

    assert suppressed_among(["old@example.com"]) == {"old@example.com": "erased"}


def test_an_erased_reader_may_sign_up_as_a_new_reader_and_gets_editions_again(ann):
    newsletter = ann.subscriptions.get(status="active").newsletter
    Suppression.objects.all().delete()
    erase_now(ann)

    flow.sign_up(newsletter=newsletter, email=ADDRESS, origin=ORIGIN, now=NOW)
    again = Subscription.objects.get(subscriber__email=ADDRESS)
    assert again.subscriber_id != ann.pk
    assert again.mail_due_at is not None
    assert not suppression.is_suppressed(ADDRESS)
    assert suppressed_among([ADDRESS]), "until they confirm an import leaves them alone"
    flow.confirm(token=signed_links.confirm_token(again, now=NOW), origin=ORIGIN, now=NOW)

    assert suppressed_among([ADDRESS]) == {}
    edition = factories.publish(factories.edition(newsletter), status="sending")
    Delivery.objects.create(edition=edition, subscription=again, next_attempt_at=NOW)
    claimant = Claimant(edition.pk, edition.revision, "lane", "relay")
    assert [row.email for row in PendingClaim(claimant, now=NOW).window().rows] == [ADDRESS]


def test_links_in_old_mails_do_not_bring_an_erased_reader_back(ann, client):
    subscription = ann.subscriptions.get(status="active")
    links = [
        reverse("confirm", args=[signed_links.confirm_token(subscription)]),
        reverse("confirm", args=[signed_links.confirm_token(subscription, now=NOW)]),
        reverse("preferences", args=[signed_links.preferences_token(subscription)]),
        reverse("unsubscribe", args=[signed_links.unsubscribe_token(subscription.pk)]),
    ]
    erase_now(ann)
    before = everything()

    for link in links:
        client.get(link)
        client.post(link)
        client.post(link, {"fresh": "1"})

    assert everything() == before


def test_an_unknown_address_can_be_erased_to_keep_later_imports_from_adding_it():
    assert not erasure.erase_address(email="Nobody@example.com", now=NOW)

    assert suppressed_among(["nobody@example.com"]) == {"nobody@example.com": "erased"}
    assert "nobody" not in everything()


def test_a_reader_is_erased_by_address(ann):
    assert erasure.erase_address(email=ADDRESS.upper(), now=NOW)

    assert traces() == []
