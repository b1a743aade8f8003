"""A lane sends an edition through an ESP as through any relay."""

from __future__ import annotations

from functools import partial

import pytest
from django.db import connection

from digest.delivery.lane.lane import End
from digest.editions.decide.approve import approve
from digest.models import Delivery, Edition
from subscribers.preferences.leaving import unsubscribe
from tests.digest.delivery.conftest import rows, status
from tests.factories import NOW
from tests.servers.esp import mailgun, mailgun_delivers, postmark

pytestmark = pytest.mark.django_db
SENT = (Delivery.Status.SENT, "")


@pytest.mark.parametrize("name", ["postmark", "mailgun"])
def test_every_reader_gets_one_message(
    request, esp, edition, readers, start_sending, run_lane, settings, name
):
    settings.EMAIL_RELAYS = [request.getfixturevalue(f"{name}_relay")]
    subscriptions = readers(45)
    start_sending()

    assert run_lane() is End.DONE

    assert status(edition) == Edition.Status.SENT
    assert set(rows(edition).values()) == {SENT}
    if name == "postmark":
        addresses = [post.json["To"] for post in esp.posts]
    else:
        addresses = [to for post in esp.posts for to in mailgun_delivers(post)]
    assert sorted(addresses) == sorted(s.subscriber.email for s in subscriptions)
    assert len(esp.posts) == (45 if name == "postmark" else 3)
    row = Delivery.objects.filter(edition=edition).first()
    assert row.relay == name
    assert row.reply.startswith(("sent id-1", "queued <1.2@"))


def test_a_refused_reader_does_not_affect_the_others(
    edition, readers, start_sending, run_lane, settings, esp, postmark_relay
):
    settings.EMAIL_RELAYS = [postmark_relay]
    readers(5)
    start_sending()
    text = "Found inactive addresses: reader3@example.com. Inactive recipients have bounced."
    esp.answer = partial(postmark, refused={"reader3@example.com": (406, text)})

    assert run_lane() is End.DONE

    found = rows(edition)
    assert found.pop("reader3@example.com") == (Delivery.Status.FAILED, "refused")
    assert set(found.values()) == {SENT}


def test_rejected_credentials_hold_the_edition_and_fail_nobody(
    edition, readers, start_sending, run_lane, settings, esp, mailgun_relay
):
    settings.EMAIL_RELAYS = [mailgun_relay]
    readers(25)
    start_sending()
    esp.answer = lambda post: (401, "Forbidden")

    assert run_lane() is End.HELD

    assert status(edition) == Edition.Status.HELD
    assert {state for state, _ in rows(edition).values()} == {Delivery.Status.PENDING}


def test_readers_are_deferred_after_a_429(
    edition, readers, start_sending, run_lane, settings, esp, mailgun_relay
):
    settings.EMAIL_RELAYS = [mailgun_relay]
    readers(45)
    start_sending()
    calls = iter(range(100))
    esp.answer = lambda post: (429, "slow down") if next(calls) else mailgun(post)

    assert run_lane() is End.NO_CONNECTION

    states = [state for state, _ in rows(edition).values()]
    assert (states.count(Delivery.Status.SENT), states.count(Delivery.Status.PENDING)) == (20, 25)


def test_an_esp_that_answers_500_is_left_after_three_requests(
    edition, readers, start_sending, run_lane, settings, esp, mailgun_relay
):
    """The ESP may have accepted each request, so each one leaves its readers uncertain."""
    settings.EMAIL_RELAYS = [mailgun_relay]
    readers(85)
    start_sending()
    esp.answer = lambda post: (500, "oops")

    assert run_lane() is End.NO_CONNECTION

    states = [state for state, _ in rows(edition).values()]
    assert states.count(Delivery.Status.UNCERTAIN) == 60
    assert states.count(Delivery.Status.PENDING) == 25


@pytest.mark.django_db(transaction=True)
def test_a_reader_who_unsubscribes_while_messages_go_one_by_one_gets_nothing(
    edition, readers, start_sending, run_lane, settings, esp, mailgun_relay
):
    edition.subject = "What %recipient.x% means"
    edition.save()
    approve(edition_id=edition.pk, now=NOW)
    settings.EMAIL_RELAYS = [mailgun_relay]
    subscriptions = readers(20)
    start_sending()

    def answer(post):
        unsubscribe(subscription_id=subscriptions[-1].pk, now=NOW)
        connection.close()
        return mailgun(post)

    esp.answer = answer
    assert run_lane() is End.DONE

    found = rows(edition)
    assert found.pop("reader19@example.com") == (Delivery.Status.SKIPPED, "unsubscribed")
    assert set(found.values()) == {SENT}
    assert len(esp.posts) == 19
