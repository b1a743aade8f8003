"""At its send time an edition is sent, held for the editors, or skipped with a reason."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection

from digest.delivery.planning import start
from digest.delivery.planning.finish import close_late
from digest.editions.decide.approve import NotApprovable, approve, withdraw
from digest.editions.decide.notify import due_notices, notify_editors
from digest.editions.decide.release import Release, due_editions, release
from digest.editions.decide.stop import skip
from digest.editions.draft.draft import draft_edition
from digest.editions.draft.missed import record_missed
from digest.editions.edit import curate
from digest.models import Delivery, Edition, EditionItem, Schedule, Story
from subscribers.mail.relays import parse_relay
from subscribers.models import IllegalMove
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def newsletter():
    return factories.newsletter()


@pytest.fixture
def draft(newsletter):
    """Make a draft whose time has come, under a schedule with this policy."""

    def make(policy="hold", **fields):
        schedule = factories.schedule(newsletter, unapproved=policy, min_stories=3)
        return factories.propose(
            factories.edition(newsletter, schedule=schedule, **{"sends_at": NOW} | fields)
        )

    return make


def reread(edition):
    return Edition.objects.get(pk=edition.pk)


def test_an_edition_is_not_released_before_its_send_time(draft):
    edition = draft(sends_at=NOW + timedelta(seconds=1))

    assert due_editions(now=NOW) == []
    assert release(edition_id=edition.pk, now=NOW) is Release.NOTHING


def test_an_approved_edition_is_released_for_sending(draft):
    edition = approve(edition_id=draft().pk, now=NOW)

    assert due_editions(now=NOW) == [edition.pk]
    assert release(edition_id=edition.pk, now=NOW) is Release.SEND


def test_an_unapproved_edition_is_sent_if_its_schedule_says_so(draft):
    edition = draft("send")

    assert release(edition_id=edition.pk, now=NOW) is Release.SEND
    assert reread(edition).status == Edition.Status.APPROVED
    assert reread(edition).approved_by is None


def touch_subject(edition):
    curate.set_copy(edition_id=edition.pk, subject="By a writer")


def touch_approved(edition):
    approve(edition_id=edition.pk, now=NOW)
    touch_subject(edition)


def touch_and_undo(edition):
    touch_approved(edition)
    curate.set_copy(edition_id=edition.pk, subject=edition.subject)


def touch_story(edition):
    Story.objects.filter(items__edition=edition).update(title="By a writer")


def withdraw_approval(edition):
    approve(edition_id=edition.pk, now=NOW)
    withdraw(edition_id=edition.pk)


CHANGED = "It was changed after its schedule had proposed it."
DECIDED = "Its schedule did not propose it, or its approval was withdrawn."


@pytest.mark.parametrize(
    ("touch", "detail"),
    [
        (touch_subject, CHANGED),
        (touch_story, CHANGED),
        (touch_approved, DECIDED),
        (touch_and_undo, DECIDED),
        (withdraw_approval, DECIDED),
    ],
)
def test_what_somebody_changed_is_never_sent_without_an_approval(draft, touch, detail):
    edition = draft("send")
    touch(edition)

    assert release(edition_id=edition.pk, now=NOW) is Release.HELD
    held = reread(edition)
    assert (held.reason, held.reason_detail) == ("not-approved", detail)
    assert held.notice_due_at == NOW


@pytest.mark.parametrize(
    ("early", "by_schedule", "becomes"),
    [
        (timedelta(minutes=1), False, Release.SEND),
        (timedelta(minutes=-1), True, Release.SEND),
        (timedelta(minutes=-1), False, Release.HELD),
    ],
)
def test_an_edition_drafted_by_hand_after_its_send_time_waits_for_an_approval(
    newsletter, early, by_schedule, becomes
):
    schedule = factories.schedule(newsletter, unapproved="send", min_stories=1)
    for _ in range(3):
        factories.story(newsletter)
    send_time = datetime(2026, 3, 10, 7, 0, tzinfo=UTC)
    edition = draft_edition(
        newsletter=newsletter,
        date=send_time.date(),
        schedule=schedule if by_schedule else None,
        now=send_time - early,
    )

    assert edition.sends_at == send_time
    later = send_time + timedelta(minutes=2)
    assert release(edition_id=edition.pk, now=later) is becomes


def test_an_unapproved_edition_is_held_if_its_schedule_says_so(draft):
    edition = draft("hold")

    assert release(edition_id=edition.pk, now=NOW) is Release.HELD
    held = reread(edition)
    assert (held.status, held.reason, held.notice_due_at) == ("held", "not-approved", NOW)
    assert due_editions(now=NOW) == []


def test_an_unapproved_edition_without_a_schedule_is_held(newsletter):
    edition = factories.edition(newsletter, sends_at=NOW)

    assert release(edition_id=edition.pk, now=NOW) is Release.HELD


@pytest.mark.parametrize(
    ("too_few", "stories", "becomes", "reason"),
    [
        ("skip", 2, Release.SKIPPED, "too-few-stories"),
        ("hold", 2, Release.HELD, "too-few-stories"),
        ("hold", 0, Release.HELD, "too-few-stories"),
        ("send", 2, Release.SEND, ""),
        ("send", 0, Release.SKIPPED, "too-few-stories"),
    ],
)
def test_the_schedule_says_what_becomes_of_a_short_edition(
    draft, too_few, stories, becomes, reason
):
    edition = draft("send", stories=stories)
    Schedule.objects.update(too_few=too_few)

    assert release(edition_id=edition.pk, now=NOW) is becomes
    decided = reread(edition)
    assert decided.reason == reason
    assert f"{stories} of at least 3 stories" in edition.log.get().words
    if reason:
        assert decided.reason_detail == f"{stories} of at least 3 stories"
        assert decided.notice_due_at == NOW


def test_a_short_edition_is_still_held_where_nothing_goes_out_unapproved(draft):
    edition = draft("hold", stories=2)
    Schedule.objects.update(too_few="send")

    assert release(edition_id=edition.pk, now=NOW) is Release.HELD
    assert reread(edition).reason == "not-approved"


@pytest.mark.parametrize(("too_few", "may_approve"), [("skip", False), ("hold", True)])
def test_an_editor_can_approve_a_short_edition_unless_its_schedule_skips_it(
    draft, too_few, may_approve
):
    edition = draft("hold", stories=2)
    Schedule.objects.update(too_few=too_few)

    if may_approve:
        assert approve(edition_id=edition.pk, now=NOW).status == "approved"
    else:
        with pytest.raises(NotApprovable, match="2 of at least 3 stories"):
            approve(edition_id=edition.pk, now=NOW)


def test_a_held_edition_can_be_approved_and_sent_until_its_deadline(draft):
    edition = draft("hold")
    release(edition_id=edition.pk, now=NOW)
    soon = edition.deadline_at - timedelta(seconds=1)

    approve(edition_id=edition.pk, now=soon)

    assert due_editions(now=soon) == [edition.pk]
    assert release(edition_id=edition.pk, now=soon) is Release.SEND


@pytest.mark.parametrize("policy", ["send", "hold"])
def test_an_edition_with_too_few_stories_is_skipped(draft, policy):
    edition = draft(policy, stories=2)

    assert release(edition_id=edition.pk, now=NOW) is Release.SKIPPED
    skipped = reread(edition)
    assert (skipped.status, skipped.reason) == ("skipped", "too-few-stories")
    assert skipped.reason_detail == "2 of at least 3 stories"


@pytest.mark.parametrize(
    ("status", "policy", "why"),
    [
        ("draft", "hold", "Nobody had approved it"),
        ("draft", "send", "Nothing ran in time to start it"),
        ("held", "hold", "It was held: nobody approved it"),
        ("approved", "hold", "It was approved, but not started in time"),
    ],
)
def test_an_edition_past_its_deadline_is_never_sent_and_says_why(draft, status, policy, why):
    edition = draft(policy)
    Edition.objects.update(
        status=status,
        reason="not-approved" if status == "held" else "",
        approved_hash="x" if status == "approved" else "",
    )
    late = edition.deadline_at

    assert due_editions(now=late) == [edition.pk]
    assert release(edition_id=edition.pk, now=late) is Release.SKIPPED
    assert (reread(edition).status, reread(edition).reason) == ("skipped", "past-deadline")
    assert reread(edition).reason_detail == f"{why}. No reader got it."


def test_an_automatic_edition_with_a_blocking_problem_is_held_with_the_reason(draft):
    edition = draft("send", subject="")

    assert release(edition_id=edition.pk, now=NOW) is Release.HELD
    held = reread(edition)
    assert (held.reason, held.reason_detail) == ("not-sendable", "The edition has no subject.")


def test_a_skipped_edition_releases_its_stories(draft):
    edition = draft(stories=2)
    release(edition_id=edition.pk, now=NOW)
    later = factories.edition(edition.newsletter, stories=0)

    for item in edition.items.all():
        factories.item(later, item.story)
    assert EditionItem.objects.filter(edition=edition, released=True).count() == 2


@pytest.mark.parametrize("status", ["sending", "sent"])
def test_an_edition_that_is_sending_or_sent_cannot_be_skipped(draft, status):
    edition = draft()
    factories.force_update(Edition.objects.all(), status=status)

    with pytest.raises(IllegalMove):
        skip(edition_id=edition.pk, reason="by-editor", now=NOW)
    assert release(edition_id=edition.pk, now=edition.deadline_at) is Release.NOTHING


@pytest.mark.django_db(transaction=True)
def test_beats_that_tick_concurrently_plan_one_audience(draft):
    edition = draft("send")
    for _ in range(30):
        factories.subscription(edition.newsletter)
    together, errors = threading.Barrier(4), []

    def beat():
        try:
            together.wait()
            if release(edition_id=edition.pk, now=NOW) is Release.SEND:
                start.start_delivery(edition_id=edition.pk, now=NOW)
                start.plan_audience(edition_id=edition.pk, now=NOW)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    beats = [threading.Thread(target=beat) for _ in range(4)]
    for thread in beats:
        thread.start()
    for thread in beats:
        thread.join(30)

    assert not errors
    assert Delivery.objects.count() == 30
    assert reread(edition).status == Edition.Status.SENDING


# --- Notices to editors ---------------------------------------------------------------------------


@pytest.fixture
def editor():
    editor = User.objects.create_user("ed", "ed@example.com", is_staff=True)
    editor.user_permissions.add(Permission.objects.get(codename="approve_edition"))
    return editor


def test_editors_are_notified_once_by_mail(draft, editor, relay, settings):
    User.objects.create_user("reporter", "reporter@example.com", is_staff=True)
    User.objects.create_user("gone", "gone@example.com", is_superuser=True, is_active=False)
    User.objects.create_user("nomail", "", is_staff=True, is_superuser=True)
    edition = draft("hold")
    release(edition_id=edition.pk, now=NOW)

    assert due_notices(now=NOW) == [edition.pk]
    assert notify_editors(edition_id=edition.pk, now=NOW) == 1
    assert notify_editors(edition_id=edition.pk, now=NOW) == 0
    assert due_notices(now=NOW + timedelta(days=1)) == []

    (mail,) = relay.received
    assert mail.rcpt_to == "ed@example.com"
    assert unwrapped(mail.message["Subject"]) == f"Held: {edition}"
    page = f"{settings.SITE_URL}/admin/digest/edition/{edition.pk}/change/"
    for kind in ("plain", "html"):
        assert page in mail.part(kind)
        assert "nobody approved it" in mail.part(kind)
        assert edition.deadline_at.strftime("%H:%M") in mail.part(kind)
        assert f"because you may approve editions of {edition.newsletter}." in mail.part(kind)


def test_a_notice_that_could_not_be_sent_stays_due(draft, editor, relay, settings):
    settings.EMAIL_RELAYS = [parse_relay("smtp://127.0.0.1:9")]  # nobody listens there
    edition = draft("hold")
    release(edition_id=edition.pk, now=NOW)

    assert notify_editors(edition_id=edition.pk, now=NOW) == 0
    assert due_notices(now=NOW) == []
    assert due_notices(now=NOW + timedelta(minutes=6)) == [edition.pk]


def test_a_refused_editors_address_causes_no_second_notice_to_the_others(draft, editor, relay):
    User.objects.create_user("moved", "moved@example.com", is_staff=True, is_superuser=True)
    relay.replies["moved@example.com"] = "550 5.1.1 no such user"
    edition = draft("hold")
    release(edition_id=edition.pk, now=NOW)

    assert notify_editors(edition_id=edition.pk, now=NOW) == 1
    assert due_notices(now=NOW + timedelta(minutes=6)) == []
    assert [mail.rcpt_to for mail in relay.received] == ["ed@example.com"]


def test_editors_are_not_notified_of_an_edition_that_is_approved_by_then(draft, editor, relay):
    edition = draft("hold")
    release(edition_id=edition.pk, now=NOW)
    approve(edition_id=edition.pk, now=NOW)

    assert notify_editors(edition_id=edition.pk, now=NOW) == 0
    assert relay.received == []


def test_editors_are_told_of_an_edition_that_was_skipped(draft, editor, relay, settings):
    edition = draft("send", stories=2)
    release(edition_id=edition.pk, now=NOW)

    assert due_notices(now=NOW) == [edition.pk]
    assert notify_editors(edition_id=edition.pk, now=NOW) == 1
    assert due_notices(now=NOW + timedelta(days=1)) == []

    (mail,) = relay.received
    assert unwrapped(mail.message["Subject"]) == f"Not sent as planned: {edition}"
    page = f"{settings.SITE_URL}/admin/digest/edition/{edition.pk}/change/"
    for kind in ("plain", "html"):
        assert page in mail.part(kind)
        assert "skipped, too few stories. 2 of at least 3 stories" in unwrapped(mail.part(kind))
        assert "workers" not in mail.part(kind)


def test_an_editor_who_skips_an_edition_is_not_told_of_it(draft, editor):
    edition = draft("hold")
    skip(edition_id=edition.pk, reason="by-editor", now=NOW)

    assert due_notices(now=NOW + timedelta(days=1)) == []


def test_one_mail_tells_of_every_slot_that_an_outage_missed(newsletter, editor, relay):
    factories.schedule(newsletter)
    Schedule.objects.update(changed_at=NOW - timedelta(days=9))
    other = factories.edition(
        factories.newsletter(), status="skipped", reason="past-deadline", notice_due_at=NOW
    )
    missed = record_missed(now=NOW)
    assert len(missed) >= 2
    assert set(due_notices(now=NOW)) == {*missed, other.pk}

    assert [notify_editors(edition_id=pk, now=NOW) for pk in missed] == [1] + [0] * len(missed[1:])
    assert due_notices(now=NOW) == [other.pk]

    (mail,) = relay.received
    assert unwrapped(mail.message["Subject"]) == (
        f"Not sent as planned: {len(missed)} editions of {newsletter}"
    )
    for kind in ("plain", "html"):
        text = unwrapped(mail.part(kind))
        assert text.count("skipped, past its deadline. Nothing ran in time to draft it.") >= 2
        assert "workers or its clock did not run" in text


def test_editors_are_told_how_many_readers_an_edition_did_not_reach(newsletter, editor, relay):
    edition = factories.edition(newsletter)
    readers = [factories.subscription(newsletter) for _ in range(3)]
    factories.force_update(
        Edition.objects.all(), status="sending", sending_at=NOW, planned_at=NOW, approved_hash="x"
    )
    for reader, status in zip(readers, ("sent", "pending", "pending"), strict=True):
        Delivery.objects.create(edition=edition, subscription=reader, status=status)
    close_late(now=edition.deadline_at)

    assert reread(edition).status == "sent"
    assert notify_editors(edition_id=edition.pk, now=edition.deadline_at) == 1
    (mail,) = relay.received
    text = unwrapped(mail.part("plain"))
    assert "it ended at its deadline, and 2 readers did not get it." in text


def unwrapped(text):
    return " ".join(text.split())
