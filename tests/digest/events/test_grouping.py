"""Stories that report one event get its number, whenever they arrive."""

from datetime import timedelta

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from digest import tasks
from digest.events import grouping
from digest.events.grouping import due_newsletters, event_numbers, group_stories
from digest.events.summary import Summary, summaries_of
from digest.feeds import child_process
from digest.models import EditionItem, Story
from tests import factories
from tests.factories import NOW

QUAKE = (
    "Strong earthquake hits northern Chile, eleven dead",
    "Earthquake in Chile kills eleven, hundreds homeless",
    "Eleven dead as earthquake shakes northern Chile",
)
RATE = ("Norway's central bank leaves its interest rate unchanged",)


def story(newsletter, title, *, hours=3.0, **fields):
    """Return a story that was published and added so many hours ago."""
    at = NOW - timedelta(hours=hours)
    return factories.story(
        newsletter, title=title, summary="", **{"published_at": at, "added_at": at} | fields
    )


def numbers(*stories):
    found = dict(Story.objects.values_list("pk", "event"))
    return [found[each.pk] for each in stories]


@pytest.fixture
def newsletter(db):
    return factories.newsletter()


@pytest.mark.subprocess
def test_reports_of_one_event_get_the_number_of_the_first_and_every_other_story_its_own(newsletter):
    first, second, third, other = (story(newsletter, title) for title in (*QUAKE, *RATE))

    assert group_stories(newsletter_id=newsletter.pk, now=NOW) == 4

    assert numbers(first, second, third, other) == [first.pk, first.pk, first.pk, other.pk]
    assert group_stories(newsletter_id=newsletter.pk, now=NOW) == 0


def test_what_arrives_later_joins_and_nothing_else_moves(newsletter, grouped_here):
    first, other = story(newsletter, QUAKE[0]), story(newsletter, RATE[0])
    group_stories(newsletter_id=newsletter.pk, now=NOW)
    second = story(newsletter, QUAKE[1], hours=1)

    assert group_stories(newsletter_id=newsletter.pk, now=NOW) == 1

    assert numbers(first, second, other) == [first.pk, first.pk, other.pk]


def test_an_event_keeps_its_number_although_its_first_report_is_too_old_to_be_compared(
    newsletter, grouped_here
):
    first, second = story(newsletter, QUAKE[0], hours=70), story(newsletter, QUAKE[1], hours=60)
    group_stories(newsletter_id=newsletter.pk, now=NOW)
    third = story(newsletter, QUAKE[2], hours=30)

    group_stories(newsletter_id=newsletter.pk, now=NOW + timedelta(hours=5))

    assert numbers(first, second, third) == [first.pk] * 3


def test_stories_of_two_newsletters_are_never_one_event(newsletter, grouped_here):
    other = factories.newsletter()
    ours, theirs = story(newsletter, QUAKE[0]), story(other, QUAKE[0])

    for each in (newsletter, other):
        group_stories(newsletter_id=each.pk, now=NOW)

    assert numbers(ours, theirs) == [ours.pk, theirs.pk]


@pytest.mark.parametrize(
    "fields",
    [
        {"published_at": NOW - timedelta(days=400)},
        {"published_at": None, "is_backlog": True},
    ],
)
def test_an_old_story_or_one_of_unknown_age_is_an_event_of_its_own(
    newsletter, grouped_here, fields
):
    old, new = story(newsletter, QUAKE[0], **fields), story(newsletter, QUAKE[0])

    group_stories(newsletter_id=newsletter.pk, now=NOW)

    assert numbers(old, new) == [old.pk, new.pk]
    assert due_newsletters(now=NOW) == []


def test_a_newsletter_is_due_two_minutes_after_a_story_arrived(newsletter):
    story(newsletter, QUAKE[0], hours=0)

    assert due_newsletters(now=NOW + timedelta(minutes=1)) == []
    assert due_newsletters(now=NOW + timedelta(minutes=3)) == [newsletter.pk]


def test_a_tick_groups_what_is_due(newsletter, grouped_here, monkeypatch):
    ours = [story(newsletter, title) for title in QUAKE]
    monkeypatch.setattr(tasks, "now", lambda: NOW)
    monkeypatch.setattr(tasks, "enqueue", lambda task, **kwargs: task(**kwargs))

    tasks._group(NOW)

    assert numbers(*ours) == [ours[0].pk] * 3


