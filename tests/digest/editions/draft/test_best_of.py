"""Weekly readers get the best stories of the week's editions, each of them once."""

from datetime import date, datetime, time, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from digest.editions.decide.preflight import find_problems
from digest.editions.decide.stop import skip
from digest.editions.draft.draft import draft_edition
from digest.editions.edit import curate
from digest.editions.edit.reopen import reopen
from digest.models import Edition, EditionItem
from digest.rendering.content_hash import content_hash
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
# NOW is a Tuesday; the weekly edition comes on Sunday.
SUNDAY = datetime(2026, 3, 15, 6, 0, tzinfo=NOW.tzinfo)


@pytest.fixture
def newsletter():
    return factories.newsletter()


@pytest.fixture
def weekly(newsletter):
    return factories.schedule(
        newsletter, name="Week", cadence="weekly", weekdays=[6], local_time=time(8), max_stories=5
    )


@pytest.fixture
def send(newsletter):
    """A function that makes an edition sent some days ago, with stories of these titles."""

    def send(days_ago, *titles, now=SUNDAY, **fields):
        when = now - days_ago * DAY
        edition = factories.edition(newsletter, stories=0, sends_at=when)
        for position, title in enumerate(titles):
            story = factories.story(newsletter, title=title, published_at=when, source_name=title)
            factories.item(edition, story, position=position, **fields)
        factories.force_update(
            Edition.objects.filter(pk=edition.pk), status="sent", sending_at=when
        )
        return edition

    return send


def draft(newsletter, now=SUNDAY):
    return draft_edition(newsletter=newsletter, cadence="weekly", now=now)


def titles(edition):
    return [item.shown_headline for item in edition.items.all()]


def test_stories_are_ordered_by_their_place_in_the_weeks_editions(newsletter, weekly, send):
    send(3, "Thursday's lead", "Thursday's second", "Thursday's third")
    send(2, "Friday's lead", "Friday's second", "Friday's third")
    send(1, "Saturday's lead", "Saturday's second")

    edition = draft(newsletter)

    assert titles(edition) == [
        "Saturday's lead", "Friday's lead", "Thursday's lead",
        "Saturday's second", "Friday's second",
    ]  # fmt: skip
    assert (edition.cadence, edition.schedule, edition.slot_date) == (
        "weekly", weekly, SUNDAY.date(),
    )  # fmt: skip
    assert edition.subject == "Saturday's lead"
    assert str(edition).endswith("15 March 2026 · the week")


def test_a_weekly_edition_holds_only_stories_sent_within_the_week(newsletter, weekly, send):
    send(8, "Too long ago")
    send(2, "Printed")
    factories.story(newsletter, title="Printed nowhere", published_at=SUNDAY - DAY)
    never_sent = factories.edition(newsletter, stories=0)
    factories.item(never_sent, factories.story(newsletter, title="Never sent"))
    skipped = send(1, "Released", released=True)
    factories.force_update(
        Edition.objects.filter(pk=skipped.pk), status="skipped", reason="by-editor"
    )
    send(1, "Hidden since").items.get().story.__class__.objects.filter(title="Hidden since").update(
        is_hidden=True
    )
    other = factories.edition(factories.newsletter())
    factories.force_update(
        Edition.objects.filter(pk=other.pk), status="sent", sending_at=SUNDAY - DAY
    )

    assert titles(draft(newsletter)) == ["Printed"]


def test_a_weekly_edition_keeps_the_editors_headline_summary_and_section(newsletter, weekly, send):
    world = factories.section(newsletter)
    texts = {"headline": "The editor's headline", "summary": "The editor's summary."}
    send(2, "Feed's title", section=world, **texts)

    (item,) = draft(newsletter).items.all()

    assert {"headline": item.headline, "summary": item.summary} == texts
    assert item.section == world


def test_a_story_printed_several_times_scores_each_time_and_appears_once(newsletter, weekly, send):
    send(4, "A", "B", "Running story")
    second = send(3, "C", "D")
    running = newsletter.stories.get(title="Running story")
    factories.item(second, running, position=2, again=True, headline="Day two")
    factories.item(send(2, "E"), running, position=1, again=True, headline="Day three")

    found = titles(draft(newsletter))

    assert found.count("Day three") == 1
    assert not {"Day two", "Running story"} & set(found)
    # Its places below the lead on three days score more than the lead of one day.
    assert found == ["Day three", "E", "C", "A", "D"]


def test_a_weekly_edition_takes_no_story_from_later_daily_editions(newsletter, weekly, send):
    send(2, "Printed")
    factories.schedule(newsletter, min_stories=1)
    fresh = factories.story(newsletter, title="Fresh", published_at=SUNDAY)
    edition = draft(newsletter)
    curate.add_story(edition_id=edition.pk, story_id=fresh.pk)

    assert all(item.again for item in edition.items.all())
    assert "Fresh" in titles(draft_edition(newsletter=newsletter, now=SUNDAY + timedelta(hours=2)))


