"""An extra edition brings one story at once, and leaves the schedule's editions alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from digest.editions.decide import release
from digest.editions.decide.approve import NotApprovable, approve
from digest.editions.decide.preflight import find_problems
from digest.editions.decide.stop import skip
from digest.editions.draft.draft import draft_edition
from digest.editions.draft.extra import ExtraExists, NoExtraEditions, draft_extra
from digest.editions.edit.reopen import CannotReopen, reopen
from digest.models import Edition, Story
from digest.templatetags.editions import latest_edition
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def story(db):
    newsletter = factories.newsletter()
    return factories.story(
        newsletter,
        title="Dam above Lienz has burst",
        summary="The valley is being evacuated.",
        section=factories.section(newsletter),
        source_name="Coast Wire",
    )


def test_its_page_says_that_the_story_is_hidden(story):
    Story.objects.update(is_hidden=True)

    edition = draft_extra(story_id=story.pk, now=NOW)

    assert [p.code for p in find_problems(edition) if "is hidden" in p.message] == ["hidden"]


def test_it_has_the_story_as_its_lead_and_is_due_at_once(story):
    edition = draft_extra(story_id=story.pk, actor="the API token desk", now=NOW)

    (item,) = edition.items.all()
    assert (item.story, item.section, item.again) == (story, story.section, False)
    assert (edition.subject, edition.preheader) == (story.title, story.summary)
    assert (edition.schedule, edition.local_time, edition.sends_at) == (None, None, NOW)
    assert edition.deadline_at == NOW + timedelta(hours=3)
    assert str(edition).endswith(" · breaking news")
    assert [str(entry) for entry in edition.log.all()] == [
        "Made as breaking news from the story “Dam above Lienz has burst” (Coast Wire) "
        "(the API token desk)"
    ]


def test_a_second_click_finds_the_first_edition(story):
    first = draft_extra(story_id=story.pk, now=NOW)

    with pytest.raises(ExtraExists) as exists:
        draft_extra(story_id=story.pk, now=NOW)
    assert exists.value.extra == first
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.edition(story.newsletter, stories=0, extra_story=story)


def test_a_date_may_have_several_beside_the_edition_by_hand(story):
    other = factories.story(story.newsletter)
    extras = [draft_extra(story_id=one.pk, now=NOW) for one in (story, other)]
    factories.story(story.newsletter, title="Ferry crews agree on a contract")

    by_hand = draft_edition(newsletter=story.newsletter, date=NOW.date(), now=NOW)

    assert by_hand not in extras
    assert not by_hand.items.filter(story__in=[story, other]).exists()


def test_the_next_draft_looks_back_to_the_last_edition_that_is_none(story):
    """The day's edition goes on from the day's edition before, whatever came in between."""
    schedule = factories.schedule(story.newsletter)
    monday = NOW - timedelta(hours=40)
    factories.edition(story.newsletter, schedule=schedule, slot_date=monday, drafted_at=monday)
    missed = factories.story(story.newsletter, published_at=NOW - timedelta(hours=30))
    draft_extra(story_id=story.pk, now=NOW - timedelta(hours=1))

    edition = draft_edition(
        newsletter=story.newsletter, schedule=schedule, date=NOW.date() + timedelta(days=1), now=NOW
    )

    assert [item.story for item in edition.items.all()] == [missed]


def test_a_story_that_an_edition_has_already_is_printed_again(story):
    edition = factories.edition(story.newsletter, stories=0)
    factories.item(edition, story)

    assert draft_extra(story_id=story.pk, now=NOW).items.get().again


def test_its_draft_waits_for_an_approval_until_its_deadline(story):
    edition = draft_extra(story_id=story.pk, now=NOW)
    late = edition.deadline_at

    assert release.due_editions(now=NOW + timedelta(hours=1)) == []
    assert release.release(edition_id=edition.pk, now=NOW) is release.Release.NOTHING
    assert release.due_editions(now=late) == [edition.pk]
    assert release.release(edition_id=edition.pk, now=late) is release.Release.SKIPPED


def test_a_skipped_one_makes_room_for_another_and_stays_skipped_then(story):
    first = draft_extra(story_id=story.pk, now=NOW)
    skip(edition_id=first.pk, reason="by-editor", detail="", actor="", now=NOW)

    second = draft_extra(story_id=story.pk, now=NOW)

    assert second != first
    with pytest.raises(CannotReopen, match="another extra edition"):
        reopen(edition_id=first.pk, now=NOW)


def test_no_extra_edition_is_made_or_approved_where_the_cap_is_zero(story, settings):
    edition = draft_extra(story_id=story.pk, now=NOW)
    settings.EXTRA_EDITIONS_PER_DAY = 0

    with pytest.raises(NotApprovable, match="EXTRA_EDITIONS_PER_DAY is 0"):
        approve(edition_id=edition.pk, now=NOW)
    with pytest.raises(NoExtraEditions):
        draft_extra(story_id=factories.story(story.newsletter).pk, now=NOW)


def test_it_is_no_sample_of_the_newsletter(story):
    daily = factories.publish(factories.edition(story.newsletter))
    extra = factories.publish(draft_extra(story_id=story.pk, now=NOW))
    Edition.objects.filter(pk=extra.pk).update(sending_at=NOW + timedelta(hours=1))

    assert latest_edition(story.newsletter) == daily
