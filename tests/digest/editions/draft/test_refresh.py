"""A draft that nobody has touched takes what is fresher; to any other it is offered."""

from datetime import timedelta

import pytest

from digest.editions.decide.approve import approve
from digest.editions.decide.preflight import find_problems
from digest.editions.draft.draft import draft_edition
from digest.editions.draft.extra import draft_extra
from digest.editions.draft.offers import offers
from digest.editions.draft.refresh import due_refreshes, refresh
from digest.editions.edit import curate
from digest.models import Cadence, Edition, Story
from digest.rendering.content_hash import content_hash
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db

LEAD = timedelta(minutes=120)
LATER = NOW + timedelta(minutes=30)


@pytest.fixture
def newsletter():
    newsletter = factories.newsletter(timezone="UTC")
    for title, hours in {"Alpha": 1, "Beta": 2, "Gamma": 8, "Delta": 9}.items():
        story(newsletter, title, published_at=NOW - timedelta(hours=hours))
    return newsletter


@pytest.fixture
def edition(newsletter):
    """A draft with room for three stories: Delta is the next best."""
    schedule = factories.schedule(
        newsletter, local_time=(NOW + LEAD).time(), min_stories=1, max_stories=3
    )
    return draft_edition(newsletter=newsletter, schedule=schedule, date=NOW.date(), now=NOW)


def story(newsletter, title, **fields):
    fields = {"added_at": NOW, "published_at": NOW, "source_name": title} | fields
    return factories.story(newsletter, title=title, **fields)


def fresh(newsletter, title="Omega"):
    return story(newsletter, title, published_at=LATER, added_at=LATER)


def titles(edition):
    return [item.story.title for item in edition.items.all()]


def steps(edition):
    return [entry.words for entry in edition.log.all()][1:]


def reread(edition):
    return Edition.objects.get(pk=edition.pk)


def test_a_fresher_story_takes_its_place_in_a_draft_that_nobody_has_touched(newsletter, edition):
    assert titles(edition) == ["Alpha", "Beta", "Gamma"]
    rows = dict(edition.items.values_list("story__title", "pk"))
    arrived = fresh(newsletter)
    Story.objects.filter(pk=arrived.pk).update(event=arrived.pk)

    assert refresh(edition_id=edition.pk, now=LATER) == 1
    assert titles(edition) == ["Alpha", "Omega", "Beta"]
    assert steps(edition) == [
        "Taken: “Omega” (1 source; first seen in the last hour; not printed before) "
        "instead of “Gamma”"
    ]
    after = reread(edition)
    assert (after.subject, after.preheader) == ("Alpha", "Omega · Beta")
    # It is still what its schedule proposed, and an open page of it keeps its rows.
    assert after.proposed_hash == content_hash(after)
    assert (
        rows.items()
        >= dict(edition.items.exclude(story=arrived).values_list("story__title", "pk")).items()
    )


def test_the_reasons_say_what_stands_together_now(newsletter):
    money = factories.section(newsletter, name="Money")
    Story.objects.filter(title__in=["Beta", "Gamma"]).update(section=money)
    schedule = factories.schedule(
        newsletter, local_time=(NOW + LEAD).time(), min_stories=1, max_stories=3
    )
    edition = draft_edition(newsletter=newsletter, schedule=schedule, date=NOW.date(), now=NOW)
    story(newsletter, "Omega", published_at=LATER, added_at=LATER, section=money)
    Story.objects.filter(title="Gamma").update(is_hidden=True)

    refresh(edition_id=edition.pk, now=LATER)

    reasons = {item.story.title: item.why for item in edition.items.all()}
    assert list(reasons) == ["Beta", "Alpha", "Omega"]
    assert "; Money 1 of 2; " in reasons["Beta"]
    assert "; Money 2 of 2; " in reasons["Omega"]
    assert "; Money 2 of 2; " in steps(edition)[0]


def test_fresher_stories_leave_a_section_its_minimum(newsletter):
    money = factories.section(newsletter, name="Money", min_stories=1)
    Story.objects.filter(title="Gamma").update(section=money)
    schedule = factories.schedule(
        newsletter, local_time=(NOW + LEAD).time(), min_stories=1, max_stories=3
    )
    edition = draft_edition(newsletter=newsletter, schedule=schedule, date=NOW.date(), now=NOW)
    assert titles(edition) == ["Alpha", "Beta", "Gamma"]
    Story.objects.filter(title="Beta").update(published_at=NOW - timedelta(minutes=5))
    fresh(newsletter)
    # It is proposed instead of Gamma, and is not clearly better.
    story(newsletter, "Rho", published_at=NOW - timedelta(hours=7), added_at=LATER, section=money)

    refresh(edition_id=edition.pk, now=LATER)

    assert "Gamma" in titles(edition)


