"""One slot makes one edition, with the stories that are news."""

import threading
from datetime import UTC, date, datetime, time, timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.db.models import Count

from digest.editions.draft import pool
from digest.editions.draft.draft import DayIsOver, draft_edition
from digest.editions.draft.passed_over import Sieve, why_not_proposed
from digest.editions.draft.slots import DueSlot, due_slots
from digest.models import Edition, EditionItem, Schedule, SieveRule, Story
from digest.rendering.contents import arrange
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def newsletter():
    newsletter = factories.newsletter(timezone="Europe/London")
    for _ in range(5):
        factories.story(newsletter)
    return newsletter


def titles(edition):
    return [item.story.title for item in edition.items.all()]


def test_a_slot_is_due_from_its_draft_lead_until_it_has_an_edition(newsletter):
    schedule = factories.schedule(newsletter, local_time=time(7), draft_lead_minutes=60)
    seven = datetime(2026, 3, 10, 7, tzinfo=UTC)

    assert due_slots(now=seven - timedelta(minutes=61)) == []
    assert due_slots(now=seven - timedelta(minutes=60)) == [DueSlot(schedule.pk, seven.date())]
    draft_edition(newsletter=newsletter, schedule=schedule, date=seven.date(), now=NOW)
    assert due_slots(now=seven) == []


def test_a_beat_that_missed_the_send_time_still_drafts_until_the_deadline(newsletter):
    schedule = factories.schedule(newsletter, local_time=time(7), deadline_minutes=180)
    Schedule.objects.update(changed_at=NOW - timedelta(days=9))

    assert due_slots(now=datetime(2026, 3, 10, 9, 59, tzinfo=UTC)) == [
        DueSlot(schedule.pk, date(2026, 3, 10))
    ]
    assert due_slots(now=datetime(2026, 3, 10, 10, 1, tzinfo=UTC)) == []


def test_a_schedule_changed_after_its_send_time_makes_no_draft_for_today(newsletter):
    factories.schedule(newsletter, local_time=time(7))
    Schedule.objects.update(changed_at=datetime(2026, 3, 10, 9, tzinfo=UTC))

    assert due_slots(now=datetime(2026, 3, 10, 9, 1, tzinfo=UTC)) == []


@pytest.mark.parametrize("fields", [{"is_active": False}, {"weekdays": []}, {"weekdays": [2]}])
def test_a_schedule_without_a_slot_today_is_not_due(newsletter, fields):
    factories.schedule(newsletter, local_time=time(7), **fields)

    assert due_slots(now=NOW) == []


def test_drafting_the_same_slot_again_changes_nothing(newsletter):
    schedule = factories.schedule(newsletter)
    first = draft_edition(newsletter=newsletter, schedule=schedule, date=NOW.date(), now=NOW)
    factories.story(newsletter)
    second = draft_edition(newsletter=newsletter, schedule=schedule, date=NOW.date(), now=NOW)

    assert first == second
    assert first.items.count() == 5


@pytest.mark.django_db(transaction=True)
def test_beats_that_draft_concurrently_make_one_edition(newsletter):
    schedule = factories.schedule(newsletter)
    start, ids = threading.Barrier(4), []

    def beat():
        try:
            start.wait()
            edition = draft_edition(
                newsletter=newsletter, schedule=schedule, date=NOW.date(), now=NOW
            )
            ids.append(edition.pk)
        finally:
            connection.close()

    beats = [threading.Thread(target=beat) for _ in range(4)]
    for thread in beats:
        thread.start()
    for thread in beats:
        thread.join(20)

    assert len(ids) == 4
    assert Edition.objects.count() == 1
    assert EditionItem.objects.count() == 5


@pytest.mark.django_db(transaction=True)
def test_two_schedules_that_draft_concurrently_do_not_use_a_story_twice(newsletter):
    schedules = [
        factories.schedule(newsletter, name=name, max_stories=3) for name in ("Morning", "Evening")
    ]
    start, errors = threading.Barrier(2), []

    def beat(schedule):
        try:
            start.wait()
            draft_edition(newsletter=newsletter, schedule=schedule, date=NOW.date(), now=NOW)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    beats = [threading.Thread(target=beat, args=[schedule]) for schedule in schedules]
    for thread in beats:
        thread.start()
    for thread in beats:
        thread.join(20)

    assert not errors
    # The second one waited for the first, and took what was left.
    assert sorted(Edition.objects.annotate(n=Count("items")).values_list("n", flat=True)) == [2, 3]


