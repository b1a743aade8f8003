"""A correction goes to the readers who got the mistake, and changes nothing else."""

from datetime import timedelta

import pytest
from django.template.loader import render_to_string

from digest.delivery.planning import start
from digest.editions.decide import audience
from digest.editions.decide.approve import NotApprovable, approve
from digest.editions.decide.release import Release, due_editions, release
from digest.editions.draft import draft
from digest.editions.edit import correct, curate
from digest.models import Delivery, Edition
from digest.rendering.preview import sample_message
from digest.templatetags.editions import latest_edition
from subscribers.models import Subscription
from tests import factories
from tests.digest.rendering.sample_edition import message_to
from tests.factories import NOW

pytestmark = pytest.mark.django_db
NOTE = "The ferry sails on Friday, not on Thursday.\n\nWe are sorry."


@pytest.fixture
def corrected():
    """An edition whose first revision reached two readers (one uncertain), its second one more."""
    edition = factories.edition(factories.newsletter(), subject="Ferry sails", sends_at=NOW)
    factories.force_update(
        Edition.objects.filter(pk=edition.pk),
        status="sent", revision=2, sending_at=NOW, sent_at=NOW, audience=5,
    )  # fmt: skip
    for name, status, revision in (
        ("first", "sent", 1),
        ("perhaps", "uncertain", 1),
        ("second", "sent", 2),
        ("failed", "failed", 0),
        ("skipped", "skipped", 0),
    ):
        Delivery.objects.create(
            edition=edition,
            subscription=factories.subscription(edition.newsletter, f"{name}@example.com"),
            status=status,
            reason="refused" if status in ("failed", "skipped") else "",
            revision=revision,
        )
    return Edition.objects.get(pk=edition.pk)


@pytest.fixture
def correction(corrected):
    return correct.draft_correction(edition_id=corrected.pk, note=NOTE, now=NOW)


@pytest.fixture
def sent(corrected):
    """The same edition, but all readers whom it reached got its only revision."""
    Delivery.objects.filter(revision=2).update(revision=1)
    Edition.objects.filter(pk=corrected.pk).update(revision=1)
    return Edition.objects.get(pk=corrected.pk)


def addresses(edition):
    return sorted(s.subscriber.email for s in audience.readers(edition))


def planned_addresses(correction):
    """Approve the correction and return the addresses that it is planned for."""
    approve(edition_id=correction.pk, now=NOW)
    assert release(edition_id=correction.pk, now=NOW) is Release.SEND
    start.start_delivery(edition_id=correction.pk, now=NOW)
    start.plan_audience(edition_id=correction.pk, now=NOW)
    found = Delivery.objects.filter(edition=correction)
    return sorted(found.values_list("subscription__subscriber__email", flat=True))


def test_a_correction_of_every_revision_goes_to_everyone_who_got_the_edition(corrected):
    assert correct.correctable_revisions(corrected) == [1, 2]
    for_all = correct.draft_correction(edition_id=corrected.pk, note=NOTE, through=2, now=NOW)
    assert planned_addresses(for_all) == [
        "first@example.com", "perhaps@example.com", "second@example.com",
    ]  # fmt: skip


def test_a_correction_during_sending_is_for_older_revisions_only(corrected):
    factories.force_update(Edition.objects.filter(pk=corrected.pk), status="sending")

    with pytest.raises(correct.NotCorrectable, match="no version 2"):
        correct.draft_correction(edition_id=corrected.pk, note=NOTE, through=2, now=NOW)
    assert addresses(correct.draft_correction(edition_id=corrected.pk, note=NOTE, now=NOW)) == [
        "first@example.com", "perhaps@example.com",
    ]  # fmt: skip


def test_a_new_correction_is_a_draft_with_its_note_that_is_due_immediately(corrected, correction):
    assert (correction.status, correction.corrects) == ("draft", corrected)
    assert correction.subject == "Correction: Ferry sails"
    assert correction.note == NOTE
    assert correction.schedule is None
    assert (correction.sends_at, correction.deadline_at) == (NOW, NOW + correct.USEFUL_FOR)
    assert str(correction).endswith("· correction")


def test_a_correction_goes_only_to_current_readers_who_got_an_older_revision(corrected, correction):
    assert addresses(correction) == ["first@example.com", "perhaps@example.com"]

    Subscription.objects.filter(subscriber__email="first@example.com").update(status="unsubscribed")
    assert addresses(correction) == ["perhaps@example.com"]


def test_revisions_are_counted_from_the_delivery_rows(corrected):
    assert correct.revision_counts(corrected) == [
        correct.RevisionCount(1, 2),
        correct.RevisionCount(2, 1),
    ]


def test_an_approved_correction_is_planned_for_its_recipients_only(correction):
    assert planned_addresses(correction) == ["first@example.com", "perhaps@example.com"]


def test_an_unapproved_correction_waits_for_an_editor_and_is_skipped_at_its_deadline(correction):
    assert due_editions(now=NOW) == []
    assert release(edition_id=correction.pk, now=NOW) is Release.NOTHING

    late = correction.deadline_at
    assert due_editions(now=late) == [correction.pk]
    assert release(edition_id=correction.pk, now=late) is Release.SKIPPED


def test_a_correction_needs_a_note_but_no_stories(correction):
    Edition.objects.filter(pk=correction.pk).update(note=" ")

    with pytest.raises(NotApprovable, match="note that says what was wrong"):
        approve(edition_id=correction.pk, now=NOW)


