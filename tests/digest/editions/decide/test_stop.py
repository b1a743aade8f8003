"""An edition can be stopped in mid-send, corrected, and resumed."""

from datetime import timedelta

import pytest

from digest.delivery.planning import start
from digest.editions.decide.approve import approve, fingerprint, void_if_changed, withdraw
from digest.editions.decide.notify import due_notices
from digest.editions.decide.release import Release, due_editions, release
from digest.editions.decide.send_now import approve_as_seen
from digest.editions.decide.stop import NotSending, stop_sending
from digest.editions.edit import curate
from digest.models import Edition, Frozen
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def edition():
    """An edition that is being sent to three readers."""
    edition = factories.edition(factories.newsletter(), sends_at=NOW)
    for _ in range(3):
        factories.subscription(edition.newsletter)
    approve(edition_id=edition.pk, now=NOW)
    start.start_delivery(edition_id=edition.pk, now=NOW)
    return reread(edition)


@pytest.fixture
def stopped(edition):
    stop_sending(edition_id=edition.pk, detail="Ann", now=NOW)
    return reread(edition)


def reread(edition):
    return Edition.objects.select_related("newsletter").get(pk=edition.pk)


def resume(edition):
    approve(edition_id=edition.pk, now=NOW)
    start.start_delivery(edition_id=edition.pk, now=NOW)
    return reread(edition)


def test_a_stopped_edition_is_held_with_the_reason_and_a_notice_to_editors(stopped):
    assert (stopped.status, stopped.reason) == (Edition.Status.HELD, Edition.Reason.STOPPED)
    assert stopped.reason_detail == "Ann"
    assert stopped.approved_hash == ""
    assert due_notices(now=NOW) == [stopped.pk]
    assert due_editions(now=NOW) == []


def test_a_due_edition_that_has_not_started_can_be_stopped():
    edition = factories.edition(factories.newsletter(), sends_at=NOW)
    approve(edition_id=edition.pk, now=NOW)

    stop_sending(edition_id=edition.pk, now=NOW)

    assert reread(edition).status == Edition.Status.HELD


@pytest.mark.parametrize("status", ["draft", "held", "sent", "skipped"])
def test_an_edition_that_is_not_sending_cannot_be_stopped(edition, status):
    factories.force_update(Edition.objects.all(), status=status, reason="by-editor")

    with pytest.raises(NotSending, match="It is not being sent: it is"):
        stop_sending(edition_id=edition.pk, now=NOW)
    assert reread(edition).status == status


def test_an_edition_approved_for_later_cannot_be_stopped():
    edition = factories.edition(factories.newsletter(), sends_at=NOW + timedelta(hours=1))
    approve(edition_id=edition.pk, now=NOW)

    with pytest.raises(NotSending):
        stop_sending(edition_id=edition.pk, now=NOW)


def test_an_unchanged_edition_resumes_with_the_same_revision(stopped):
    edition = resume(stopped)

    assert (edition.status, edition.revision) == (Edition.Status.SENDING, 1)
    assert Frozen.objects.filter(edition=edition).count() == 1


def test_a_changed_edition_resumes_with_the_next_revision_and_keeps_the_first(stopped):
    first_hash = Frozen.objects.get(edition=stopped).content_hash
    began = stopped.sending_at
    item = stopped.items.first()
    curate.edit_item(
        edition_id=stopped.pk, item_id=item.pk, edit=curate.ItemEdit(headline="Put right")
    )

    edition = resume(stopped)

    assert (edition.status, edition.revision) == (Edition.Status.SENDING, 2)
    assert edition.sending_at == began
    first, second = edition.frozen_pages.order_by("revision")
    assert first.content_hash == first_hash != second.content_hash == edition.approved_hash


def test_changes_that_no_reader_got_make_no_further_revision(stopped):
    for subject in ("Second", "Second thoughts"):
        Edition.objects.filter(pk=stopped.pk).update(subject=subject)
        approve(edition_id=stopped.pk, now=NOW)
        withdraw(edition_id=stopped.pk)

    assert resume(stopped).revision == 2


def test_a_stopped_edition_stays_held_when_its_approval_is_withdrawn(stopped):
    approve(edition_id=stopped.pk, now=NOW)

    assert withdraw(edition_id=stopped.pk)
    edition = reread(stopped)
    assert (edition.status, edition.reason) == ("held", "stopped")


def test_an_edit_after_the_approval_holds_a_stopped_edition_again_with_a_notice(stopped):
    approve(edition_id=stopped.pk, now=NOW)
    Edition.objects.filter(pk=stopped.pk).update(subject="Another")

    assert void_if_changed(edition_id=stopped.pk)
    edition = reread(stopped)
    assert (edition.status, edition.reason) == ("held", "changed")
    assert due_notices(now=NOW) == [edition.pk]


def test_a_stopped_edition_can_resume_at_a_new_send_time(stopped):
    later = NOW + timedelta(hours=1)
    Edition.objects.filter(pk=stopped.pk).update(sends_at=later)
    approve(edition_id=stopped.pk, now=NOW)

    assert release(edition_id=stopped.pk, now=NOW) is Release.NOTHING
    assert release(edition_id=stopped.pk, now=later) is Release.SEND


def test_a_stopped_edition_that_resumes_immediately_is_approved_and_released(stopped):
    approve_as_seen(edition_id=stopped.pk, seen=fingerprint(stopped), immediately=True, now=NOW)

    assert release(edition_id=stopped.pk, now=NOW) is Release.SEND


def test_a_story_removed_from_a_stopped_edition_is_not_proposed_to_a_later_one(stopped):
    item = stopped.items.select_related("story").first()

    curate.remove_item(edition_id=stopped.pk, item_id=item.pk)

    item.story.refresh_from_db()
    assert item.story.is_hidden
    assert item.story not in curate.addable_stories(stopped)
    # An editor can still add it by searching for its title.
    assert item.story in curate.addable_stories(stopped, term=item.story.title)


def test_the_web_version_does_not_show_unapproved_changes(client, stopped):
    Edition.objects.filter(pk=stopped.pk).update(note="Half a sen")
    url = stopped.get_absolute_url()
    assert "Half a sen" not in client.get(url).content.decode()
    assert stopped.items.first().shown_headline in client.get(url).content.decode()

    Edition.objects.filter(pk=stopped.pk).update(note="The whole sentence.")
    resume(stopped)

    assert "The whole sentence." in client.get(url).content.decode()


def test_a_pasted_story_added_to_a_stopped_edition_is_public_once_it_resumes(client, stopped):
    story = factories.story(stopped.newsletter, url="", text="The whole text.")
    curate.add_story(edition_id=stopped.pk, story_id=story.pk)
    assert client.get(story.get_absolute_url()).status_code == 404

    resume(stopped)

    assert client.get(story.get_absolute_url()).status_code == 200
