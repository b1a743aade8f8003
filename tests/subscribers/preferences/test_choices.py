"""A reader chooses how one newsletter comes: sections, how often, at what hour."""

from datetime import time

import pytest
from django.test import Client

from subscribers.models import Consent, Subscription
from subscribers.preferences.choices import Choices, set_choices, set_muted_sections
from tests import factories
from tests.factories import NOW
from tests.subscribers.preferences.conftest import link, recorded_changes

pytestmark = pytest.mark.django_db


def sections(subscription):
    return list(subscription.newsletter.sections.all())


def all_wanted(subscription):
    return [section.pk for section in sections(subscription)]


@pytest.fixture
def scheduled(newsletter, active):
    factories.schedule(newsletter, clock="reader", local_time=time(7, 0))
    factories.schedule(newsletter, name="Week", cadence="weekly", weekdays=[5])
    return active


def test_looking_at_the_page_changes_nothing(client, active):
    before = Subscription.objects.values().get()

    page = client.get(link(active))

    assert page.status_code == 200
    # Three sections, every edition, and breaking news.
    assert page.content.decode().count(" checked") == 5
    assert client.head(link(active)).status_code == 200
    assert Subscription.objects.values().get() == before
    assert not Consent.objects.exists()


def test_an_unticked_section_is_muted_and_the_change_is_recorded(active):
    world, sport, arts = sections(active)
    strict = Client(enforce_csrf_checks=True)

    response = strict.post(
        link(active),
        {"do": "choices", "subscription": active.pk, "frequency": "daily",
         "wanted": [world.pk, arts.pk]},
        follow=True,
    )  # fmt: skip

    active.refresh_from_db()
    assert active.muted_sections == [sport.pk]
    page = response.content.decode()
    assert "Saved" in page
    assert page.count(" checked") == 4
    assert recorded_changes(active) == [{"muted_sections": {"from": [], "to": ["Sport"]}}]
    row = Consent.objects.get()
    assert row.wording == "Save my choices for The Daily."
    assert row.page == "http://testserver/preferences/…/"


def test_the_answer_leads_back_to_the_part_that_was_saved(client, active):
    fields = {"do": "choices", "subscription": active.pk, "frequency": "daily"}

    response = client.post(link(active), fields | {"wanted": all_wanted(active)})

    part = f"newsletter-{active.pk}"
    assert (response.status_code, response["Location"]) == (
        302, f"{link(active)}?done={part}#{part}",
    )  # fmt: skip


def test_a_muted_section_can_be_chosen_again(send, active):
    set_muted_sections(subscription_id=active.pk, section_ids=all_wanted(active)[:1], now=NOW)

    send(active, "choices", subscription=active.pk, frequency="daily", wanted=all_wanted(active))

    active.refresh_from_db()
    assert active.muted_sections == []


def test_choosing_no_section_at_all_is_refused(send, active):
    page = send(active, "choices", subscription=active.pk, frequency="daily").content.decode()

    assert "Choose at least one section" in page
    active.refresh_from_db()
    assert active.muted_sections == []


@pytest.mark.parametrize("wanted", [["x"], ["99999999999999999999999"], ["-1"]])
def test_a_made_up_section_is_an_error_and_changes_nothing(send, active, wanted):
    answer = send(active, "choices", subscription=active.pk, frequency="daily", wanted=wanted)

    assert answer.status_code == 200
    active.refresh_from_db()
    assert active.muted_sections == []


def test_sections_of_another_newsletter_are_left_out(active):
    foreign = factories.section(factories.newsletter())
    own = sections(active)[0]

    set_muted_sections(subscription_id=active.pk, section_ids=[foreign.pk, own.pk], now=NOW)

    active.refresh_from_db()
    assert active.muted_sections == [own.pk]


# --- How often, and when ------------------------------------------------------------------------


def test_only_choices_that_make_a_difference_are_offered(client, newsletter, active):
    factories.schedule(newsletter, weekdays=[0, 1, 2, 3, 4])

    page = client.get(link(active)).content.decode()

    assert "How often" not in page
    assert "At what time" not in page


def test_weekly_and_the_hour_are_offered_if_a_schedule_supports_them(client, scheduled):
    page = client.get(link(scheduled)).content.decode()

    for offered in ("Every edition", "Monday to Friday", "the best of the week", "At what time"):
        assert offered in page
    assert "As usual, at 07:00" in page


