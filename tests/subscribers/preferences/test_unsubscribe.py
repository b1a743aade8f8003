"""A reader unsubscribes with a button on a page, or one click in the mail client (RFC 8058)."""

import pytest
from django.test import Client
from django.urls import reverse

from subscribers import signals, signed_links
from subscribers.models import Consent, Subscription
from tests import factories

pytestmark = pytest.mark.django_db

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def active():
    return factories.subscription(factories.newsletter(), "ann@example.com")


def link(subscription):
    return reverse("unsubscribe", args=[signed_links.unsubscribe_token(subscription.pk)])


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_at_the_link_changes_nothing(client, active, method):
    before = Subscription.objects.values().get()

    assert getattr(client, method)(link(active)).status_code == 200
    assert Subscription.objects.values().get() == before
    assert not Consent.objects.exists()


def test_the_page_names_the_newsletter_and_has_one_button(client, active):
    page = client.get(link(active)).content.decode()

    assert active.newsletter.name in page
    assert page.count("<button") == 1


def test_one_click_unsubscribes_without_cookies_and_without_a_redirect(active):
    strict = Client(enforce_csrf_checks=True)

    response = strict.post(link(active), ONE_CLICK, headers={"User-Agent": "Mail/1"})

    assert response.status_code == 200
    assert not response.cookies
    active.refresh_from_db()
    assert active.status == "unsubscribed"
    assert active.ended_at is not None
    consent = Consent.objects.get()
    assert (consent.kind, consent.user_agent) == ("withdrawal", "Mail/1")
    assert consent.page == "http://testserver/u/…"


def test_one_click_may_come_as_multipart_or_empty(active):
    for body in ({"data": ONE_CLICK}, {"data": b"", "content_type": "text/plain"}):
        factories.force_update(Subscription.objects.all(), status="active")
        assert Client().post(link(active), **body).status_code == 200
        active.refresh_from_db()
        assert active.status == "unsubscribed"


def test_an_unknown_token_gets_the_same_answer(client, active):
    known = client.post(link(active), ONE_CLICK)
    unknown = client.post(reverse("unsubscribe", args=["nobody"]), ONE_CLICK)
    erased = client.post(
        reverse("unsubscribe", args=[signed_links.unsubscribe_token(10**9)]), ONE_CLICK
    )

    answers = {(r.status_code, r.content) for r in (known, unknown, erased)}
    assert len(answers) == 1


def test_the_page_for_an_unknown_token_has_the_button_too(client):
    page = client.get(reverse("unsubscribe", args=["nobody"]))

    assert page.status_code == 200
    assert page.content.decode().count("<button") == 1


def test_the_page_after_unsubscribing_says_so_and_offers_to_resubscribe(client, active):
    page = client.post(link(active), {"page": "1"}).content.decode()

    assert "You have unsubscribed" in page
    assert reverse("resubscribe", args=[signed_links.unsubscribe_token(active.pk)]) in page
    assert "You have unsubscribed" in client.get(link(active)).content.decode()


def test_unsubscribing_twice_is_harmless(client, active):
    client.post(link(active))
    before = Subscription.objects.values().get()

    assert client.post(link(active)).status_code == 200
    assert Subscription.objects.values().get() == before
    assert Consent.objects.count() == 1


def test_unsubscribing_before_confirming_stops_the_confirmation_mail(client, active):
    factories.force_update(
        Subscription.objects.all(), status="pending", mail_due_at="2026-03-10T06:00Z"
    )

    client.post(link(active))

    active.refresh_from_db()
    assert (active.status, active.mail_due_at) == ("unsubscribed", None)


def test_unsubscribing_from_one_newsletter_keeps_the_others(client, active):
    other = Subscription.objects.create(
        subscriber=active.subscriber,
        newsletter=factories.newsletter(),
        status="active",
        confirmed_at=active.confirmed_at,
    )

    client.post(link(active))

    other.refresh_from_db()
    assert other.status == "active"


def test_unsubscribing_sends_the_signal_each_time(
    client, active, django_capture_on_commit_callbacks
):
    received = []

    def listen(sender, subscription_id, now, **kwargs):
        received.append(subscription_id)

    signals.subscription_ended.connect(listen)
    with django_capture_on_commit_callbacks(execute=True):
        client.post(link(active))
        client.post(link(active))
    signals.subscription_ended.disconnect(listen)

    assert received == [active.pk] * 2