@pytest.mark.parametrize(
    ("fields", "note", "message"),
    [
        ({}, " ", "Say what was wrong"),
        ({"revision": 1, "status": "sending"}, NOTE, "stop it and correct it"),
        ({"status": "held", "reason": "stopped"}, NOTE, "Approve the corrected edition first"),
    ],
)
def test_an_impossible_correction_is_refused_with_the_reason(corrected, fields, note, message):
    factories.force_update(Edition.objects.filter(pk=corrected.pk), **fields)

    with pytest.raises(correct.NotCorrectable, match=message):
        correct.draft_correction(edition_id=corrected.pk, note=note, now=NOW)


def test_a_correction_of_a_sent_edition_goes_to_everyone_who_got_it(sent):
    correction = correct.draft_correction(edition_id=sent.pk, note=NOTE, now=NOW)

    everybody = ["first@example.com", "perhaps@example.com", "second@example.com"]
    assert addresses(correction) == everybody
    assert planned_addresses(correction) == everybody


def test_a_corrections_recipients_stay_the_same_when_sending_resumes(sent):
    correction = correct.draft_correction(edition_id=sent.pk, note=NOTE, now=NOW)
    everybody = addresses(correction)

    factories.force_update(Edition.objects.filter(pk=sent.pk), status="sending")
    assert addresses(Edition.objects.get(pk=correction.pk)) == everybody


def test_a_correction_of_an_older_revision_never_goes_to_readers_of_the_newer_one(
    corrected, correction
):
    Delivery.objects.filter(revision=1).delete()

    assert addresses(correction) == []


def test_a_correction_without_recipients_is_refused(corrected, sent):
    Delivery.objects.all().delete()

    with pytest.raises(correct.NotCorrectable, match="Nobody has this edition"):
        correct.draft_correction(edition_id=sent.pk, note=NOTE, now=NOW)
    Edition.objects.filter(pk=sent.pk).update(revision=2)
    with pytest.raises(correct.NotCorrectable, match="Nobody has an older version"):
        correct.draft_correction(edition_id=sent.pk, note=NOTE, now=NOW)


def test_the_subject_of_a_corrected_correction_has_one_prefix(correction):
    factories.force_update(Edition.objects.filter(pk=correction.pk), status="sent", sent_at=NOW)
    subscription = Subscription.objects.first()
    Delivery.objects.create(
        edition=correction, subscription=subscription, status="sent", revision=1
    )

    again = correct.draft_correction(edition_id=correction.pk, note=NOTE, now=NOW)
    assert again.subject == "Correction: Ferry sails"


def test_a_second_click_finds_the_existing_correction(corrected, correction):
    with pytest.raises(correct.CorrectionExists) as error:
        correct.draft_correction(edition_id=corrected.pk, note=NOTE, now=NOW)
    assert error.value.correction == correction


def test_a_long_subject_is_truncated_for_the_prefix(corrected):
    Edition.objects.update(subject="word " * 29)

    assert len(correct.draft_correction(edition_id=corrected.pk, note=NOTE, now=NOW).subject) <= 150


def test_the_correction_mail_names_and_links_to_the_corrected_edition(corrected, correction):
    received = message_to(correction)

    for kind in ("plain", "html"):
        part = received.part(kind)
        assert f"Correction to the edition of {corrected.slot_date:%A %-d %B %Y}" in part
        assert corrected.get_absolute_url() in part
        assert "The ferry sails on Friday, not on Thursday." in part
        assert "Read the corrected edition" in part
    assert received.message["Subject"] == "Correction: Ferry sails"


def test_the_correction_mail_does_not_call_an_unchanged_edition_corrected(sent):
    received = message_to(correct.draft_correction(edition_id=sent.pk, note=NOTE, now=NOW))

    for kind in ("plain", "html"):
        part = received.part(kind)
        assert "Read the edition on the web" in part
        assert "Read the corrected edition" not in part
        assert sent.get_absolute_url() in part


def test_a_reader_who_muted_every_section_still_gets_the_correction(correction):
    assert message_to(correction, muted_sections=frozenset({1, 2}))
    assert sample_message(correction, now=NOW)

    town = factories.section(correction.newsletter, name="Town")
    story = factories.story(correction.newsletter)
    factories.item(correction, story, section=town)
    received = message_to(correction, muted_sections=frozenset({town.pk}))
    for kind in ("plain", "html"):
        assert "The ferry sails on Friday" in received.part(kind)
        assert story.title in received.part(kind)


def test_an_ordinary_edition_does_not_mention_a_correction(corrected):
    assert "orrection" not in message_to(corrected).part("plain")
    assert render_to_string("email/held/subject.txt", {"edition": corrected}).startswith("Held")


def test_a_story_in_a_correction_can_still_appear_in_later_editions(corrected, correction):
    printed = corrected.items.first().story
    fresh = factories.story(corrected.newsletter)
    for story in (printed, fresh):
        curate.add_story(edition_id=correction.pk, story_id=story.pk)

    later = draft.draft_edition(
        newsletter=corrected.newsletter, date=(NOW + timedelta(days=1)).date(), now=NOW
    )

    assert [item.story for item in later.items.all()] == [fresh]


def test_a_correction_is_neither_the_days_edition_nor_the_latest_edition(corrected, correction):
    factories.publish(corrected)
    factories.publish(correction)

    todays = draft.draft_edition(newsletter=corrected.newsletter, date=NOW.date(), now=NOW)
    assert todays.corrects is None
    assert latest_edition(corrected.newsletter) == corrected


def test_a_corrections_web_version_is_public_once_it_is_sent(client, corrected, correction):
    assert client.get(correction.get_absolute_url()).status_code == 404

    factories.publish(correction)
    page = client.get(correction.get_absolute_url()).content.decode()
    assert corrected.get_absolute_url() in page