def test_the_second_of_two_drafts_sees_the_first_although_its_task_began_earlier(newsletter):
    schedules = [factories.schedule(newsletter, name=name, max_stories=3) for name in ("A", "B")]
    reports = [factories.story(newsletter, published_at=NOW) for _ in range(2)]
    Story.objects.filter(pk__in=[each.pk for each in reports]).update(event=reports[0].pk)

    first, second = (
        draft_edition(newsletter=newsletter, schedule=schedule, date=NOW.date(), now=now)
        for schedule, now in zip(schedules, (NOW + timedelta(seconds=2), NOW), strict=True)
    )

    assert [first.items.count(), second.items.count()] == [3, 3]
    assert EditionItem.objects.filter(story__event=reports[0].pk).count() == 1


def test_stories_without_a_section_come_between_the_lead_and_the_sections():
    newsletter = factories.newsletter()
    world = factories.section(newsletter, position=1)
    sport = factories.section(newsletter, position=2)
    ages = {"oldest": (world, 9), "lead": (sport, 0), "second": (sport, 1), "third": (world, 2)}
    for title, (section, hours) in ages.items():
        factories.story(
            newsletter, title=title, section=section, published_at=NOW - timedelta(hours=hours)
        )
    factories.story(newsletter, title="of no section", published_at=NOW - timedelta(minutes=30))

    edition = draft_edition(newsletter=newsletter, now=NOW)

    assert titles(edition) == ["lead", "of no section", "third", "oldest", "second"]
    assert edition.subject == "lead"
    assert edition.preheader == "of no section · third"


def test_a_section_gets_no_more_than_its_limit():
    newsletter = factories.newsletter()
    section = factories.section(newsletter, max_stories=2)
    for _ in range(4):
        factories.story(newsletter, section=section)

    assert draft_edition(newsletter=newsletter, now=NOW).items.count() == 2


def test_hidden_stories_and_stories_already_printed_are_not_proposed(newsletter):
    hidden = factories.story(newsletter, is_hidden=True)
    printed = factories.story(newsletter)
    factories.item(factories.edition(newsletter, stories=0), printed)

    found = set(titles(draft_edition(newsletter=newsletter, now=NOW)))

    assert len(found) == 5
    assert not {hidden.title, printed.title} & found


def test_a_feed_whose_entries_are_new_at_each_fetch_leaves_room_for_the_others(
    newsletter, monkeypatch
):
    monkeypatch.setattr(pool, "MAX_CANDIDATES", 6)
    monkeypatch.setattr(pool, "MAX_OF_A_FEED", 4)
    flood = factories.feed(newsletter)
    for minute in range(8):
        at = NOW - timedelta(minutes=minute)
        factories.story(newsletter, feed=flood, title=f"Offer {minute}", published_at=at)

    edition = draft_edition(newsletter=newsletter, now=NOW)

    assert edition.items.filter(story__feed=None).count() == 2


def test_a_story_released_by_a_skipped_edition_is_proposed_again(newsletter):
    released = factories.story(newsletter)
    factories.item(factories.edition(newsletter, stories=0), released, released=True)

    assert released.title in titles(draft_edition(newsletter=newsletter, now=NOW))


def test_old_stories_are_not_proposed_while_there_are_enough_fresh_ones(newsletter):
    factories.schedule(newsletter, min_stories=3)
    old = factories.story(newsletter, published_at=NOW - timedelta(days=3), added_at=NOW)

    assert old.title not in titles(draft_edition(newsletter=newsletter, now=NOW))


def test_what_arrived_late_fills_a_thin_edition_but_nothing_older_than_a_week():
    newsletter = factories.newsletter()
    for days in (4, 6, 8, 600):
        factories.story(newsletter, published_at=NOW - timedelta(days=days), added_at=NOW)

    assert draft_edition(newsletter=newsletter, now=NOW).items.count() == 2


