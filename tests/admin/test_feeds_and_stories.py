"""Feeds, stories and schedules at the desk."""

from datetime import time, timedelta

import pytest
from django.urls import reverse
from django.utils.timezone import now

from digest.admin import feeds
from digest.editions import approve
from digest.feeds import by_hand
from digest.models import Edition, Feed, Schedule, Story
from tests import factories
from tests.admin.test_edition_page import told

pytestmark = pytest.mark.django_db


@pytest.fixture
def queued(monkeypatch):
    tasks = []
    monkeypatch.setattr(feeds, "enqueue", lambda task, **kwargs: tasks.append(kwargs["feed_id"]))
    return tasks


# --- Feeds ---


def test_a_new_feed_is_fetched_at_once(desk, queued):
    newsletter = factories.newsletter()

    desk.post(
        reverse("admin:digest_feed_add"),
        {
            "newsletter": newsletter.pk,
            "url": "https://news.example.com/feed.xml",
            "weight": "1.0",
            "interval_minutes": 15,
            "is_active": "on",
        },
    )

    assert queued == [Feed.objects.get().pk]


def test_fetch_now_makes_the_feed_due_and_tells_a_worker(desk, queued):
    feed = factories.feed(factories.newsletter(), next_fetch_at=now() + timedelta(days=1))

    response = desk.post(reverse("admin:digest_feed_fetch", args=[feed.pk]), follow=True)

    feed.refresh_from_db()
    assert queued == [feed.pk]
    assert feed.next_fetch_at <= now()
    assert "being fetched" in told(response)


def test_a_feed_that_moves_is_fetched_afresh(desk, queued):
    feed = factories.feed(factories.newsletter(), etag='"old"')

    desk.post(
        reverse("admin:digest_feed_change", args=[feed.pk]),
        {
            "newsletter": feed.newsletter_id,
            "url": "https://elsewhere.example.com/feed.xml",
            "title": feed.title,
            "weight": "1.0",
            "interval_minutes": 15,
            "is_active": "on",
        },
    )

    feed.refresh_from_db()
    assert (feed.url, feed.etag) == ("https://elsewhere.example.com/feed.xml", "")
    assert queued == [feed.pk]


def test_feeds_in_trouble_are_found_and_stand_on_the_overview(desk):
    newsletter = factories.newsletter()
    factories.feed(newsletter, title="Well-behaved wire", last_success_at=now())
    factories.feed(
        newsletter, title="Broken wire", consecutive_failures=2, last_error="It answered 503."
    )

    listed = desk.get(reverse("admin:digest_feed_changelist"), {"state": "trouble"})
    overview = desk.get(reverse("admin:index")).content.decode()

    assert [feed.title for feed in listed.context["cl"].result_list] == ["Broken wire"]
    assert "It answered 503." in overview
    assert "Well-behaved wire" not in overview


# --- Stories ---


def add(desk, **data):
    return desk.post(reverse("admin:digest_story_add"), data, follow=True)


def test_neither_an_address_nor_a_text_is_an_error_beside_the_field(desk):
    answer = add(desk, newsletter=factories.newsletter().pk)

    assert answer.context["form"].errors["url"]


def test_a_section_of_another_newsletter_is_refused(desk):
    section = factories.section(factories.newsletter())

    answer = add(desk, newsletter=factories.newsletter().pk, section=section.pk, text="A story")

    assert answer.context["form"].errors["section"]


@pytest.mark.parametrize("field", ["url", "text"])
def test_what_cannot_be_used_is_said_beside_the_field_it_came_from(desk, monkeypatch, field):
    def refuse(**kwargs):
        raise by_hand.UnusableStory("There is no headline in it.")

    monkeypatch.setattr(by_hand, "add_from_url", refuse)
    monkeypatch.setattr(by_hand, "add_from_text", refuse)
    value = {"url": "https://news.example.com/a", "text": "Hm."}[field]

    answer = add(desk, newsletter=factories.newsletter().pk, **{field: value})

    assert answer.context["form"].errors[field] == ["There is no headline in it."]


def test_stories_are_hidden_and_shown_again_from_the_list(desk):
    story = factories.story(factories.newsletter())
    chosen = {"_selected_action": [story.pk]}

    desk.post(reverse("admin:digest_story_changelist"), {"action": "hide"} | chosen)
    assert Story.objects.get().is_hidden

    desk.post(reverse("admin:digest_story_changelist"), {"action": "unhide"} | chosen)
    assert not Story.objects.get().is_hidden


def test_a_story_shows_where_it_was_printed(desk):
    edition = factories.edition(factories.newsletter(), stories=1)

    page = desk.get(reverse("admin:digest_story_change", args=[edition.items.get().story_id]))

    assert reverse("admin:digest_edition_change", args=[edition.pk]) in page.content.decode()


def test_mending_a_story_that_an_approved_edition_prints_withdraws_the_approval(desk):
    edition = factories.edition(factories.newsletter(), deadline_at=now() + timedelta(days=1))
    approve.approve(edition_id=edition.pk, now=now())
    story = edition.items.first().story

    response = desk.post(
        reverse("admin:digest_story_change", args=[story.pk]),
        {
            "title": "A mended headline",
            "summary": story.summary,
            "url": story.url,
            "published_at_0": "10/03/2026",
            "published_at_1": "06:00:00",
        },
        follow=True,
    )

    edition.refresh_from_db()
    assert edition.status == Edition.Status.DRAFT
    assert "needs approval again" in told(response)


# --- Schedules ---


def schedule_form(newsletter, **fields):
    return {
        "newsletter": newsletter.pk,
        "name": "Daily",
        "is_active": "on",
        "weekdays": [0, 2, 4],
        "cadence": "daily",
        "clock": "newsroom",
        "local_time": "07:00",
        "timezone": "",
        "draft_lead_minutes": 120,
        "unapproved": "hold",
        "deadline_minutes": 180,
        "min_stories": 3,
        "max_stories": 12,
    } | fields


def test_a_new_schedule_proposes_every_day(desk):
    page = desk.get(reverse("admin:digest_schedule_add"))

    assert page.context["adminform"].form["weekdays"].value() == [0, 1, 2, 3, 4, 5, 6]


def test_weekdays_are_ticked_and_the_next_three_times_shown_on_both_clocks(desk):
    newsletter = factories.newsletter(timezone="Asia/Tokyo")
    desk.post(reverse("admin:digest_schedule_add"), schedule_form(newsletter))
    schedule = Schedule.objects.get()
    assert (schedule.weekdays, schedule.local_time) == ([0, 2, 4], time(7, 0))

    page = desk.get(reverse("admin:digest_schedule_change", args=[schedule.pk])).content.decode()

    assert page.count("07:00 JST") == 3
    assert page.count("22:00 UTC") == 3


@pytest.mark.parametrize(
    ("field", "value"),
    [("weekdays", []), ("timezone", "Mars/Olympus"), ("min_stories", 20), ("local_time", "25:00")],
)
def test_a_schedule_that_cannot_be_is_refused_beside_the_field(desk, field, value):
    form = schedule_form(factories.newsletter(), **{field: value})

    answer = desk.post(reverse("admin:digest_schedule_add"), form)

    assert answer.context["adminform"].form.errors[field]
    assert not Schedule.objects.exists()
