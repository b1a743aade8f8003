"""Stop an edition in mid-send, correct it, and let it go on."""

from datetime import timedelta

import pytest

from digest.delivery import plan
from digest.editions import curate
from digest.editions.approve import approve, void_if_changed, withdraw
from digest.editions.notify import due_notices
from digest.editions.release import Release, due_editions, release
from digest.editions.send_now import approve_as_seen
from digest.editions.stop import NotSending, stop_sending
from digest.models import Edition, Frozen
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def edition():
    """On its way to three readers."""
    edition = factories.edition(factories.newsletter(), sends_at=NOW)
    for _ in range(3):
        factories.subscription(edition.newsletter)
    approve(edition_id=edition.pk, now=NOW)
    plan.start_delivery(edition_id=edition.pk, now=NOW)
    return reread(edition)


@pytest.fixture
def stopped(edition):
    stop_sending(edition_id=edition.pk, detail="Ann", now=NOW)
    return reread(edition)


def reread(edition):
    return Edition.objects.select_related("newsletter").get(pk=edition.pk)


def go_on(edition):
    approve(edition_id=edition.pk, now=NOW)
    plan.start_delivery(edition_id=edition.pk, now=NOW)
    return reread(edition)


def test_a_stopped_edition_is_held_with_the_reason_and_the_editors_are_told_once(stopped):
    assert (stopped.status, stopped.reason) == (Edition.Status.HELD, Edition.Reason.STOPPED)
    assert stopped.reason_detail == "Ann"
    assert stopped.approved_hash == ""
    assert due_notices(now=NOW) == [stopped.pk]
    assert due_editions(now=NOW) == []


def test_one_that_is_about_to_begin_is_stopped_too():
    edition = factories.edition(factories.newsletter(), sends_at=NOW)
    approve(edition_id=edition.pk, now=NOW)

    stop_sending(edition_id=edition.pk, now=NOW)

    assert reread(edition).status == Edition.Status.HELD


@pytest.mark.parametrize("status", ["draft", "held", "sent", "skipped"])
def test_what_is_not_on_its_way_is_not_stopped(edition, status):
    factories.put(Edition.objects.all(), status=status, reason="by-editor")

    with pytest.raises(NotSending, match="It is not on its way: it is"):
        stop_sending(edition_id=edition.pk, now=NOW)
    assert reread(edition).status == status


def test_an_edition_approved_for_later_is_not_stopped():
    edition = factories.edition(factories.newsletter(), sends_at=NOW + timedelta(hours=1))
    approve(edition_id=edition.pk, now=NOW)

    with pytest.raises(NotSending):
        stop_sending(edition_id=edition.pk, now=NOW)


def test_it_goes_on_as_it_is_with_the_same_revision(stopped):
    edition = go_on(stopped)

    assert (edition.status, edition.revision) == (Edition.Status.SENDING, 1)
    assert Frozen.objects.filter(edition=edition).count() == 1


def test_a_corrected_one_goes_on_with_the_next_revision_and_the_first_stays_on_record(stopped):
    said = Frozen.objects.get(edition=stopped).content_hash
    began = stopped.sending_at
    item = stopped.items.first()
    curate.edit_item(
        edition_id=stopped.pk, item_id=item.pk, edit=curate.ItemEdit(headline="Put right")
    )

    edition = go_on(stopped)

    assert (edition.status, edition.revision) == (Edition.Status.SENDING, 2)
    assert edition.sending_at == began
    first, second = edition.frozen_pages.order_by("revision")
    assert first.content_hash == said != second.content_hash == edition.approved_hash


def test_words_that_nobody_got_are_no_revision_of_their_own(stopped):
    for subject in ("Second", "Second thoughts"):
        Edition.objects.filter(pk=stopped.pk).update(subject=subject)
        approve(edition_id=stopped.pk, now=NOW)
        withdraw(edition_id=stopped.pk)

    assert go_on(stopped).revision == 2


def test_an_approval_taken_back_leaves_it_held_for_it_is_no_draft_any_more(stopped):
    approve(edition_id=stopped.pk, now=NOW)

    assert withdraw(edition_id=stopped.pk)
    edition = reread(stopped)
    assert (edition.status, edition.reason) == ("held", "stopped")


def test_an_edit_after_the_approval_holds_it_again_and_tells_the_editors(stopped):
    approve(edition_id=stopped.pk, now=NOW)
    Edition.objects.filter(pk=stopped.pk).update(subject="Another")

    assert void_if_changed(edition_id=stopped.pk)
    edition = reread(stopped)
    assert (edition.status, edition.reason) == ("held", "changed")
    assert due_notices(now=NOW) == [edition.pk]


def test_the_send_time_can_be_set_anew_for_going_on(stopped):
    later = NOW + timedelta(hours=1)
    Edition.objects.filter(pk=stopped.pk).update(sends_at=later)
    approve(edition_id=stopped.pk, now=NOW)

    assert release(edition_id=stopped.pk, now=NOW) is Release.NOTHING
    assert release(edition_id=stopped.pk, now=later) is Release.SEND


def test_going_on_at_once_approves_and_is_released(stopped):
    approve_as_seen(
        edition_id=stopped.pk, seen=curate.fingerprint(stopped), immediately=True, now=NOW
    )

    assert release(edition_id=stopped.pk, now=NOW) is Release.SEND


def test_a_story_taken_out_of_what_readers_have_is_not_proposed_to_a_later_edition(stopped):
    item = stopped.items.select_related("story").first()

    curate.remove_item(edition_id=stopped.pk, item_id=item.pk)

    item.story.refresh_from_db()
    assert item.story.is_hidden
    assert item.story not in curate.addable_stories(stopped)
    # ... and can be put back by typing its name.
    assert item.story in curate.addable_stories(stopped, term=item.story.title)


def test_the_web_version_does_not_show_what_nobody_approved(client, stopped):
    Edition.objects.filter(pk=stopped.pk).update(note="Half a sen")
    url = stopped.get_absolute_url()
    assert "Half a sen" not in client.get(url).content.decode()
    assert stopped.items.first().shown_headline in client.get(url).content.decode()

    Edition.objects.filter(pk=stopped.pk).update(note="The whole sentence.")
    go_on(stopped)

    assert "The whole sentence." in client.get(url).content.decode()


def test_a_pasted_story_added_to_a_stopped_edition_is_public_once_it_goes_on(client, stopped):
    story = factories.story(stopped.newsletter, url="", text="The whole text.")
    curate.add_story(edition_id=stopped.pk, story_id=story.pk)
    assert client.get(story.get_absolute_url()).status_code == 404

    go_on(stopped)

    assert client.get(story.get_absolute_url()).status_code == 200
