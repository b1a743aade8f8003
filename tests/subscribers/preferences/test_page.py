"""The preferences page as a whole: the person, other newsletters, unsubscribing."""

import pytest
from django.core import mail
from django.urls import reverse

from subscribers import tasks
from subscribers.models import Consent, Section, Subscriber, Subscription
from tests import factories
from tests.subscribers.preferences.conftest import (
    data_link,
    link,
    recorded_changes,
    unsubscribe_link,
)

pytestmark = pytest.mark.django_db


def test_a_broken_link_gets_a_page_that_leads_to_a_new_one(client):
    answer = client.get(reverse("preferences", args=["nobody"]))

    assert answer.status_code == 404
    assert reverse("lost-link") in answer.content.decode()


def test_the_page_does_not_leak_its_link(client, active):
    answer = client.get(link(active))

    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    assert "no-store" in answer["Cache-Control"]


def test_a_form_without_a_known_action_changes_nothing(client, active):
    for do in ("", "nonsense"):
        assert client.post(link(active), {"do": do}).status_code == 404


@pytest.mark.parametrize("count", [1, 6])
def test_the_page_costs_the_same_queries_for_one_newsletter_and_for_many(
    client, active, django_assert_max_num_queries, count
):
    for _ in range(count):
        newsletter = factories.newsletter()
        factories.section(newsletter)
        factories.second_subscription(active.subscriber, newsletter)
        factories.newsletter()

    with django_assert_max_num_queries(7):
        client.get(link(active))


# --- The person ---------------------------------------------------------------------------------


def test_a_reader_sets_language_and_time_zone(send, active):
    page = send(active, "person", language="de", timezone="Asia/Tokyo").content.decode()

    reader = Subscriber.objects.get()
    assert (reader.language, reader.timezone) == ("de", "Asia/Tokyo")
    assert '<html lang="de"' in page
    assert recorded_changes(active) == [
        {"language": {"from": "", "to": "de"}, "timezone": {"from": "", "to": "Asia/Tokyo"}}
    ]


def test_a_devices_old_name_for_its_time_zone_is_accepted(send, active):
    send(active, "person", language="", timezone="Asia/Calcutta")

    assert Subscriber.objects.get().timezone == "Asia/Calcutta"


@pytest.mark.parametrize("fields", [{"language": "tlh"}, {"timezone": "Mars/Olympus"}])
def test_an_unknown_language_or_time_zone_is_refused(send, active, fields):
    page = send(active, "person", **{"language": "", "timezone": "", **fields}).content.decode()

    assert 'class="error"' in page
    assert Subscriber.objects.get().language == ""
    assert recorded_changes(active) == []


def test_the_zones_are_named_in_the_readers_language(client, active):
    Subscriber.objects.update(language="de")

    page = client.get(link(active)).content.decode()

    assert '<option value="Asia/Kolkata">Kalkutta</option>' in page
    assert '<option value="ja">日本語</option>' in page


# --- Newsletters --------------------------------------------------------------------------------


@pytest.fixture
def evening():
    return factories.newsletter(name="The Evening", slug="evening")


def test_another_newsletter_is_confirmed_by_mail_like_every_sign_up(send, active, evening):
    page = send(active, "join", newsletter="evening").content.decode()

    assert "It begins once you confirm it" in page
    joined = Subscription.objects.get(newsletter=evening)
    assert (joined.subscriber_id, joined.status) == (active.subscriber_id, "pending")
    tasks.send_mails()
    assert [message.to for message in mail.outbox] == [["ann@example.com"]]
    assert "/confirm/" in mail.outbox[0].body


def test_a_newsletter_that_is_not_listed_is_not_offered(client, active):
    factories.newsletter(name="Staff", is_listed=False)

    assert "Staff" not in client.get(link(active)).content.decode()


def test_a_reader_whose_address_is_no_longer_accepted_gets_an_error(
    send, settings, active, evening
):
    settings.SIGNUP_ROLE_ACCOUNTS = "refuse"
    Subscriber.objects.update(email="info@example.com", email_key="info@example.com")
    active.subscriber.refresh_from_db()

    page = send(active, "join", newsletter="evening")

    assert page.status_code == 200
    assert 'class="error"' in page.content.decode()


def test_an_unsubscribed_reader_can_sign_up_again_by_mail(client, send, active):
    factories.force_update(
        Subscription.objects.all(), status="unsubscribed", ended_at=factories.NOW
    )
    assert "Sign up again" in client.get(link(active)).content.decode()

    send(active, "join", newsletter="daily")

    active.refresh_from_db()
    assert active.status == "pending"


def test_the_page_has_an_unsubscribe_button(client, active):
    page = client.get(link(active)).content.decode()

    assert f'action="{unsubscribe_link(active)}"' in page
    assert "Unsubscribe from The Daily" in page


def test_a_reader_unsubscribes_from_all_newsletters_with_one_button(send, active, other):
    page = send(active, "leave-all").content.decode()

    assert page.count("You have unsubscribed") == 2
    assert set(Subscription.objects.values_list("status", flat=True)) == {"unsubscribed"}
    assert Consent.objects.filter(kind="withdrawal").count() == 2


def test_a_newsletter_without_sections_asks_for_none(client):
    subscription = factories.subscription(factories.newsletter())

    page = client.get(link(subscription)).content.decode()

    assert not Section.objects.exists()
    assert "Sections you want" not in page
    assert "Unsubscribe" in page


def test_a_link_of_an_erased_reader_is_a_broken_link(client, active):
    client.post(data_link(active, "erase-me"))

    assert client.get(link(active)).status_code == 404
    assert client.post(link(active), {"do": "join", "newsletter": "daily"}).status_code == 404


@pytest.mark.parametrize("slug", ["", "\0", "daily\0", "nobody"])
def test_nobody_joins_a_newsletter_that_there_is_not(client, active, slug):
    assert client.post(link(active), {"do": "join", "newsletter": slug}).status_code == 404
