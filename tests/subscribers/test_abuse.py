"""The form cannot be used to flood a mailbox or the list."""

from datetime import timedelta

import pytest
from django.test import override_settings
from django.urls import reverse

from subscribers import abuse, confirmation, signup
from subscribers.consent import Origin
from subscribers.models import Consent, Subscriber, Subscription
from subscribers.preferences import unsubscribe
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def newsletter():
    return factories.newsletter()


def sign_up(newsletter, *, now=NOW, ip_address="192.0.2.1", email="ann@example.com"):
    origin = Origin(ip_address=ip_address)
    signup.sign_up(newsletter=newsletter, email=email, origin=origin, now=now)
    return Subscription.objects.get(newsletter=newsletter, subscriber__email=email)


def mails_after(sign_ups, newsletter):
    """How many mails go out for sign-ups at these offsets, sent at once."""
    sent = 0
    for offset in sign_ups:
        subscription = sign_up(newsletter, now=NOW + offset)
        sent += confirmation.send_due(subscription_id=subscription.pk, now=NOW + offset)
    return sent


def test_repeated_sign_ups_send_one_mail_per_cooldown(newsletter):
    minute = timedelta(minutes=1)

    assert mails_after([0 * minute, 1 * minute, 2 * minute, 4 * minute], newsletter) == 1
    assert mails_after([5 * minute, 6 * minute], newsletter) == 1


def test_repeated_sign_ups_do_not_fill_the_consent_ledger(newsletter):
    mails_after([timedelta(seconds=n) for n in range(10)], newsletter)

    assert Consent.objects.count() == 1


def test_a_known_reader_is_not_told_so_again_and_again(newsletter):
    factories.subscription(newsletter, "ann@example.com")

    assert mails_after([timedelta(seconds=n) for n in range(5)], newsletter) == 1


def test_whoever_left_may_come_back_at_once(newsletter):
    subscription = sign_up(newsletter)
    confirmation.send_due(subscription_id=subscription.pk, now=NOW)
    unsubscribe(subscription_id=subscription.pk, now=NOW + timedelta(seconds=30))

    again = sign_up(newsletter, now=NOW + timedelta(seconds=40))

    assert again.mail_due_at == NOW + timedelta(seconds=40)


def test_the_mails_for_further_newsletters_to_one_address_are_put_off():
    due = []
    for _ in range(5):
        subscription = sign_up(factories.newsletter())
        due.append(subscription.mail_due_at)
        confirmation.send_due(subscription_id=subscription.pk, now=NOW)

    assert due == [NOW] * 3 + [NOW + abuse.COOLDOWN] * 2


def test_a_filled_trap_gets_the_same_answer_and_nothing_else(client, newsletter):
    url = reverse("newsletter", args=[newsletter.slug])
    honest = client.post(url, {"email": "ann@example.com"})
    trapped = client.post(url, {"email": "bot@example.com", "website": "https://spam.example"})

    assert (trapped.status_code, trapped.url) == (honest.status_code, honest.url)
    assert not Subscriber.objects.filter(email="bot@example.com").exists()


def test_a_network_can_sign_up_so_many_and_gets_the_same_answer_after(client, newsletter):
    url = reverse("newsletter", args=[newsletter.slug])
    for _ in range(abuse.SIGNUPS_PER_NETWORK):
        assert abuse.network_allowed("192.0.2.7")

    beyond = client.post(url, {"email": "ann@example.com"}, REMOTE_ADDR="192.0.2.200")
    elsewhere = client.post(url, {"email": "bob@example.com"}, REMOTE_ADDR="198.51.100.7")

    assert (beyond.status_code, beyond.url) == (elsewhere.status_code, elsewhere.url)
    assert [s.email for s in Subscriber.objects.all()] == ["bob@example.com"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.250", True),
        ("192.0.2.1", "192.0.3.1", False),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", True),
        ("2001:db8:0:100::1", "2001:db8:0:200::1", False),
    ],
)
def test_a_network_is_what_one_party_holds(one, other, same):
    assert (abuse.network(one) == abuse.network(other)) is same


@pytest.mark.parametrize("ip_address", ["127.0.0.1", "172.17.0.1", "::1", None])
def test_a_proxy_that_is_taken_for_the_reader_does_not_close_the_door(ip_address):
    answers = {abuse.network_allowed(ip_address) for _ in range(abuse.SIGNUPS_PER_NETWORK + 1)}

    assert answers == {True}


def test_without_redis_everybody_may_sign_up(newsletter, settings, caplog):
    away = {**settings.CACHES["default"], "LOCATION": "unix:///nowhere/redis.sock"}
    with override_settings(CACHES={"default": away}):
        subscription = sign_up(newsletter)

    assert subscription.mail_due_at == NOW
    assert "No limit per network while Redis is away" in caplog.text