def test_nothing_happens_while_nothing_is_new(newsletter, edition):
    assert due_refreshes(now=NOW + timedelta(minutes=4)) == []
    assert due_refreshes(now=LATER) == [edition.pk]
    assert refresh(edition_id=edition.pk, now=LATER) == 0
    fresh(newsletter)
    # It was looked at just now.
    assert due_refreshes(now=LATER + timedelta(minutes=4)) == []
    assert refresh(edition_id=edition.pk, now=LATER + timedelta(minutes=4)) == 0
    assert refresh(edition_id=edition.pk, now=LATER + timedelta(minutes=5)) == 1
    assert refresh(edition_id=edition.pk, now=LATER + timedelta(minutes=10)) == 0


def test_what_is_merely_fresher_replaces_nothing(newsletter, edition):
    Story.objects.filter(title="Gamma").update(published_at=NOW - timedelta(hours=4))
    fresh(newsletter)

    assert refresh(edition_id=edition.pk, now=LATER) == 0
    assert titles(edition) == ["Alpha", "Beta", "Gamma"]


def test_no_report_of_an_event_takes_the_place_of_another_or_comes_beside_it(newsletter, edition):
    gamma = Story.objects.get(title="Gamma")
    arrived = fresh(newsletter)
    Story.objects.filter(pk__in=[gamma.pk, arrived.pk]).update(event=gamma.pk)

    assert refresh(edition_id=edition.pk, now=LATER) == 0

    # Two of its stories turn out to report one event.
    Story.objects.filter(title__in=["Alpha", "Beta"]).update(event=gamma.pk + 1)
    assert refresh(edition_id=edition.pk, now=LATER + timedelta(minutes=5)) >= 1
    events = list(edition.items.values_list("story__event", flat=True))
    assert events.count(gamma.pk + 1) == 1
    assert "(another one reports the same)" in " ".join(steps(edition))


def send(edition, *, at=LATER):
    factories.force_update(
        Edition.objects.filter(pk=edition.pk), status="sent", sending_at=at, sent_at=at
    )


@pytest.mark.parametrize("is_grouped", [True, False])
def test_what_went_out_as_breaking_news_makes_room_in_the_draft(edition, is_grouped):
    alpha = Story.objects.get(title="Alpha")
    if is_grouped:
        Story.objects.filter(pk=alpha.pk).update(event=alpha.pk)
    extra = draft_extra(story_id=alpha.pk, now=NOW)
    # Nobody has approved it yet.
    assert refresh(edition_id=edition.pk, now=LATER) == 0
    send(extra)

    assert refresh(edition_id=edition.pk, now=LATER + timedelta(minutes=5)) == 2
    assert titles(edition) == ["Beta", "Gamma", "Delta"]
    assert steps(edition)[0].endswith("in the place of “Alpha” (readers have it already)")
    assert refresh(edition_id=edition.pk, now=LATER + timedelta(minutes=10)) == 0


def test_no_story_of_a_weekly_draft_is_lost_for_its_age(newsletter):
    for hours in (100, 90, 80):
        daily = factories.edition(newsletter, stories=0)
        at = NOW - timedelta(hours=hours)
        factories.item(daily, story(newsletter, f"Of {hours}", published_at=at, added_at=at))
        send(daily, at=at)
    schedule = factories.schedule(
        newsletter,
        cadence=Cadence.WEEKLY,
        weekdays=[NOW.weekday()],
        local_time=(NOW + LEAD).time(),
        max_stories=3,
    )
    weekly = draft_edition(newsletter=newsletter, schedule=schedule, date=NOW.date(), now=NOW)
    assert titles(weekly) == ["Of 80", "Of 90", "Of 100"]
    daily = factories.edition(newsletter, stories=0)
    factories.item(daily, story(newsletter, "Of today"))
    send(daily, at=NOW + timedelta(minutes=5))

    refresh(edition_id=weekly.pk, now=LATER)

    # It was not lost for its age: it is the weakest.
    assert steps(weekly)[0] == "Taken: “Of today” instead of “Of 100”"