def test_a_short_edition_says_what_became_of_the_other_stories():
    newsletter = factories.newsletter()
    feed = factories.feed(newsletter)
    schedule = factories.schedule(newsletter, min_stories=3)
    fresh = factories.story(newsletter, feed=feed, added_at=NOW)
    Story.objects.filter(pk=fresh.pk).update(event=fresh.pk)
    factories.story(newsletter, feed=feed, added_at=NOW, event=fresh.pk)
    factories.story(newsletter, feed=feed, added_at=NOW, title="Thursday Briefing")
    factories.story(newsletter, feed=feed, added_at=NOW, is_hidden=True)
    for _ in range(2):
        factories.story(newsletter, published_at=NOW - timedelta(days=600), added_at=NOW)

    edition = draft_edition(newsletter=newsletter, schedule=schedule, date=NOW.date(), now=NOW)

    (entry,) = edition.log.all()
    assert entry.words.startswith("Drafted with 1 of at least 3 stories. Not proposed: ")
    assert set(entry.words.partition("Not proposed: ")[2].rstrip(".").split("; ")) == {
        "1: event printed or drafted already, or section full",
        "1: a briefing that lists other stories",
        "1: hidden",
        "2: old already when it arrived",
    }


def test_the_log_says_from_how_many_stories_a_draft_was_made(newsletter):
    schedule = factories.schedule(newsletter, min_stories=6)
    factories.story(newsletter, published_at=NOW - timedelta(days=4), added_at=NOW)

    edition = draft_edition(newsletter=newsletter, schedule=schedule, date=NOW.date(), now=NOW)

    (entry,) = edition.log.all()
    assert entry.words == "Drafted with 5 of 5 new stories, 1 that arrived late"
    assert edition.proposed_stories == sorted(Story.objects.values_list("pk", flat=True))


def test_a_story_without_a_date_is_as_new_as_its_arrival_unless_its_feed_held_it_before(newsletter):
    factories.schedule(newsletter, min_stories=3)
    arrived = factories.story(newsletter, published_at=None, added_at=NOW - timedelta(hours=1))
    held = factories.story(newsletter, published_at=None, added_at=NOW, is_backlog=True)
    early = factories.story(newsletter, published_at=None, added_at=NOW - timedelta(days=3))

    drafted = titles(draft_edition(newsletter=newsletter, now=NOW))

    assert arrived.title in drafted
    assert not {held.title, early.title} & set(drafted)


@pytest.mark.parametrize("year", ["0001-12-31 10:00 BC", "10000-01-01 00:00"])
def test_a_story_of_a_year_that_cannot_be_read_is_refused_by_the_database(newsletter, year):
    story = factories.story(newsletter)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE digest_story SET published_at = %s WHERE id = %s", [year, story.pk])


def test_a_stored_story_of_a_year_that_cannot_be_read_becomes_one_without_a_date(newsletter):
    story = factories.story(newsletter)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # otherwise the table cannot be altered
        cursor.execute("ALTER TABLE digest_story DROP CONSTRAINT story_time_readable")
        cursor.execute("UPDATE digest_story SET published_at = '0001-12-31 10:00 BC'")
    move = import_module("digest.migrations.0013_unreadable_times_are_unknown")

    move.forget_unreadable(apps, None)

    story.refresh_from_db()
    assert story.published_at is None


def test_what_a_new_feed_held_without_a_date_fills_no_edition():
    newsletter = factories.newsletter()
    held = factories.story(newsletter, published_at=None, added_at=NOW, is_backlog=True)
    assert draft_edition(newsletter=newsletter, now=NOW).items.count() == 0

    # An editor who knows the date may give it one.
    Story.objects.filter(pk=held.pk).update(published_at=NOW)
    later = (NOW + timedelta(days=1)).date()
    assert draft_edition(newsletter=newsletter, date=later, now=NOW).items.count() == 1


def test_a_draft_without_a_date_takes_the_next_slot_of_the_schedules(newsletter):
    factories.schedule(newsletter, name="Evening", local_time=time(18))
    morning = factories.schedule(newsletter, name="Morning", local_time=time(7))

    edition = draft_edition(newsletter=newsletter, now=NOW)

    assert (edition.schedule, edition.slot_date) == (morning, NOW.date())
    assert edition.sends_at == datetime(2026, 3, 10, 7, tzinfo=UTC)
    assert edition.deadline_at == datetime(2026, 3, 10, 10, tzinfo=UTC)


