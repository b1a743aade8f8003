"""What was approved is what is sent: an approval is bound to the edition's content."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from digest.editions.decide.approve import NotApprovable, approve, void_if_changed
from digest.editions.decide.preflight import find_problems
from digest.models import Edition, EditionItem, Story
from digest.rendering.content_hash import content_hash
from subscribers.models import Newsletter, Section
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def edition():
    edition = factories.edition(factories.newsletter())
    section = factories.section(edition.newsletter)
    edition.items.update(section=section)
    return edition


def reread(edition):
    return Edition.objects.get(pk=edition.pk)


def test_only_a_corrections_content_hash_covers_the_corrected_edition(edition):
    """Other editions keep the hash of an approval from before corrections existed."""
    newsletter = factories.newsletter(
        name="Daily",
        slug="daily",
        promise="The day.",
        sender_email="daily@example.com",
        postal_address="1 High Street",
    )
    plain = factories.edition(newsletter, stories=0, slot_date=NOW.date())
    known = "a934de77d99009bbf0c6a7c2a8dfd3c9d8038b876e9e7d4e61a1bb510b0bf936"
    assert content_hash(plain) == known

    plain.corrects = edition
    assert content_hash(plain) != known


def test_an_approval_records_the_user_the_time_and_the_content_hash(edition, admin_user):
    approved = approve(edition_id=edition.pk, user=admin_user, now=NOW)

    assert approved.status == Edition.Status.APPROVED
    assert (approved.approved_by, approved.approved_at) == (admin_user, NOW)
    assert approved.approved_hash == content_hash(reread(edition))


@pytest.mark.parametrize(
    ("model", "change"),
    [
        (Edition, {"subject": "Another"}),
        (Edition, {"preheader": "Another"}),
        (Edition, {"note": "Good morning"}),
        (EditionItem, {"headline": "Another"}),
        (EditionItem, {"summary": "Another"}),
        (EditionItem, {"section": None}),
        (Story, {"title": "Another"}),
        (Story, {"url": "https://news.example.com/another"}),
        (Story, {"image_url": "https://news.example.com/another.jpg"}),
        (Story, {"source_name": "Another"}),
        (Section, {"name": "Another"}),
        (Newsletter, {"sender_name": "Another"}),
        (Newsletter, {"postal_address": "Elsewhere"}),
    ],
)
def test_a_change_of_anything_shown_voids_the_approval(edition, model, change):
    approve(edition_id=edition.pk, now=NOW)
    model.objects.update(**change)

    assert void_if_changed(edition_id=edition.pk)
    edition = reread(edition)
    assert edition.status == Edition.Status.DRAFT
    assert (edition.approved_hash, edition.approved_at) == ("", None)


def test_a_change_of_the_story_order_voids_the_approval(edition):
    approve(edition_id=edition.pk, now=NOW)
    edition.items.filter(position=0).update(position=9)

    assert void_if_changed(edition_id=edition.pk)


def test_a_change_that_no_reader_sees_keeps_the_approval(edition):
    approve(edition_id=edition.pk, now=NOW)
    Edition.objects.update(sends_at=NOW + timedelta(hours=2))
    Story.objects.update(is_hidden=True)

    assert not void_if_changed(edition_id=edition.pk)
    assert reread(edition).status == Edition.Status.APPROVED


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda edition: Edition.objects.update(subject=" "), "no-subject"),
        (lambda edition: edition.items.all().delete(), "too-few-stories"),
        (lambda edition: Story.objects.update(title=""), "no-headline"),
        (lambda edition: Story.objects.update(url="", text=""), "no-link"),
        (lambda edition: Edition.objects.update(note="word " * 22_800), "too-long"),
        (lambda edition: Newsletter.objects.update(sender_name="A\nB"), "unsafe"),
        (lambda edition: Edition.objects.update(deadline_at=NOW), "past-deadline"),
        (lambda edition: factories.force_update(Edition.objects.all(), status="sent"), "not-open"),
        (
            lambda edition: factories.force_update(Edition.objects.all(), status="sending"),
            "not-open",
        ),
        (
            lambda edition: Edition.objects.update(status="skipped", reason="by-editor"),
            "not-open",
        ),
    ],
)
def test_an_edition_that_cannot_be_sent_cannot_be_approved(edition, spoil, code):
    spoil(edition)
    before = reread(edition).status

    with pytest.raises(NotApprovable) as refused:
        approve(edition_id=edition.pk, now=NOW)

    assert code in {problem.code for problem in refused.value.problems}
    assert reread(edition).status == before


def test_the_refusal_of_a_long_mail_says_how_long_it_is_and_what_takes_the_room(edition):
    Edition.objects.update(note="word " * 22_800)

    with pytest.raises(NotApprovable) as refused:
        approve(edition_id=edition.pk, now=NOW)

    assert re.match(
        r"The mail has 12\d,\d{3} bytes \(114,000 for the note, \d,\d{3} for 3 stories\) and may "
        "have 99,000",
        str(refused.value),
    )


def test_an_editor_is_told_what_a_long_mail_goes_out_without(edition):
    Story.objects.update(image_url="https://img.example.com/1.jpg")
    EditionItem.objects.update(summary="A summary. " * 100)
    assert not [found for found in find_problems(reread(edition)) if found.code == "left-out"]

    Edition.objects.update(note="word " * 17_000)
    (problem,) = (found for found in find_problems(reread(edition)) if found.code == "left-out")

    assert problem.message.startswith("It goes out without 2 small pictures and 2 summaries, so")
    assert not problem.blocking


def test_a_problem_that_is_not_blocking_does_not_prevent_an_approval(edition):
    Story.objects.update(summary="")

    assert approve(edition_id=edition.pk, now=NOW).status == Edition.Status.APPROVED


def test_old_stories_are_reported_as_a_problem_that_is_not_blocking(edition):
    old, undated, _ = [item.story for item in edition.items.all()]
    Story.objects.filter(pk=old.pk).update(published_at=datetime(2024, 8, 8, tzinfo=UTC))
    Story.objects.filter(pk=undated.pk).update(published_at=None)

    (problem,) = (found for found in find_problems(reread(edition)) if found.code == "old-news")

    assert problem.message == "Older than a week: 1 of 3 stories, one of August 2024."
    assert not problem.blocking


def test_a_schedule_sets_the_minimum_number_of_stories(edition):
    Edition.objects.update(schedule=factories.schedule(edition.newsletter, min_stories=4))

    with pytest.raises(NotApprovable, match="3 of at least 4"):
        approve(edition_id=edition.pk, now=NOW)


def test_the_approval_of_a_held_edition_clears_its_reason_and_notice(edition):
    Edition.objects.update(status="held", reason="not-approved", notice_due_at=NOW)

    approved = approve(edition_id=edition.pk, now=NOW)

    assert (approved.reason, approved.notice_due_at) == ("", None)
