"""A reader unsubscribes with a button on a page, or one click in the mail client (RFC 8058)."""

import re

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from subscribers import signals, signed_links, tasks
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


def test_the_page_names_the_newsletter_and_the_masked_address_and_has_one_button(client, active):
    page = client.get(link(active)).content.decode()

    assert active.newsletter.name in page
    assert "a…@example.com" in page
    assert "ann@example.com" not in page
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


def broken_links(subscription):
    """Return links that unsubscribe nobody: cut off, forged, of a reader who is gone."""
    return {
        "cut off": link(subscription)[:-3],
        "cut off at the token": "/u/",
        "forged": reverse("unsubscribe", args=["x" * 25]),
        "gone": reverse("unsubscribe", args=[signed_links.unsubscribe_token(10**9)]),
        "cut by a line break": link(subscription)[:-3] + "%0A" + link(subscription)[-3:],
    }


def test_one_click_gets_the_same_answer_by_any_link(client, active):
    links = [link(active), *broken_links(active).values()]
    answers = [client.post(url, ONE_CLICK) for url in links]

    assert {(answer.status_code, answer.content) for answer in answers} == {(200, b"")}


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_page_of_a_broken_link_says_so_and_asks_for_the_address(client, active, method):
    for name, url in broken_links(active).items():
        answer = getattr(client, method)(url, {"page": "1"})
        page = answer.content.decode()

        assert answer.status_code == 404, name
        assert "This link does not work" in page, name
        assert "It has unsubscribed nobody" in page, name
        assert "You have unsubscribed" not in page, name
        assert f'action="{reverse("lost-link")}"' in page, name
    active.refresh_from_db()
    assert active.status == "active"


def test_a_reader_whose_link_was_cut_gets_a_mail_by_which_they_can_unsubscribe(client, active):
    page = client.get(link(active)[:-3]).content.decode()
    form_token = re.search('name="opened" value="([^"]+)"', page)[1]
    form = {"email": "ann@example.com", "website": "", "opened": form_token}
    again = client.post(reverse("lost-link"), form).content.decode()
    form["opened"] = re.search('name="opened" value="([^"]+)"', again)[1]

    assert client.post(reverse("lost-link"), form)["Location"] == reverse("lost-link-sent")

    tasks.send_mails()
    preferences = re.search("/preferences/[^/]+/", mail.outbox[0].body)[0]
    assert link(active) in client.get(preferences).content.decode()


@pytest.mark.parametrize("ending", ["/", ".", ">", "),", "%E2%80%8B", "&utm_source=x"])
def test_what_a_program_took_up_behind_the_link_is_ignored(client, active, ending):
    assert "Unsubscribe?" in client.get(link(active) + ending).content.decode()
    assert client.post(link(active) + ending, {"page": "1"}).status_code == 200

    active.refresh_from_db()
    assert active.status == "unsubscribed"
    token = signed_links.unsubscribe_token(active.pk)
    assert token not in Consent.objects.get().page


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