def touch(edition):
    curate.set_copy(edition_id=edition.pk, note="By a writer")


def approved(edition):
    approve(edition_id=edition.pk, now=NOW)


@pytest.mark.parametrize("by_somebody", [touch, approved])
def test_what_somebody_has_touched_stays_as_it_is_and_is_offered_the_story(
    newsletter, edition, by_somebody
):
    by_somebody(edition)
    arrived = fresh(newsletter)
    before = content_hash(reread(edition))

    assert refresh(edition_id=edition.pk, now=LATER) == 0
    assert content_hash(reread(edition)) == before
    found = offers(reread(edition), now=LATER)
    assert [item.story for item in found.new] == [arrived]
    assert found.instead == []


def test_the_best_is_offered_first_wherever_it_stands_on_the_page(newsletter, edition):
    for name, hours in (("First", 3), ("Second", 0)):
        section = factories.section(newsletter, name=name)
        at = LATER - timedelta(hours=hours)
        story(newsletter, f"In {name}", section=section, published_at=at, added_at=LATER)
    touch(edition)

    found = offers(reread(edition), now=LATER).new

    assert [item.story.title for item in found] == ["In Second", "In First"]
    assert not any(" of 1" in item.why for item in found)


def test_what_the_autopilot_passed_over_is_not_new(newsletter, edition):
    long_ago = NOW - timedelta(hours=40)
    passed_over = story(newsletter, "Weak", published_at=long_ago, added_at=LATER)
    fresh(newsletter)
    assert refresh(edition_id=edition.pk, now=LATER)
    touch(edition)

    assert passed_over.title not in titles(edition)
    assert offers(reread(edition), now=LATER).new == []


def test_nothing_is_offered_while_the_autopilot_takes_it_by_itself(newsletter, edition):
    fresh(newsletter)

    assert offers(edition, now=LATER).new == []
    # In the last minutes it is left as it is.
    last = NOW + LEAD - timedelta(minutes=9)
    assert due_refreshes(now=last) == []
    assert refresh(edition_id=edition.pk, now=last) == 0
    assert [item.story.title for item in offers(edition, now=last).new] == ["Omega"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [({"is_hidden": True}, "hidden"), ({"link_died_at": NOW}, "its page is gone")],
)
def test_the_next_best_takes_the_place_of_a_dropped_story(edition, fields, reason):
    Story.objects.filter(title="Alpha").update(**fields)

    assert refresh(edition_id=edition.pk, now=LATER) == 2
    assert titles(edition) == ["Beta", "Gamma", "Delta"]
    assert steps(edition) == [
        "Taken: “Delta” (not compared with other reports yet; first seen 10 h ago; not printed "
        f"before) in the place of “Alpha” ({reason})",
        "Subject: “Beta”",
    ]


def test_a_dropped_story_without_a_next_best_is_dropped(edition):
    Story.objects.filter(title__in=["Alpha", "Delta"]).update(is_hidden=True)

    refresh(edition_id=edition.pk, now=LATER)

    assert titles(edition) == ["Beta", "Gamma"]
    assert steps(edition)[0] == "Dropped: “Alpha” (hidden)"


def test_where_an_editor_took_a_story_out_the_next_best_is_offered_and_not_that_one(edition):
    curate.remove_item(edition_id=edition.pk, item_id=edition.items.get(story__title="Beta").pk)

    assert refresh(edition_id=edition.pk, now=LATER) == 0
    found = offers(reread(edition), now=LATER)
    assert [item.story.title for item in found.instead] == ["Delta"]
    assert found.new == []

    curate.add_story(edition_id=edition.pk, story_id=found.instead[0].story_id)
    assert offers(reread(edition), now=LATER).instead == []


def test_a_story_whose_page_is_gone_is_a_problem_where_somebody_has_touched_the_edition(edition):
    Story.objects.filter(title="Alpha").update(link_died_at=NOW)
    touch(edition)

    assert refresh(edition_id=edition.pk, now=LATER) == 0
    (problem,) = [p for p in find_problems(reread(edition)) if p.code == "dead-link"]
    assert problem.message.startswith("“Alpha” leads to a page that is gone")
    assert not problem.blocking


def test_an_edition_by_hand_and_a_skipped_one_are_left_alone(newsletter, edition):
    Edition.objects.update(schedule=None)
    assert due_refreshes(now=LATER) == []
    assert offers(reread(edition), now=NOW + LEAD * 3).new == []