def test_an_edition_without_a_schedule_can_be_sent_from_an_hour_later_until_midnight(newsletter):
    late = datetime(2026, 3, 10, 15, tzinfo=UTC)

    edition = draft_edition(newsletter=newsletter, now=late)

    assert (edition.schedule, edition.slot_date) == (None, date(2026, 3, 10))
    assert edition.sends_at == late + timedelta(hours=1)
    assert edition.deadline_at == datetime(2026, 3, 11, tzinfo=UTC)
    assert draft_edition(newsletter=newsletter, now=late + timedelta(hours=1)) == edition


def test_an_editor_can_draft_an_edition_for_today_after_todays_slot(newsletter):
    factories.schedule(newsletter, local_time=time(7), deadline_minutes=60)
    noon = datetime(2026, 3, 10, 12, tzinfo=UTC)

    edition = draft_edition(newsletter=newsletter, date=noon.date(), now=noon)

    assert edition.schedule is None
    assert edition.sends_at > noon


def test_a_past_day_gets_no_edition(newsletter):
    with pytest.raises(DayIsOver, match="9 March 2026 is over"):
        draft_edition(newsletter=newsletter, date=date(2026, 3, 9), now=NOW)
    assert not Edition.objects.exists()


@pytest.mark.parametrize("day", [date.min, date.max])
@pytest.mark.parametrize("timezone", ["Asia/Tokyo", "America/New_York"])
def test_a_day_at_the_end_of_the_calendar_gets_no_edition(day, timezone):
    newsletter = factories.newsletter(timezone=timezone)
    with pytest.raises(DayIsOver):
        draft_edition(newsletter=newsletter, date=day, now=NOW)


def test_the_query_count_of_drafting_does_not_depend_on_the_number_of_stories(
    newsletter, django_assert_max_num_queries
):
    for _ in range(40):
        factories.story(newsletter, feed=factories.feed(newsletter))

    with django_assert_max_num_queries(31):
        draft_edition(newsletter=newsletter, now=NOW)


def test_a_widely_reported_event_is_found_behind_any_number_of_newer_stories(
    newsletter, monkeypatch
):
    monkeypatch.setattr(pool, "MAX_CANDIDATES", 5)
    monkeypatch.setattr(pool, "MOST_EVENTS", 1)
    Story.objects.update(published_at=NOW)
    reports = [
        factories.story(newsletter, source_name=f"Paper {n}", published_at=NOW - timedelta(hours=9))
        for n in range(6)
    ]
    Story.objects.filter(pk__in=[each.pk for each in reports]).update(event=reports[0].pk)
    told = factories.story(newsletter, published_at=NOW - timedelta(hours=9), boost=2)
    factories.story(newsletter, published_at=NOW - timedelta(hours=9))

    edition = draft_edition(newsletter=newsletter, now=NOW)

    assert edition.items.count() == 7
    assert told.title in titles(edition)
    assert edition.items.filter(story__event=reports[0].pk).count() == 1


# --- The lead's picture ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("width", "height", "is_printed"),
    [
        (1800, 1800, True),
        (1800, 1801, True),  # A person sees a square.
        (1800, 1900, False),
        (1200, 675, True),
        (499, 280, False),
        (None, None, True),  # unknown, and printed as if it were 16:9
    ],
)
def test_a_lead_is_chosen_for_a_picture_only_if_that_is_printed(width, height, is_printed):
    newsletter = factories.newsletter()
    plain = factories.story(newsletter, published_at=NOW)
    pictured = factories.story(
        newsletter,
        published_at=NOW - timedelta(hours=1),
        image_url="https://news.example.com/boat.jpg",
        image_width=width,
        image_height=height,
    )

    edition = draft_edition(newsletter=newsletter, now=NOW)

    lead = arrange(edition).lead
    assert lead is not None
    assert (lead.hero is not None) == is_printed
    assert edition.items.first().story == (pictured if is_printed else plain)


def test_an_event_is_proposed_once_and_its_other_reports_are_counted_in_words(newsletter):
    reports = [factories.story(newsletter, source_name=f"Paper {n}") for n in range(3)]
    Story.objects.filter(pk__in=[each.pk for each in reports]).update(event=reports[0].pk)

    edition = draft_edition(newsletter=newsletter, date=NOW.date(), now=NOW)

    items = [item for item in edition.items.all() if item.story_id in {r.pk for r in reports}]
    assert len(items) == 1
    assert items[0].why.startswith("3 sources; first seen ")
    assert edition.items.count() == 6