def test_a_draft_is_made_although_its_stories_cannot_be_grouped(newsletter, monkeypatch, caplog):
    schedule = factories.schedule(newsletter)
    ours = story(newsletter, QUAKE[0])

    def fails(*args):
        raise OSError("no process can be started")

    monkeypatch.setattr(child_process, "call_without_hurry", fails)
    monkeypatch.setattr(tasks, "now", lambda: NOW)
    tasks.draft_slot(schedule_id=schedule.pk, date=NOW.date().isoformat())

    assert list(EditionItem.objects.values_list("story", flat=True)) == [ours.pk]
    assert "no process can be started" in caplog.text


def test_without_a_result_in_time_each_new_story_is_alone_and_nothing_else_moves(
    newsletter, grouped_here, monkeypatch, caplog
):
    first, second = story(newsletter, QUAKE[0]), story(newsletter, QUAKE[1])
    group_stories(newsletter_id=newsletter.pk, now=NOW)
    third = story(newsletter, QUAKE[2])

    def used_up(*args):
        raise child_process.UsedUp("It takes more than 15 seconds.")

    monkeypatch.setattr(child_process, "call_without_hurry", used_up)
    group_stories(newsletter_id=newsletter.pk, now=NOW)

    assert numbers(first, second, third) == [first.pk, first.pk, third.pk]
    assert "more than 15 seconds" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_second_grouping_of_the_same_newsletter_at_once_does_nothing(grouped_here):
    newsletter = factories.newsletter()
    ours = story(newsletter, QUAKE[0])
    other = connection.copy()
    key = "hashtextextended('digest.events:' || %s, 0)"
    with other.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_lock({key})", [newsletter.pk])
        assert group_stories(newsletter_id=newsletter.pk, now=NOW) == 0
        cursor.execute(f"SELECT pg_advisory_unlock({key})", [newsletter.pk])
    other.close()

    assert numbers(ours) == [None]
    assert group_stories(newsletter_id=newsletter.pk, now=NOW) == 1


@given(
    groups=st.lists(st.integers(1, 30), unique=True, max_size=30).flatmap(
        lambda ids: st.tuples(
            st.just(ids),
            st.lists(st.integers(0, 6), min_size=len(ids), max_size=len(ids)),
            st.lists(st.none() | st.integers(1, 40), min_size=len(ids), max_size=len(ids)),
        )
    )
)
def test_no_two_events_get_the_same_number(groups):
    ids, labels, held = groups
    members = [
        [pk for pk, label in zip(ids, labels, strict=True) if label == each]
        for each in sorted(set(labels))
    ]

    found = event_numbers(members, dict(zip(ids, held, strict=True)))

    assert len(found) == len(set(found)) == len(members)
    for group, number in zip(members, found, strict=True):
        assert number in group or number not in ids


def test_the_larger_part_of_an_event_that_falls_apart_keeps_its_number():
    assert event_numbers([[7, 8], [3, 5, 9]], dict.fromkeys((3, 5, 7, 8, 9), 3)) == [7, 3]
    assert event_numbers([[7, 8], [5, 9, 11]], dict.fromkeys((5, 7, 8, 9, 11), 3)) == [7, 3]


def test_a_summary_counts_outlets_and_reports_and_says_since_when(newsletter):
    first = story(newsletter, QUAKE[0], hours=7, source_name="Ledger")
    for hours, source in ((5, "Ledger"), (2, "Post")):
        story(newsletter, QUAKE[1], hours=hours, source_name=source, event=first.pk)
    Story.objects.filter(pk=first.pk).update(event=first.pk)
    first.refresh_from_db()

    (summary,) = summaries_of([first]).values()

    assert summary == Summary(sources=2, reports=3, first_at=NOW - timedelta(hours=7))
    assert summary.in_words(NOW) == "2 sources, 3 reports, first seen 7 hours ago"
    alone = Summary(sources=1, reports=1, first_at=NOW)
    assert alone.in_words(NOW) == "1 source, first seen in the last hour"


def test_a_feed_whose_entries_are_new_at_each_fetch_leaves_the_others_to_be_compared(
    newsletter, monkeypatch, grouped_here
):
    monkeypatch.setattr(grouping, "MOST_STORIES", 6)
    monkeypatch.setattr(grouping, "MOST_OF_A_FEED", 3)
    quakes = [story(newsletter, title, event=None) for title in QUAKE[:2]]
    flood = factories.feed(newsletter)
    offers = [
        story(newsletter, f"Offer of lamp {number}", hours=1, feed=flood, event=None)
        for number in range(7)
    ]

    group_stories(newsletter_id=newsletter.pk, now=NOW)

    assert len(set(numbers(*quakes))) == 1
    assert None not in numbers(*offers)
