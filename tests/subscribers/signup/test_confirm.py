"""The link in the mail shows a page with one button, and only the button confirms."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from subscribers import signals, signed_links
from subscribers.models import Consent, Subscription
from subscribers.privacy import erasure
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def pending():
    return factories.subscription(
        factories.newsletter(), "ann@example.com", status="pending", confirmed_at=None
    )


def link(subscription, *, hours_ago=0):
    made_at = timezone.now() - timedelta(hours=hours_ago)
    return reverse("confirm", args=[signed_links.confirm_token(subscription, now=made_at)])


def row(subscription):
    return Subscription.objects.filter(pk=subscription.pk).values().get()


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_at_the_link_changes_nothing(client, pending, method):
    before = row(pending)

    response = getattr(client, method)(link(pending))

    assert response.status_code == 200
    assert row(pending) == before
    assert not Consent.objects.exists()


def test_the_button_confirms_and_records_the_consent(client, pending):
    response = client.post(link(pending), headers={"User-Agent": "Firefox/140"})

    assert "You are subscribed" in response.content.decode()
    pending.refresh_from_db()
    assert pending.status == "active"
    assert (pending.mail_kind, pending.mail_due_at) == ("welcome", pending.confirmed_at)
    consent = Consent.objects.get()
    assert consent.kind == "confirmation"
    assert consent.wording == f"Yes, send me {pending.newsletter.name} by e-mail."
    assert consent.ip_address == "127.0.0.1"
    assert consent.user_agent == "Firefox/140"
    assert consent.language == "en"


def test_the_ledger_does_not_store_the_token_of_the_link(client, pending):
    url = link(pending)
    client.post(url)

    assert Consent.objects.get().page == "http://testserver/confirm/…/"


def test_confirming_needs_no_cookie_and_no_csrf_token(pending):
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)

    assert strict.post(link(pending)).status_code == 200
    pending.refresh_from_db()
    assert pending.status == "active"


def test_a_second_click_on_confirm_is_harmless(client, pending):
    url = link(pending)
    client.post(url)
    before = row(pending)

    response = client.post(url)

    assert "You are subscribed" in response.content.decode()
    assert row(pending) == before
    assert Consent.objects.count() == 1


def test_an_old_link_does_not_lead_to_the_preferences(client, pending):
    preferences = reverse("preferences", args=[signed_links.preferences_token(pending)])

    assert preferences in client.post(link(pending)).content.decode()
    for old in (client.get(link(pending, hours_ago=99)), client.post(link(pending, hours_ago=99))):
        assert "You are subscribed" in old.content.decode()
        assert preferences not in old.content.decode()


def test_confirming_sends_the_signal_once(client, pending, django_capture_on_commit_callbacks):
    received = []

    def listen(sender, subscription_id, now, **kwargs):
        received.append(subscription_id)

    signals.subscription_confirmed.connect(listen)
    with django_capture_on_commit_callbacks(execute=True):
        client.post(link(pending))
        client.post(link(pending))
    signals.subscription_confirmed.disconnect(listen)

    assert received == [pending.pk]


def test_the_page_says_when_the_first_edition_comes(client, pending):
    factories.schedule(pending.newsletter)

    page = client.post(link(pending)).content.decode()

    assert "at 07:00" in page


def test_an_expired_link_confirms_nothing_and_offers_a_fresh_mail(client, pending):
    url = link(pending, hours_ago=73)
    for response in (client.get(url), client.post(url)):
        assert response.status_code == 410
        assert "Send me a fresh link" in response.content.decode()
    pending.refresh_from_db()
    assert pending.status == "pending"
    assert pending.mail_due_at is None


def test_the_button_on_the_page_of_an_expired_link_makes_a_fresh_mail_due(client, pending):
    response = client.post(link(pending, hours_ago=73), {"fresh": "1"})

    assert response.url == reverse("signup-done", args=[pending.newsletter.slug])
    pending.refresh_from_db()
    assert pending.mail_due_at is not None
    assert Consent.objects.get().kind == "signup"


def test_a_link_of_an_earlier_sign_up_counts_as_expired(client, pending):
    url = link(pending)
    Subscription.objects.update(generation=2)

    assert client.post(url).status_code == 410
    pending.refresh_from_db()
    assert pending.status == "pending"


def test_a_link_from_before_unsubscribing_does_not_resubscribe_the_reader(client, pending):
    url = link(pending)
    Subscription.objects.update(status="unsubscribed")

    assert client.post(url).status_code == 410
    pending.refresh_from_db()
    assert pending.status == "unsubscribed"


@pytest.mark.parametrize("token", ["x", "x" * 40, "…", "a.b.c"])
def test_a_broken_link_gets_a_page_that_says_so(client, token):
    response = client.get(reverse("confirm", args=[token]))

    assert response.status_code == 404
    assert "This link does not work" in response.content.decode()


def test_a_link_of_an_erased_subscription_is_a_broken_link(client, pending):
    url = link(pending)
    erasure.erase(subscriber_id=pending.subscriber_id, now=timezone.now())

    assert client.post(url).status_code == 404
    assert client.post(link(pending, hours_ago=80), {"fresh": "1"}).status_code == 404


def test_the_page_stays_out_of_caches_indexes_and_referrers(client, pending):
    response = client.get(link(pending))

    assert "no-store" in response["Cache-Control"]
    assert response["Referrer-Policy"] == "no-referrer"
    assert "noindex" in response["X-Robots-Tag"]


def test_a_link_to_confirm_that_was_cut_off_offers_a_fresh_one(client, pending):
    page = client.get(link(pending)[:-9] + "/")

    assert page.status_code == 404
    text = page.content.decode()
    assert "the address that you signed up with" in text
    assert "that our newsletters come to" not in text