def test_an_event_that_was_printed_is_not_proposed_again_by_another_report(newsletter):
    printed, report = factories.story(newsletter), factories.story(newsletter)
    Story.objects.filter(pk__in=[printed.pk, report.pk]).update(event=printed.pk)
    factories.item(factories.edition(newsletter, stories=0), printed)

    edition = draft_edition(newsletter=newsletter, date=NOW.date(), now=NOW)

    assert report.title not in titles(edition)
    assert edition.items.count() == 5


def test_what_is_no_news_is_not_proposed_unless_an_editor_wants_it(newsletter):
    feed, everything = factories.feed(newsletter), factories.feed(newsletter, takes_all=True)
    factories.story(newsletter, feed=feed, title="Thursday Briefing")
    factories.story(newsletter, feed=feed, title="Friday Briefing", is_wanted=True)
    factories.story(newsletter, feed=everything, title="Saturday Briefing")
    factories.story(newsletter, title="Sunday Briefing", origin=Story.Origin.API)

    edition = draft_edition(newsletter=newsletter, date=NOW.date(), now=NOW)

    briefings = {title for title in titles(edition) if "Briefing" in title}
    assert briefings == {"Friday Briefing", "Saturday Briefing", "Sunday Briefing"}


def test_a_section_gets_its_minimum_and_the_log_says_what_it_does_not_get():
    newsletter = factories.newsletter()
    schedule = factories.schedule(newsletter, min_stories=1, max_stories=4)
    money = factories.section(newsletter, name="Money", min_stories=2)
    world = factories.section(newsletter, min_stories=1)
    for _ in range(5):
        factories.story(newsletter, section=world, published_at=NOW)
    rare = factories.story(newsletter, section=money, published_at=NOW - timedelta(hours=23))

    edition = draft_edition(newsletter=newsletter, schedule=schedule, date=NOW.date(), now=NOW)

    assert rare.title in titles(edition)
    assert edition.items.count() == 4
    entry = edition.log.last()
    assert entry.words == "No more fresh stories fit into these sections: Money has 1 of 2"


@pytest.fixture
def games():
    """A newsletter of a feed with eight stories of one tournament, and three others."""
    newsletter = factories.newsletter()
    feed = factories.feed(newsletter)
    whats = ("Sprint", "Row", "Tears", "Gold", "Upset", "Joy", "Rain", "Dive")
    for what in whats:
        factories.story(
            newsletter,
            feed=feed,
            published_at=NOW,
            title=f"{what} at the Olympics in Paris",
            summary=f"They say it was a good day for gold at the Olympics: {what.lower()}.",
        )
    for title in ("Bakers raise prices", "Lake freezes over", "Old bridge is closed"):
        factories.story(
            newsletter,
            feed=feed,
            published_at=NOW - timedelta(hours=6),
            title=title,
            summary="Nobody was surprised.",
        )
    for title in ("Mayor falls ill", "Storm fells trees", "Choir wins a prize", "Rents rise"):
        for n in range(2):
            factories.story(
                newsletter,
                feed=feed,
                published_at=NOW - timedelta(hours=6),
                title=f"{title} {n}",
                summary=f"So {title}.",
            )
    return newsletter


def test_a_topic_has_two_stories_and_each_says_which_it_is(games):
    factories.schedule(games, max_stories=8)

    edition = draft_edition(newsletter=games, now=NOW)

    about = [item.why for item in edition.items.all() if "Olympics" in item.story.title]
    assert len(about) == 2
    assert any("; first of 8 about “Olympics”; " in why for why in about)
    assert any("; second of 8 about “Olympics”; " in why for why in about)
    assert edition.items.count() == 8


def test_a_short_edition_says_which_stories_were_more_of_one_topic(games):
    schedule = factories.schedule(games, min_stories=20, max_stories=30)

    edition = draft_edition(newsletter=games, schedule=schedule, date=NOW.date(), now=NOW)

    assert edition.items.count() == 16
    assert edition.log.get().words.endswith("Not proposed: 3: more about “Olympics”")


def test_an_event_is_printed_by_a_report_whose_summary_says_something():
    newsletter = factories.newsletter()
    bare = factories.story(newsletter, title="Lake freezes over", summary="Lake freezes over.")
    full = factories.story(
        newsletter, title="Ice on the lake", summary="Skaters went out early, against all advice."
    )
    Story.objects.update(event=bare.pk)

    assert titles(draft_edition(newsletter=newsletter, now=NOW)) == [full.title]


