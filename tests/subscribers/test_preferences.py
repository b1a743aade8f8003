"""A reader chooses the sections they get."""

import pytest
from django.test import Client
from django.urls import reverse

from subscribers import tokens
from subscribers.models import Subscription
from subscribers.preferences import set_muted_sections
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def active():
    newsletter = factories.newsletter()
    sections = [factories.section(newsletter, name=name) for name in ("World", "Sport", "Arts")]
    subscription = factories.subscription(newsletter, "ann@example.com")
    subscription.test_sections = sections
    return subscription


def link(subscription):
    return reverse("preferences", args=[tokens.preferences_token(subscription.pk)])


def test_looking_changes_nothing(client, active):
    before = Subscription.objects.values().get()

    page = client.get(link(active))

    assert page.status_code == 200
    assert page.content.decode().count(" checked") == 3
    assert Subscription.objects.values().get() == before


def test_what_is_not_ticked_is_muted(active):
    world, sport, arts = active.test_sections
    strict = Client(enforce_csrf_checks=True)

    response = strict.post(link(active), {"wanted": [world.pk, arts.pk]}, follow=True)

    active.refresh_from_db()
    assert active.muted_sections == [sport.pk]
    page = response.content.decode()
    assert "Saved" in page
    assert page.count(" checked") == 2


def test_a_muted_section_can_be_had_back(client, active):
    set_muted_sections(subscription_id=active.pk, section_ids=[active.test_sections[0].pk], now=NOW)

    client.post(link(active), {"wanted": [section.pk for section in active.test_sections]})

    active.refresh_from_db()
    assert active.muted_sections == []


def test_nothing_at_all_is_asked_to_be_an_unsubscription(client, active):
    page = client.post(link(active), {}).content.decode()

    assert "Choose at least one section" in page
    active.refresh_from_db()
    assert active.muted_sections == []


@pytest.mark.parametrize("wanted", [["x"], ["99999999999999999999999"], ["-1"]])
def test_a_made_up_section_is_an_error_and_changes_nothing(client, active, wanted):
    assert client.post(link(active), {"wanted": wanted}).status_code == 200
    active.refresh_from_db()
    assert active.muted_sections == []


def test_sections_of_another_newsletter_are_left_out(active):
    foreign = factories.section(factories.newsletter())
    own = active.test_sections[0]

    set_muted_sections(subscription_id=active.pk, section_ids=[foreign.pk, own.pk], now=NOW)

    active.refresh_from_db()
    assert active.muted_sections == [own.pk]


def test_the_page_leads_out(client, active):
    page = client.get(link(active)).content.decode()

    assert reverse("unsubscribe", args=[tokens.unsubscribe_token(active.pk)]) in page


def test_a_newsletter_without_sections_shows_no_form(client):
    page = client.get(link(factories.subscription(factories.newsletter()))).content.decode()

    assert "<form" not in page
    assert "Unsubscribe" in page


def test_who_left_is_told_so(client, active):
    Subscription.objects.update(status="unsubscribed")

    page = client.get(link(active)).content.decode()

    assert "You have unsubscribed" in page
    assert "Sign up again" in page


def test_a_broken_link_gets_a_page_that_says_so(client):
    assert client.get(reverse("preferences", args=["nobody"])).status_code == 404


def test_the_page_costs_a_fixed_number_of_queries(client, active, django_assert_max_num_queries):
    with django_assert_max_num_queries(2):
        client.get(link(active))