def test_a_story_appears_in_one_weekly_edition_only(newsletter, weekly, send):
    send(2, "Old lead", "Old second")
    first = draft(newsletter)
    factories.force_update(Edition.objects.filter(pk=first.pk), status="sent", sending_at=SUNDAY)
    next_week = SUNDAY + timedelta(weeks=1)
    send(6, "New lead", now=next_week)
    # "Old lead" is printed again in the new week, but weekly readers have had it.
    again = send(5, "Another", now=next_week)
    factories.item(again, newsletter.stories.get(title="Old lead"), position=1, again=True)

    assert set(titles(draft(newsletter, next_week))) == {"New lead", "Another"}


def test_a_story_sent_after_the_weekly_draft_is_in_the_next_weekly_edition(
    newsletter, weekly, send
):
    send(2, "Old lead")
    first = draft(newsletter)
    factories.force_update(Edition.objects.filter(pk=first.pk), status="sent", sending_at=SUNDAY)
    later = SUNDAY + timedelta(hours=1)
    send(0, "Sunday's own lead", now=later)

    assert titles(draft(newsletter, SUNDAY + timedelta(weeks=1))) == ["Sunday's own lead"]


def test_the_stories_of_a_skipped_weekly_edition_are_available_again(newsletter, weekly, send):
    send(2, "Lead")
    first = draft(newsletter)
    skip(edition_id=first.pk, reason="by-editor", now=SUNDAY)

    second = draft(newsletter, SUNDAY + timedelta(days=4))
    assert titles(second) == ["Lead"]

    # Reopened, the first edition loses the stories that another weekly edition has by now.
    Edition.objects.filter(pk=first.pk).update(deadline_at=SUNDAY + timedelta(days=9))
    (taken,) = reopen(edition_id=first.pk, now=SUNDAY)
    assert taken.title == "Lead"


def test_a_daily_and_a_weekly_schedule_make_one_edition_each_for_the_same_day(
    newsletter, weekly, send
):
    daily = factories.schedule(newsletter, local_time=time(7), min_stories=1)
    send(2, "Printed")
    factories.story(newsletter, title="Fresh", published_at=SUNDAY)

    by_schedule = [
        draft_edition(newsletter=newsletter, schedule=schedule, date=SUNDAY.date(), now=SUNDAY)
        for schedule in (daily, weekly, weekly)
    ]

    assert titles(by_schedule[0]) == ["Fresh"]
    assert titles(by_schedule[1]) == ["Printed"]
    assert by_schedule[1] == by_schedule[2] == draft(newsletter)
    assert draft_edition(newsletter=newsletter, now=SUNDAY) == by_schedule[0]


def test_an_editor_can_draft_a_daily_and_a_weekly_edition_for_the_same_day(newsletter, send):
    send(2, "Printed")
    daily = draft_edition(newsletter=newsletter, now=SUNDAY)
    weekly = draft(newsletter)

    assert (daily.cadence, weekly.cadence) == ("daily", "weekly")
    assert daily.slot_date == weekly.slot_date
    assert draft(newsletter) == weekly
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.edition(newsletter, slot_date=weekly.slot_date, cadence="weekly")


def test_a_weekly_edition_keeps_the_section_limits(newsletter, weekly, send):
    sport = factories.section(newsletter, max_stories=1)
    for days in (3, 2, 1):
        send(days, f"Sport {days}", section=sport)

    assert titles(draft(newsletter)) == ["Sport 1"]


def test_a_weekly_schedule_cannot_have_several_weekdays(newsletter):
    every_day = factories.schedule(newsletter)
    every_day.cadence = "weekly"
    with pytest.raises(ValidationError, match="choose one day"):
        every_day.full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        every_day.save()


def test_a_weekly_edition_is_not_warned_about_stories_older_than_a_week(newsletter, weekly, send):
    send(2, "Printed")
    edition = draft(newsletter)
    EditionItem.objects.get(edition=edition).story.__class__.objects.update(
        published_at=SUNDAY - 9 * DAY
    )

    assert "old-news" not in {problem.code for problem in find_problems(edition)}


def test_the_content_hash_of_a_weekly_edition_covers_its_cadence(newsletter):
    edition = factories.edition(newsletter)
    daily = content_hash(edition)
    edition.cadence = "weekly"

    assert content_hash(edition) != daily


def test_only_stories_of_earlier_weekly_editions_count_as_already_printed(newsletter, weekly, send):
    send(3, "In the first")
    first = draft(newsletter)
    factories.force_update(Edition.objects.filter(pk=first.pk), status="sent", sending_at=SUNDAY)
    send(6, "Free", now=SUNDAY + timedelta(weeks=1))
    second = draft_edition(
        newsletter=newsletter, cadence="weekly", date=date(2026, 3, 29), now=SUNDAY + 10 * DAY
    )
    story = newsletter.stories.get(title="In the first")

    with pytest.raises(curate.AlreadyPrinted):
        curate.add_story(edition_id=second.pk, story_id=story.pk)
    (found,) = curate.addable_stories(second, term="In the first")
    assert found.printed == "printed before"
