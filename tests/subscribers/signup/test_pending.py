"""A reader who does not confirm is reminded once, and erased after a set number of days."""

from datetime import timedelta

import pytest
from django.core import mail

from subscribers import signed_links
from subscribers.consent import suppression
from subscribers.consent.record import Origin
from subscribers.models import Consent, Subscriber, Subscription
from subscribers.preferences import leaving
from subscribers.privacy import retention
from subscribers.signup import confirmation_mail, flow, pending
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def newsletter():
    return factories.newsletter(name="The Daily", slug="daily")


def sign_up(newsletter, email="ann@example.com", *, now=NOW):
    flow.sign_up(newsletter=newsletter, email=email, origin=Origin(), now=now)
    confirmation_mail.send_all_due(clock=lambda: now)
    return Subscription.objects.get(subscriber__email=email)


def tick(now):
    """Do what the ticks do, and return the subjects of the mails."""
    mail.outbox.clear()
    pending.remind(now=now)
    confirmation_mail.send_all_due(clock=lambda: now)
    while retention.purge(now=now):
        pass
    return [message.subject for message in mail.outbox]


# --- One reminder -------------------------------------------------------------------------------


def test_a_reminder_comes_after_a_day_and_only_once(newsletter):
    sign_up(newsletter)

    subjects = {hours: tick(NOW + hours * HOUR) for hours in range(1, 150)}

    assert {hours: sent for hours, sent in subjects.items() if sent} == {
        24: ["Still waiting for your click: The Daily"]
    }


def test_the_reminders_link_confirms_for_three_more_days(newsletter):
    sign_up(newsletter)
    tick(NOW + DAY)
    (token,) = set(_tokens(mail.outbox[0].body))

    confirmed = flow.confirm(token=token, origin=Origin(), now=NOW + 3.9 * DAY)

    assert confirmed.subscription.status == "active"


def _tokens(text):
    return [line.split("/confirm/")[1].rstrip("/") for line in text.split() if "/confirm/" in line]


def test_the_reminder_has_a_working_unsubscribe_link(client, newsletter):
    subscription = sign_up(newsletter)
    tick(NOW + DAY)

    message = mail.outbox[0]
    url = message.extra_headers["List-Unsubscribe"].strip("<>")
    assert url in message.body
    assert message.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    client.post(url.partition("/u/")[1] + url.partition("/u/")[2])
    subscription.refresh_from_db()
    assert subscription.status == "unsubscribed"


@pytest.mark.parametrize("event", ["confirmed", "left", "suppressed"])
def test_a_confirmed_unsubscribed_or_suppressed_reader_gets_no_reminder(newsletter, event):
    subscription = sign_up(newsletter)
    if event == "confirmed":
        token = signed_links.confirm_token(subscription, now=NOW)
        flow.confirm(token=token, origin=Origin(), now=NOW)
        confirmation_mail.send_all_due(clock=lambda: NOW)
    elif event == "left":
        leaving.unsubscribe(subscription_id=subscription.pk, now=NOW)
    else:
        suppression.suppress(email="ann@example.com", reason="complaint", now=NOW)

    assert tick(NOW + DAY) == []


def test_nobody_is_reminded_after_a_long_outage(newsletter):
    sign_up(newsletter)

    assert tick(NOW + 5 * DAY) == []


def test_a_setting_turns_reminders_off(newsletter, settings):
    settings.REMINDER_HOURS = 0
    sign_up(newsletter)

    assert tick(NOW + DAY) == []


def test_a_reader_who_signs_up_again_after_unsubscribing_is_reminded_again(newsletter):
    subscription = sign_up(newsletter)
    tick(NOW + DAY)
    leaving.unsubscribe(subscription_id=subscription.pk, now=NOW + 25 * HOUR)
    sign_up(newsletter, now=NOW + 26 * HOUR)

    assert tick(NOW + 50 * HOUR) == ["Still waiting for your click: The Daily"]


# --- Erasing ------------------------------------------------------------------------------------


def test_a_reader_who_never_confirms_is_erased_with_the_consent_records(newsletter):
    sign_up(newsletter)
    tick(NOW + DAY)

    tick(NOW + 7.9 * DAY)
    assert Subscriber.objects.count() == 1
    tick(NOW + 8.1 * DAY)

    assert not Subscriber.objects.exists()
    assert not Subscription.objects.exists()
    assert not Consent.objects.exists()


def test_a_reader_who_never_got_a_mail_is_erased_too(newsletter):
    suppression.suppress(email="ann@example.com", reason="bounce", now=NOW)
    sign_up(newsletter)

    tick(NOW + 7.1 * DAY)

    assert not Subscriber.objects.exists()


def test_a_reader_of_another_newsletter_stays_a_reader(newsletter):
    other = factories.subscription(factories.newsletter(), "ann@example.com")
    flow.sign_up(newsletter=newsletter, email="ann@example.com", origin=Origin(), now=NOW)
    confirmation_mail.send_all_due(clock=lambda: NOW)

    tick(NOW + DAY)
    tick(NOW + 10 * DAY)

    assert Subscription.objects.get() == other


def test_a_former_reader_who_does_not_confirm_is_unsubscribed_and_the_ledger_stays(newsletter):
    left = factories.subscription(newsletter, "ann@example.com", created_at=NOW - 60 * DAY)
    leaving.unsubscribe(subscription_id=left.pk, now=NOW - 30 * DAY)
    sign_up(newsletter)

    tick(NOW + DAY)
    tick(NOW + 10 * DAY)

    left.refresh_from_db()
    assert left.status == "unsubscribed"
    assert sorted(Consent.objects.values_list("kind", flat=True)) == ["signup", "withdrawal"]


def test_a_sign_up_is_kept_while_its_mail_waits_for_a_relay(newsletter):
    flow.sign_up(newsletter=newsletter, email="ann@example.com", origin=Origin(), now=NOW)

    retention.purge(now=NOW + 30 * DAY)

    assert Subscription.objects.exists()


def test_the_link_of_an_erased_sign_up_leads_back_to_the_newsletters(client, newsletter):
    token = signed_links.confirm_token(sign_up(newsletter), now=NOW)
    tick(NOW + DAY)
    tick(NOW + 10 * DAY)

    page = client.get(f"/confirm/{token}/")

    assert page.status_code == 404
    assert 'href="/"' in page.content.decode()
