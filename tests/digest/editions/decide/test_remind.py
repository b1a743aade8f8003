"""The editors are told of a draft, and reminded of it while somebody can still do something."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from digest.editions.decide.approve import approve, withdraw
from digest.editions.decide.remind import (
    due_draft_notices,
    due_reminders,
    plan_reminder,
    remind,
    tell_of_draft,
)
from digest.editions.decide.stop import skip
from digest.editions.draft.draft import draft_edition
from digest.editions.edit import curate
from digest.models import Edition, Schedule
from subscribers.mail.relays import parse_relay
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db

LEAD = timedelta(minutes=120)
SOON = timedelta(minutes=90)


@pytest.fixture
def editor():
    return User.objects.create_user("ed", "ed@example.com", is_staff=True, is_superuser=True)


@pytest.fixture
def draft():
    """Let a schedule with these fields make a draft at NOW, two hours before the send time."""

    def make(*, stories=4, by_hand=False, **fields):
        newsletter = factories.newsletter(timezone="UTC")
        for number in range(stories):
            factories.story(newsletter, title=f"Story {number}", published_at=NOW)
        schedule = factories.schedule(newsletter, local_time=(NOW + LEAD).time(), **fields)
        return draft_edition(
            newsletter=newsletter,
            schedule=None if by_hand else schedule,
            date=NOW.date(),
            now=NOW,
        )

    return make


def words(edition):
    return [entry.words for entry in edition.log.all()][1:]


def text(mail):
    return " ".join(mail.part("plain").split())


def test_the_editors_are_told_of_a_draft_once_with_its_stories_and_what_becomes_of_it(
    draft, editor, relay, settings
):
    edition = draft()
    edition.items.filter(position=0).update(why="4 sources, 6 reports, first seen 3 hours ago")

    assert due_draft_notices(now=NOW) == [edition.pk]
    assert tell_of_draft(edition_id=edition.pk, now=NOW) == 1
    assert tell_of_draft(edition_id=edition.pk, now=NOW) == 0
    assert due_draft_notices(now=NOW + timedelta(hours=1)) == []

    (mail,) = relay.received
    assert mail.message["Subject"].replace("\n", "") == f"Draft: {edition}"
    for kind in ("plain", "html"):
        part = " ".join(mail.part(kind).split())
        assert f"{settings.SITE_URL}/admin/digest/edition/{edition.pk}/change/" in part
        assert "4 sources, 6 reports, first seen 3 hours ago" in part
        assert f"Approve it and it goes out at {edition.sends_at:%H:%M}" in part
        assert all(item.story.title in part for item in edition.items.all())
    assert words(edition) == ["Told 1 editor of the draft by mail"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"unapproved": "hold"}, "If nobody does, it is held then"),
        ({"unapproved": "send"}, ""),
        ({"unapproved": "send", "tell_of_draft": "always"}, "it goes out as it is at"),
        ({"unapproved": "hold", "tell_of_draft": "never"}, ""),
        ({"unapproved": "send", "min_stories": 5}, "it is skipped at"),
        ({"unapproved": "send", "min_stories": 5, "too_few": "hold"}, "it is held then"),
        ({"unapproved": "send", "min_stories": 5, "too_few": "send"}, ""),
    ],
)
def test_the_schedule_says_of_which_drafts_the_editors_are_told(draft, editor, relay, fields, said):
    edition = draft(**fields)

    assert tell_of_draft(edition_id=edition.pk, now=NOW) == bool(said)
    assert [said in text(mail) for mail in relay.received] == [True] * bool(said)
    assert due_draft_notices(now=NOW + LEAD / 2) == []


def test_whoever_drafts_by_hand_is_not_told_of_it(draft):
    edition = draft(by_hand=True)

    assert due_draft_notices(now=NOW) == []
    assert due_reminders(now=NOW + SOON) == [edition.pk]


def test_the_editors_are_reminded_once_before_the_send_time(draft, editor, relay):
    edition = draft()

    assert due_reminders(now=NOW + SOON - timedelta(minutes=1)) == []
    assert due_reminders(now=NOW + SOON) == [edition.pk]
    assert remind(edition_id=edition.pk, now=NOW + SOON) == 1
    assert due_reminders(now=NOW + SOON + timedelta(minutes=6)) == []

    (mail,) = relay.received
    assert "Nobody has approved the edition of 10 March 2026" in text(mail)
    assert words(edition) == ["Reminded 1 editor by mail that nobody has approved it"]


@pytest.mark.parametrize(
    "fields", [{"reminder_minutes": 0}, {"reminder_minutes": 120}, {"reminder_minutes": 180}]
)
def test_no_reminder_is_sent_where_none_is_wanted_or_the_draft_is_made_later(draft, fields):
    draft(**fields)

    assert due_reminders(now=NOW + LEAD - timedelta(minutes=1)) == []


def test_an_edition_that_goes_out_by_itself_needs_no_reminder_until_somebody_changes_it(
    draft, editor
):
    untouched, touched = draft(unapproved="send"), draft(unapproved="send")
    curate.set_copy(edition_id=touched.pk, subject="By a writer")

    assert remind(edition_id=untouched.pk, now=NOW + SOON) == 0
    assert remind(edition_id=touched.pk, now=NOW + SOON) == 1


def test_nobody_is_told_of_an_edition_that_is_decided(draft, editor, relay):
    edition = draft()
    approve(edition_id=edition.pk, now=NOW)

    assert due_draft_notices(now=NOW) == due_reminders(now=NOW + SOON) == []
    assert tell_of_draft(edition_id=edition.pk, now=NOW) == 0
    assert remind(edition_id=edition.pk, now=NOW + SOON) == 0

    # Who withdraws the approval leaves it undecided again.
    withdraw(edition_id=edition.pk)
    assert due_reminders(now=NOW + SOON) == [edition.pk]
    skip(edition_id=edition.pk, reason="by-editor", now=NOW)
    assert remind(edition_id=edition.pk, now=NOW + SOON) == 0
    # At the send time the decision is told of.
    assert due_reminders(now=NOW + LEAD) == []
    assert relay.received == []


def test_a_reminder_that_could_not_be_sent_stays_due_and_is_not_in_the_log(
    draft, editor, relay, settings
):
    settings.EMAIL_RELAYS = [parse_relay("smtp://127.0.0.1:9")]  # nobody listens there
    edition = draft()

    assert remind(edition_id=edition.pk, now=NOW + SOON) == 0
    assert due_reminders(now=NOW + SOON) == []
    assert due_reminders(now=NOW + SOON + timedelta(minutes=6)) == [edition.pk]
    assert words(edition) == []


def test_the_log_says_if_nobody_could_be_told(draft):
    edition = draft()

    assert tell_of_draft(edition_id=edition.pk, now=NOW) == 0
    assert words(edition) == [
        "Told nobody of the draft by mail: no editor who may approve has an address"
    ]


def test_a_reminder_moves_with_the_send_time(draft):
    edition = draft()
    Edition.objects.update(sends_at=NOW + LEAD * 2)
    plan_reminder(Edition.objects.get(), now=NOW)
    assert due_reminders(now=NOW + SOON) == []
    assert due_reminders(now=NOW + LEAD + SOON) == [edition.pk]

    # It goes out within the half hour.
    Edition.objects.update(sends_at=NOW + timedelta(minutes=20))
    plan_reminder(Edition.objects.get(), now=NOW)
    assert due_reminders(now=NOW) == [edition.pk]

    Schedule.objects.update(reminder_minutes=0)
    plan_reminder(Edition.objects.get(), now=NOW)
    assert due_reminders(now=NOW) == []
