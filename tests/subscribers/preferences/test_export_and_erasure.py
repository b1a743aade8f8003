"""A reader downloads what is stored about them, or has it erased, by a link mailed to them."""

import json
import re
from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from subscribers import signed_links, tasks
from subscribers.models import AddressChange, Consent, RequestedMail, Subscriber
from subscribers.preferences import address_change, requested_mail
from subscribers.preferences.choices import Choices, set_choices
from subscribers.preferences.data_request import request_data_link
from subscribers.preferences.requested_mail import LINKS_PER_DAY
from tests import factories
from tests.factories import NOW
from tests.subscribers.preferences.conftest import data_link, link

pytestmark = pytest.mark.django_db


def test_the_preferences_page_leads_to_data_and_erasure_only_by_a_mail(client, active):
    """A mail is forwarded with its link to the preferences."""
    ask = f"{link(active)}data/"
    preferences = client.get(link(active)).content.decode()
    assert ask in preferences
    assert "erase/" not in preferences
    page = client.get(ask).content.decode()
    assert "ann@example.com" in page
    assert not RequestedMail.objects.exists()

    answer = client.post(ask, follow=True)

    assert "Check your inbox" in answer.content.decode()
    tasks.send_mails()
    [message] = mail.outbox
    assert message.to == ["ann@example.com"]
    assert message.subject == "Your link to your data"
    mailed = re.search("/data/[^/]+/", message.body)[0]
    assert mailed in message.alternatives[0].content
    page = client.get(mailed).content.decode()
    assert "What we keep about you" in page
    assert f"{mailed}erase/" in page
    assert f"{mailed}data.json" in page


def test_an_expired_link_to_the_data_offers_another_to_the_same_mailbox(client, active):
    long_ago = timezone.now() - signed_links.DATA_WITHIN - timedelta(seconds=1)
    expired = reverse("erase-me", args=[signed_links.data_token(active, now=long_ago)])

    answer = client.post(expired, follow=True)

    assert "This link has expired" in answer.content.decode()
    assert answer.redirect_chain == [(f"{link(active)}data/?expired=1", 302)]
    assert Subscriber.objects.get().erased_at is None


def test_a_mailbox_gets_one_link_to_the_data_in_five_minutes_and_five_a_day(active):
    for minutes in range(0, 120, 2):
        request_data_link(subscription_id=active.pk, now=NOW + timedelta(minutes=minutes))

    rows = RequestedMail.objects.filter(outcome="").order_by("asked_at")
    asked = list(rows.values_list("asked_at", flat=True))
    assert asked == [NOW + timedelta(minutes=6 * n) for n in range(LINKS_PER_DAY)]
    assert RequestedMail.objects.filter(outcome="too-often").exists()


def test_whoever_asks_all_the_time_keeps_no_reader_from_their_data(active):
    for minutes in range(0, 26 * 60, 6):
        request_data_link(subscription_id=active.pk, now=NOW + timedelta(minutes=minutes))

    sent = RequestedMail.objects.filter(outcome="", asked_at__gte=NOW + timedelta(hours=24))
    assert sent.count() == LINKS_PER_DAY


def test_the_addresses_of_one_mailbox_share_the_links_to_their_data(active):
    tagged = factories.subscription(active.newsletter, "ann+news@example.com")
    for reader in (active, tagged):
        request_data_link(subscription_id=reader.pk, now=NOW)

    assert RequestedMail.objects.count() == 1


def test_a_request_for_the_data_does_not_use_up_the_links_to_the_preferences(active):
    request_data_link(subscription_id=active.pk, now=NOW)

    assert not requested_mail.requested_today("link", "ann@example.com", now=NOW).exists()


def test_the_download_is_a_file_with_everything(client, active):
    set_choices(subscription_id=active.pk, choices=Choices((), "weekdays", None), now=NOW)

    answer = client.get(data_link(active, "data-export-download"))

    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    data = json.loads(answer.content)
    assert data["person"]["email"] == "ann@example.com"
    assert data["consents"][0]["details"]["frequency"] == {"from": "daily", "to": "weekdays"}


def test_the_erase_page_asks_once_more(client, active):
    page = client.get(data_link(active, "erase-me")).content.decode()

    assert page.count('<button class="button danger"') == 1
    assert link(active) in page
    assert Subscriber.objects.get().erased_at is None


def test_erasing_leaves_nothing_and_says_so(client, active):
    address_change.request_change(subscription_id=active.pk, email="new@example.org", now=NOW)
    request_data_link(subscription_id=active.pk, now=NOW)

    page = client.post(data_link(active, "erase-me")).content.decode()

    assert "You are erased" in page
    assert Subscriber.objects.get().email.endswith("@erased.invalid")
    assert not Consent.objects.exists()
    assert not AddressChange.objects.exists()
    assert not RequestedMail.objects.exists()


@pytest.mark.parametrize("name", ["data-export-download", "erase-me", "data-request"])
def test_a_broken_link_gives_nothing_away(client, active, name):
    # Erasing takes the mailed link: neither one that is in every mail, nor another reader's.
    bob = factories.subscription(active.newsletter, "bob@example.com")
    tokens = ["nobody", signed_links.unsubscribe_token(active.pk)]
    if name != "data-request":
        tokens.append(signed_links.preferences_token(active))
    mailed = signed_links.data_token(active, now=timezone.now())
    tokens.append(mailed.replace(mailed[:8], signed_links.data_token(bob, now=NOW)[:8]) + "x")
    for token in tokens:
        assert client.get(reverse(name, args=[token])).status_code == 404
        assert client.post(reverse(name, args=[token])).status_code == 404
    assert not Subscriber.objects.exclude(erased_at=None).exists()


# --- The name under which a requested mail comes ------------------------------------------------


@pytest.mark.parametrize(("status", "confirmed_at"), [("active", NOW), ("unsubscribed", NOW)])
def test_a_requested_mail_comes_under_the_name_of_a_newsletter_that_was_confirmed(
    client, active, evening_asked, status, confirmed_at
):
    """Anybody can sign a reader up, and must not choose under whose name we write to them."""
    ended_at = NOW if status == "unsubscribed" else None
    factories.force_update(type(active).objects.filter(pk=active.pk), status=status,
                           confirmed_at=confirmed_at, ended_at=ended_at)  # fmt: skip
    request_data_link(subscription_id=evening_asked.pk, now=NOW)
    change = address_change.request_change(
        subscription_id=evening_asked.pk, email="new@example.org", now=NOW
    )
    for mail_id in requested_mail.due_ids(now=NOW):
        requested_mail.send_if_due(mail_id, now=NOW)

    assert len(mail.outbox) == 3
    for message in mail.outbox:
        assert "The Daily" in message.from_email
        assert "The Evening" not in message.body
    token = signed_links.address_change_token(change.pk, "new", now=timezone.now())
    assert "The Evening" not in client.get(reverse("address-change", args=[token])).content.decode()


@pytest.fixture
def evening_asked(active):
    """A sign-up of the same reader for another newsletter, newer and never confirmed."""
    return factories.second_subscription(
        active.subscriber,
        factories.newsletter(name="The Evening", slug="evening"),
        status="pending",
        confirmed_at=None,
        created_at=NOW + timedelta(days=1),
    )
