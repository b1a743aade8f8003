"""An edition does not go to an unusual number of readers unless a person says yes."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from digest.delivery import plan
from digest.editions import audience, send_now
from digest.editions.approve import NotApprovable, approve
from digest.editions.curate import fingerprint
from digest.editions.notify import due_notices, notify_held
from digest.editions.release import Release, release
from digest.models import Delivery, Edition
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def newsletter():
    return factories.newsletter()


@pytest.fixture
def sent(newsletter):
    """Editions that went to so many readers, in that order."""

    def send(*audiences, **fields):
        for days, readers in enumerate(audiences):
            edition = factories.edition(newsletter, stories=0, audience=readers, **fields)
            when = NOW - timedelta(days=len(audiences) - days)
            factories.put(
                Edition.objects.filter(pk=edition.pk), status="sent", sending_at=when, sent_at=when
            )
        return edition

    return send


@pytest.fixture
def edition(newsletter):
    return factories.edition(newsletter, sends_at=NOW)


def reread(edition):
    return Edition.objects.get(pk=edition.pk)


@pytest.mark.parametrize("count", [70, 100, 130])
def test_a_third_more_or_less_is_usual(sent, edition, count):
    sent(100, 100, 100)

    assert audience.unusual_warning(edition, count) is None


@pytest.mark.parametrize("count", [0, 69, 131, 100_000])
def test_more_than_that_needs_a_persons_yes(sent, edition, count):
    sent(100, 100, 100)

    assert audience.unusual_warning(edition, count) == (
        f"It would go to {count:,} readers, and this newsletter's editions usually go to about 100."
    )


def test_before_three_editions_nothing_is_usual(sent, edition):
    sent(100, 100)

    assert audience.usual_size(edition) is None
    assert audience.unusual_warning(edition, 100_000) is None


def test_usual_is_the_median_of_the_last_ten(sent, edition):
    sent(*[9_000] * 5, *[100] * 4, 1, *[120] * 4, 5_000)

    assert audience.usual_size(edition) == 110


def test_corrections_and_other_newsletters_say_nothing_about_what_is_usual(sent, edition):
    corrected = sent(100, 100, 100)
    sent(3, 3, 3, 3, corrects=corrected)
    other = factories.edition(factories.newsletter(), audience=7)
    factories.put(Edition.objects.filter(pk=other.pk), status="sent", sending_at=NOW)

    assert audience.usual_size(edition) == 100


def test_there_is_no_blast_among_few(sent, edition, settings):
    sent(10, 10, 10)

    assert audience.unusual_warning(edition, 49) is None
    assert audience.unusual_warning(edition, 50)
    settings.AUDIENCE_GUARD_FROM = 51
    assert audience.unusual_warning(edition, 50) is None


def test_the_guard_can_be_switched_off(sent, edition, settings):
    sent(100, 100, 100)
    settings.AUDIENCE_GUARD_PERCENT = 0

    assert audience.unusual_warning(edition, 100_000) is None


def test_a_correction_goes_to_few_and_is_exempt(sent, newsletter):
    corrected = sent(100, 100, 100)
    correction = factories.edition(newsletter, corrects=corrected)

    assert audience.unusual_warning(correction, 1) is None


def test_a_yes_holds_for_a_tenth_either_way_and_no_further(sent, edition):
    sent(100, 100, 100)
    audience.accept_audience(edition_id=edition.pk, count=1000)
    edition = reread(edition)

    assert audience.unusual_warning(edition, 1000) is None
    assert audience.unusual_warning(edition, 1100) is None
    assert audience.unusual_warning(edition, 1101)
    assert audience.unusual_warning(edition, 900) is None
    assert audience.unusual_warning(edition, 899)
    assert audience.unusual_warning(edition, 0)


def test_a_yes_comes_too_late_once_it_is_on_its_way(edition):
    factories.put(Edition.objects.all(), status="sending")

    assert not audience.accept_audience(edition_id=edition.pk, count=1000)
    assert reread(edition).audience_accepted is None


def test_an_edition_notes_how_many_readers_it_was_started_for(edition):
    for _ in range(3):
        factories.subscription(edition.newsletter)
    approve(edition_id=edition.pk, now=NOW)
    plan.start_delivery(edition_id=edition.pk, now=NOW)

    assert reread(edition).audience == 3


@pytest.fixture
def blast(sent, edition, settings):
    """Held at its start: six readers where two are usual."""
    settings.AUDIENCE_GUARD_FROM = 5
    sent(2, 2, 2)
    for _ in range(6):
        factories.subscription(edition.newsletter)
    approve(edition_id=edition.pk, now=NOW - timedelta(minutes=1))
    with pytest.raises(plan.NotStarted, match="6 readers"):
        plan.start_delivery(edition_id=edition.pk, now=NOW)
    return reread(edition)


def test_an_unusual_audience_is_held_before_anybody_is_planned(blast):
    assert (blast.status, blast.reason) == ("held", "audience")
    assert "6 readers" in blast.reason_detail
    assert "about 2." in blast.reason_detail
    assert due_notices(now=NOW) == [blast.pk]
    assert not Delivery.objects.filter(edition=blast).exists()


def test_the_editors_are_told_to_look_at_the_number(blast, relay):
    User.objects.create_superuser("ed", "ed@example.com", "a long password")
    notify_held(edition_id=blast.pk, now=NOW)

    (mail,) = relay.received
    for kind in ("plain", "html"):
        assert "6 readers" in mail.part(kind)
        assert "If that number is right, say yes to it" in mail.part(kind)


def test_approving_it_without_a_word_about_the_readers_is_refused(blast):
    with pytest.raises(NotApprovable, match="6 readers"):
        approve(edition_id=blast.pk, now=NOW)
    assert reread(blast).status == "held"


def test_after_a_yes_it_goes_out(blast):
    audience.accept_audience(edition_id=blast.pk, count=6)
    approve(edition_id=blast.pk, now=NOW)

    plan.start_delivery(edition_id=blast.pk, now=NOW)
    assert (reread(blast).status, reread(blast).audience) == ("sending", 6)


def test_going_on_after_a_stop_asks_nobody_twice(blast, sent):
    audience.accept_audience(edition_id=blast.pk, count=6)
    approve(edition_id=blast.pk, now=NOW)
    plan.start_delivery(edition_id=blast.pk, now=NOW)
    factories.put(Edition.objects.filter(pk=blast.pk), status="held", reason="stopped")
    Edition.objects.filter(pk=blast.pk).update(audience_accepted=None)

    approve(edition_id=blast.pk, now=NOW)
    plan.start_delivery(edition_id=blast.pk, now=NOW)

    assert reread(blast).status == "sending"


# --- Where it would go out at once ----------------------------------------------------------------


@pytest.fixture
def crowd(newsletter, sent):
    """Far more readers than usual."""
    sent(50, 50, 50)
    for _ in range(80):
        factories.subscription(newsletter)


@pytest.mark.usefixtures("crowd")
def test_an_unusual_audience_is_told_before_it_is_approved_to_go_at_once(edition):
    with pytest.raises(NotApprovable) as refused:
        approve(edition_id=edition.pk, now=NOW)

    assert [problem.code for problem in refused.value.problems] == ["audience"]
    assert reread(edition).status == "draft"

    audience.accept_audience(edition_id=edition.pk, count=80)
    assert approve(edition_id=edition.pk, now=NOW).status == "approved"


@pytest.mark.usefixtures("crowd")
def test_one_that_is_for_later_is_looked_at_when_its_time_has_come(newsletter):
    later = factories.edition(newsletter, sends_at=NOW + timedelta(hours=1))

    assert approve(edition_id=later.pk, now=NOW).status == "approved"


@pytest.mark.usefixtures("crowd")
@pytest.mark.parametrize("is_approved", [False, True])
def test_one_that_is_sent_now_rather_than_later_needs_the_yes_now(newsletter, is_approved):
    later = factories.edition(newsletter, sends_at=NOW + timedelta(hours=1))
    if is_approved:
        approve(edition_id=later.pk, now=NOW)
    asked = {"edition_id": later.pk, "seen": fingerprint(reread(later)), "now": NOW}

    with pytest.raises(NotApprovable, match="It would go to 80 readers"):
        send_now.approve_as_seen(immediately=True, **asked)
    assert reread(later).sends_at == NOW + timedelta(hours=1)

    sent_now = send_now.approve_as_seen(immediately=True, **asked, readers=80)
    assert (sent_now.status, sent_now.sends_at) == ("approved", NOW)


@pytest.mark.usefixtures("crowd")
def test_the_clocks_own_yes_is_none_to_an_unusual_audience(newsletter):
    schedule = factories.schedule(newsletter, unapproved="send")
    due = factories.edition(newsletter, schedule=schedule, sends_at=NOW)

    assert release(edition_id=due.pk, now=NOW) is Release.HELD

    held = reread(due)
    assert (held.status, held.reason) == ("held", "audience")
    assert "80 readers" in held.reason_detail