def test_an_editors_words_and_folders_keep_stories_back_whatever_else_is_let_through(newsletter):
    ours, other = factories.feed(newsletter, takes_all=True), factories.feed(newsletter)
    SieveRule.objects.create(newsletter=newsletter, feed=ours, kind="words", value="Live:")
    SieveRule.objects.create(newsletter=newsletter, kind="path", value="/video/")
    stories = [
        factories.story(newsletter, feed=ours, title="Live: the vote"),
        factories.story(newsletter, feed=ours, url="https://a.example/video/1"),
        factories.story(newsletter, feed=other, url="https://a.example/video/2"),
        factories.story(newsletter, feed=other, title="Olive: the harvest"),
    ]

    edition = draft_edition(newsletter=newsletter, date=NOW.date(), now=NOW)

    assert [story.title in titles(edition) for story in stories] == [False, False, False, True]
    sieve = Sieve(stories)
    assert [sieve.why(story) for story in stories] == [
        "its headline has “Live:”", "its address has the folder /video/",
        "its address has the folder /video/", "",
    ]  # fmt: skip


def test_a_kind_that_a_feed_lets_through_is_proposed(newsletter):
    feed = factories.feed(newsletter, kinds_let_through=["shopping"])
    deals = factories.story(newsletter, feed=feed, title="A gift guide for the patient")
    stars = factories.story(newsletter, feed=feed, title="Horoscope for Friday")

    edition = draft_edition(newsletter=newsletter, date=NOW.date(), now=NOW)

    assert deals.title in titles(edition)
    assert stars.title not in titles(edition)


@pytest.mark.parametrize("let_through", [[], ["standing"]])
def test_what_comes_again_and_again_is_not_proposed(newsletter, let_through):
    feed = factories.feed(newsletter, kinds_let_through=let_through)
    other = factories.feed(newsletter)
    for days in range(4):
        for one in (feed, other) if days < 2 else (feed,):
            story = factories.story(
                newsletter, feed=one, title="Letters to us", published_at=NOW - timedelta(days=days)
            )
    newest = Story.objects.filter(feed=feed).order_by("-published_at").select_related("feed")
    expected = "" if let_through else "a standing item: the same headline on 4 of 14 days"

    assert Sieve(newest).why(newest[0]) == expected
    assert Sieve(newest).why(story) == "", "the first time it was no standing item yet"
    elsewhere = Story.objects.filter(feed=other).select_related("feed")
    assert {Sieve(elsewhere).why(story) for story in elsewhere} == {""}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"published_at": None, "is_backlog": True}, "of unknown age"),
        ({"published_at": NOW - timedelta(days=700)}, "old already when it arrived"),
        (
            {"published_at": NOW - timedelta(days=3), "added_at": NOW - timedelta(days=3)},
            "older than two days",
        ),
        ({"published_at": NOW, "title": "Friday Briefing"}, "a briefing that lists other stories"),
        ({"published_at": NOW, "is_hidden": True}, "hidden"),
    ],
)
def test_whatever_the_reason_an_editor_who_wants_a_story_has_it_proposed(
    newsletter, fields, reason
):
    feed = factories.feed(newsletter)
    Story.objects.all().delete()
    story = factories.story(newsletter, feed=feed, **{"added_at": NOW} | fields)
    assert why_not_proposed(story, Sieve([story]), now=NOW) == reason

    # As the action of the list of stories does.
    Story.objects.update(is_wanted=True, wanted_at=NOW, is_hidden=False)

    story.refresh_from_db()
    assert why_not_proposed(story, Sieve([story]), now=NOW) == ""
    edition = draft_edition(newsletter=newsletter, date=NOW.date(), now=NOW)
    assert titles(edition) == [story.title]


def test_a_wish_is_as_new_as_a_story_and_no_longer(newsletter):
    old = factories.story(
        newsletter,
        published_at=NOW - timedelta(days=700),
        is_wanted=True,
        wanted_at=NOW - timedelta(days=3),
        added_at=NOW - timedelta(days=3),
    )

    edition = draft_edition(newsletter=newsletter, date=NOW.date(), now=NOW)

    assert old.title not in titles(edition)