def test_a_reader_chooses_once_a_week_at_nine(send, scheduled):
    wanted = all_wanted(scheduled)

    send(scheduled, "choices", subscription=scheduled.pk, frequency="weekly", hour="09:00",
         wanted=wanted)  # fmt: skip

    scheduled.refresh_from_db()
    assert (scheduled.frequency, scheduled.preferred_time) == ("weekly", time(9, 0))
    assert recorded_changes(scheduled) == [
        {
            "frequency": {"from": "daily", "to": "weekly"},
            "preferred_time": {"from": None, "to": "09:00"},
        }
    ]


def test_a_reader_declines_breaking_news_and_wants_it_again(send, active):
    for chosen in ("no", "yes"):
        send(active, "choices", subscription=active.pk, frequency="daily", extras=chosen,
             wanted=all_wanted(active))  # fmt: skip
        active.refresh_from_db()
        assert active.wants_extras is (chosen == "yes")

    assert recorded_changes(active) == [
        {"wants_extras": {"from": "yes", "to": "no"}},
        {"wants_extras": {"from": "no", "to": "yes"}},
    ]


@pytest.mark.parametrize(("frequency", "cap"), [("weekly", 2), ("daily", 0)])
def test_breaking_news_is_no_choice_for_those_who_get_none(
    client, active, settings, frequency, cap
):
    settings.EXTRA_EDITIONS_PER_DAY = cap
    Subscription.objects.update(frequency=frequency)

    assert "Breaking news" not in client.get(link(active)).content.decode()


def test_the_current_choice_is_offered_even_if_its_schedule_is_gone(client, send, active):
    Subscription.objects.update(frequency="weekly", preferred_time=time(6, 30))
    factories.schedule(active.newsletter)

    assert "the best of the week" in client.get(link(active)).content.decode()
    send(active, "choices", subscription=active.pk, frequency="weekly", wanted=all_wanted(active))

    active.refresh_from_db()
    assert (active.frequency, active.preferred_time) == ("weekly", time(6, 30))


def test_an_unusual_hour_set_through_the_api_is_kept(client, scheduled):
    Subscription.objects.update(preferred_time=time(6, 30))

    assert '<option value="06:30" selected' in client.get(link(scheduled)).content.decode()


@pytest.mark.parametrize("fields", [{"frequency": "hourly"}, {"frequency": "weekly", "hour": "25"}])
def test_a_made_up_choice_is_an_error_and_changes_nothing(send, scheduled, fields):
    wanted = all_wanted(scheduled)
    page = send(scheduled, "choices", subscription=scheduled.pk, wanted=wanted, **fields)

    assert 'class="error"' in page.content.decode()
    scheduled.refresh_from_db()
    assert (scheduled.frequency, scheduled.preferred_time) == ("daily", None)
    assert recorded_changes(scheduled) == []


def test_saving_without_a_change_records_nothing(active):
    assert not set_choices(subscription_id=active.pk, choices=Choices.of(active), now=NOW)
    assert not Consent.objects.exists()


# --- Whose subscription -------------------------------------------------------------------------


def test_all_newsletters_of_the_reader_stand_on_one_page(send, client, active, other):
    page = client.get(link(active)).content.decode()
    assert page.index("The Daily") < page.index("The Evening")
    page = client.get(link(other)).content.decode()
    assert page.index("The Evening</h2>") < page.index("The Daily</h2>")

    send(active, "choices", subscription=other.pk, frequency="weekdays")

    other.refresh_from_db()
    assert other.frequency == "weekdays"


@pytest.mark.parametrize("number", ["", "x", "-1", "9" * 30])
def test_another_readers_subscription_cannot_be_touched(client, active, number):
    stranger = factories.subscription(active.newsletter, "bob@example.com")

    for target in (stranger.pk, number):
        fields = {"do": "choices", "subscription": target, "frequency": "weekdays"}
        assert client.post(link(active), fields).status_code == 404
        fields = {"do": "pause", "subscription": target, "weeks": "1"}
        assert client.post(link(active), fields).status_code == 404

    stranger.refresh_from_db()
    assert (stranger.frequency, stranger.paused_until) == ("daily", None)
