"""An edition goes to an unusual number of readers only if a person accepts that number."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from digest.delivery.planning import start
from digest.editions.decide import audience, send_now
from digest.editions.decide.approve import NotApprovable, approve, fingerprint
from digest.editions.decide.notify import due_notices, notify_editors
from digest.editions.decide.release import Release, release
from digest.models import Delivery, Edition
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def newsletter():
    return factories.newsletter()


@pytest.fixture
def sent(newsletter):
    """A function that makes editions sent to these numbers of readers, in that order."""

    def send(*audiences, **fields):
        for days, readers in enumerate(audiences):
            edition = factories.edition(newsletter, stories=0, audience=readers, **fields)
            when = NOW - timedelta(days=len(audiences) - days)
            factories.force_update(
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
def test_an_audience_within_30_percent_of_the_usual_size_needs_no_acceptance(sent, edition, count):
    sent(100, 100, 100)

    assert audience.unusual_warning(edition, count) is None


@pytest.mark.parametrize("count", [0, 69, 131, 100_000])
def test_an_audience_more_than_30_percent_off_the_usual_size_needs_acceptance(sent, edition, count):
    sent(100, 100, 100)

    assert audience.unusual_warning(edition, count) == (
        f"It would go to {count:,} readers, and this newsletter's editions usually go to about 100."
    )


def test_a_newsletter_with_fewer_than_three_editions_has_no_usual_size(sent, edition):
    sent(100, 100)

    assert audience.usual_size(edition) is None
    assert audience.unusual_warning(edition, 100_000) is None


def test_the_usual_size_is_the_median_of_the_last_ten_editions(sent, edition):
    sent(*[9_000] * 5, *[100] * 4, 1, *[120] * 4, 5_000)

    assert audience.usual_size(edition) == 110


def test_corrections_and_other_newsletters_do_not_count_towards_the_usual_size(sent, edition):
    corrected = sent(100, 100, 100)
    sent(3, 3, 3, 3, corrects=corrected)
    other = factories.edition(factories.newsletter(), audience=7)
    factories.force_update(Edition.objects.filter(pk=other.pk), status="sent", sending_at=NOW)

    assert audience.usual_size(edition) == 100


def test_an_audience_below_the_guards_minimum_needs_no_acceptance(sent, edition, monkeypatch):
    sent(10, 10, 10)

    assert audience.unusual_warning(edition, 49) is None
    assert audience.unusual_warning(edition, 50)
    monkeypatch.setattr(audience, "MIN_READERS", 51)
    assert audience.unusual_warning(edition, 50) is None


def test_the_guard_can_be_switched_off(sent, edition, settings):
    sent(100, 100, 100)
    settings.AUDIENCE_GUARD_PERCENT = 0

    assert audience.unusual_warning(edition, 100_000) is None


def test_a_correction_is_exempt_from_the_audience_guard(sent, newsletter):
    corrected = sent(100, 100, 100)
    correction = factories.edition(newsletter, corrects=corrected)

    assert audience.unusual_warning(correction, 1) is None


def test_an_acceptance_covers_at_most_ten_percent_more_or_fewer_readers(sent, edition):
    sent(100, 100, 100)
    audience.accept_audience(edition_id=edition.pk, count=1000)
    edition = reread(edition)

    assert audience.unusual_warning(edition, 1000) is None
    assert audience.unusual_warning(edition, 1100) is None
    assert audience.unusual_warning(edition, 1101)
    assert audience.unusual_warning(edition, 900) is None
    assert audience.unusual_warning(edition, 899)
    assert audience.unusual_warning(edition, 0)


def test_an_acceptance_during_sending_is_refused(edition):
    factories.force_update(Edition.objects.all(), status="sending")

    assert not audience.accept_audience(edition_id=edition.pk, count=1000)
    assert reread(edition).audience_accepted is None


def test_an_edition_records_its_audience_when_sending_starts(edition):
    for _ in range(3):
        factories.subscription(edition.newsletter)
    approve(edition_id=edition.pk, now=NOW)
    start.start_delivery(edition_id=edition.pk, now=NOW)

    assert reread(edition).audience == 3


@pytest.fixture
def held_for_audience(sent, edition, settings, monkeypatch):
    """An edition that was held at its start: it has six readers where two are usual."""
    monkeypatch.setattr(audience, "MIN_READERS", 5)
    sent(2, 2, 2)
    for _ in range(6):
        factories.subscription(edition.newsletter)
    approve(edition_id=edition.pk, now=NOW - timedelta(minutes=1))
    with pytest.raises(start.NotStarted, match="6 readers"):
        start.start_delivery(edition_id=edition.pk, now=NOW)
    return reread(edition)


def test_an_edition_with_an_unusual_audience_is_held_before_readers_are_planned(held_for_audience):
    assert (held_for_audience.status, held_for_audience.reason) == ("held", "audience")
    assert "6 readers" in held_for_audience.reason_detail
    assert "about 2." in held_for_audience.reason_detail
    assert due_notices(now=NOW) == [held_for_audience.pk]
    assert not Delivery.objects.filter(edition=held_for_audience).exists()


def test_the_notice_asks_editors_to_check_the_number_of_readers(held_for_audience, relay):
    User.objects.create_superuser("ed", "ed@example.com", "a long password")
    notify_editors(edition_id=held_for_audience.pk, now=NOW)

    (mail,) = relay.received
    for kind in ("plain", "html"):
        assert "6 readers" in mail.part(kind)
        assert "If that number is right, accept it" in mail.part(kind)


def test_an_approval_without_an_accepted_audience_is_refused(held_for_audience):
    with pytest.raises(NotApprovable, match="6 readers"):
        approve(edition_id=held_for_audience.pk, now=NOW)
    assert reread(held_for_audience).status == "held"


def test_an_edition_with_an_accepted_audience_goes_out(held_for_audience):
    audience.accept_audience(edition_id=held_for_audience.pk, count=6)
    approve(edition_id=held_for_audience.pk, now=NOW)

    start.start_delivery(edition_id=held_for_audience.pk, now=NOW)
    assert (reread(held_for_audience).status, reread(held_for_audience).audience) == ("sending", 6)


def test_a_stopped_edition_resumes_without_a_second_acceptance(held_for_audience, sent):
    audience.accept_audience(edition_id=held_for_audience.pk, count=6)
    approve(edition_id=held_for_audience.pk, now=NOW)
    start.start_delivery(edition_id=held_for_audience.pk, now=NOW)
    factories.force_update(
        Edition.objects.filter(pk=held_for_audience.pk), status="held", reason="stopped"
    )
    Edition.objects.filter(pk=held_for_audience.pk).update(audience_accepted=None)

    approve(edition_id=held_for_audience.pk, now=NOW)
    start.start_delivery(edition_id=held_for_audience.pk, now=NOW)

    assert reread(held_for_audience).status == "sending"


# --- Editions that would go out immediately -------------------------------------------------------


@pytest.fixture
def unusual_audience(newsletter, sent):
    """Many more readers than usual: 80 instead of 50."""
    sent(50, 50, 50)
    for _ in range(80):
        factories.subscription(newsletter)


@pytest.mark.usefixtures("unusual_audience")
def test_the_approval_of_a_due_edition_needs_an_accepted_audience(edition):
    with pytest.raises(NotApprovable) as refused:
        approve(edition_id=edition.pk, now=NOW)

    assert [problem.code for problem in refused.value.problems] == ["audience"]
    assert reread(edition).status == "draft"

    audience.accept_audience(edition_id=edition.pk, count=80)
    assert approve(edition_id=edition.pk, now=NOW).status == "approved"


@pytest.mark.usefixtures("unusual_audience")
def test_the_approval_of_a_later_edition_does_not_check_its_audience_yet(newsletter):
    later = factories.edition(newsletter, sends_at=NOW + timedelta(hours=1))

    assert approve(edition_id=later.pk, now=NOW).status == "approved"


@pytest.mark.usefixtures("unusual_audience")
@pytest.mark.parametrize("is_approved", [False, True])
def test_a_later_edition_that_is_sent_immediately_needs_an_accepted_audience(
    newsletter, is_approved
):
    later = factories.edition(newsletter, sends_at=NOW + timedelta(hours=1))
    if is_approved:
        approve(edition_id=later.pk, now=NOW)
    as_seen = {"edition_id": later.pk, "seen": fingerprint(reread(later)), "now": NOW}

    with pytest.raises(NotApprovable, match="It would go to 80 readers"):
        send_now.approve_as_seen(immediately=True, **as_seen)
    assert reread(later).sends_at == NOW + timedelta(hours=1)

    sent_now = send_now.approve_as_seen(immediately=True, **as_seen, readers=80)
    assert (sent_now.status, sent_now.sends_at) == ("approved", NOW)


@pytest.mark.usefixtures("unusual_audience")
def test_automatic_approval_does_not_accept_an_unusual_audience(newsletter):
    schedule = factories.schedule(newsletter, unapproved="send")
    due = factories.propose(factories.edition(newsletter, schedule=schedule, sends_at=NOW))

    assert release(edition_id=due.pk, now=NOW) is Release.HELD

    held = reread(due)
    assert (held.status, held.reason) == ("held", "audience")
    assert "80 readers" in held.reason_detail
