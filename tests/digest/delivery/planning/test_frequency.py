"""Readers get every edition, those of Monday to Friday or the week's best, but not in a pause."""

from datetime import date, timedelta

import pytest

from digest.delivery.lane import outbox
from digest.delivery.lane.lane import End
from digest.delivery.planning import start
from digest.delivery.progress.report import tally
from digest.editions.decide import audience
from digest.editions.decide.approve import NotApprovable, approve
from digest.editions.edit import correct
from digest.models import Delivery, Edition, Schedule
from subscribers.consent.suppression import suppress
from subscribers.models import Subscription
from tests import factories
from tests.digest.delivery.conftest import row, rows
from tests.factories import NOW

pytestmark = pytest.mark.django_db

FRIDAY, SATURDAY, SUNDAY, MONDAY = (date(2026, 3, day) for day in (13, 14, 15, 16))


@pytest.fixture
def newsletter():
    return factories.newsletter()


@pytest.fixture
def weekly_schedule(newsletter):
    factories.schedule(newsletter)
    return factories.schedule(newsletter, name="Week", cadence="weekly", weekdays=[6])


@pytest.fixture
def readers(newsletter, weekly_schedule):
    """One reader of each frequency, and one of another newsletter."""
    factories.subscription(factories.newsletter())
    return {
        frequency: factories.subscription(
            newsletter, f"{frequency}@example.com", frequency=frequency
        )
        for frequency in Subscription.Frequency.values
    }


def edition_of(newsletter, day=FRIDAY, **fields):
    return factories.edition(newsletter, slot_date=day, sends_at=NOW, **fields)


@pytest.fixture
def edition(newsletter):
    return edition_of(newsletter)


def begin(edition):
    approve(edition_id=edition.pk, now=NOW)
    start.start_delivery(edition_id=edition.pk, now=NOW)
    start.plan_audience(edition_id=edition.pk, now=NOW)
    edition.refresh_from_db()


@pytest.mark.parametrize(
    ("day", "cadence", "expected"),
    [
        (FRIDAY, "daily", {"daily", "weekdays"}),
        (SATURDAY, "daily", {"daily"}),
        (SUNDAY, "daily", {"daily"}),
        (MONDAY, "daily", {"daily", "weekdays"}),
        (SUNDAY, "weekly", {"weekly"}),
        (FRIDAY, "weekly", {"weekly"}),
    ],
)
def test_an_edition_goes_to_the_readers_who_chose_its_frequency(
    newsletter, readers, day, cadence, expected
):
    edition = edition_of(newsletter, day, cadence=cadence)

    begin(edition)

    assert set(rows(edition)) == {f"{name}@example.com" for name in expected}
    assert edition.audience == len(expected)


def test_a_correction_goes_to_every_reader_who_got_the_mistake(newsletter, readers):
    edition = edition_of(newsletter)
    begin(edition)
    factories.force_update(edition.deliveries.all(), status="sent", revision=1, finished_at=NOW)
    factories.force_update(Edition.objects.filter(pk=edition.pk), status="sent", sent_at=NOW)
    Subscription.objects.filter(newsletter=newsletter).update(frequency="weekly")

    correction = correct.draft_correction(edition_id=edition.pk, note="It was 2, not 3.", now=NOW)
    begin(correction)

    assert set(rows(correction)) == {"daily@example.com", "weekdays@example.com"}


# --- Without a weekly schedule --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (FRIDAY, {"daily", "weekdays", "weekly"}),
        (SUNDAY, {"daily", "weekly"}),
    ],
)
@pytest.mark.parametrize("case", ["off", "deleted", "no day"])
def test_weekly_readers_get_every_edition_without_an_active_weekly_schedule(
    edition, readers, weekly_schedule, run_lane, relay, day, expected, case
):
    if case == "deleted":
        weekly_schedule.delete()
    else:
        change = {"is_active": False} if case == "off" else {"weekdays": []}
        Schedule.objects.filter(pk=weekly_schedule.pk).update(**change)
    edition.slot_date = day
    edition.save()

    begin(edition)
    run_lane()

    assert rows(edition) == {f"{name}@example.com": ("sent", "") for name in expected}
    assert Subscription.objects.filter(frequency="weekly").count() == 1


def test_weekly_readers_get_no_daily_edition_once_the_weekly_schedule_is_on_again(
    newsletter, readers, weekly_schedule
):
    Schedule.objects.filter(pk=weekly_schedule.pk).update(is_active=False)
    Schedule.objects.filter(pk=weekly_schedule.pk).update(is_active=True)
    edition = edition_of(newsletter)

    begin(edition)

    assert "weekly@example.com" not in rows(edition)


def test_another_newsletters_weekly_schedule_does_not_count(newsletter, readers, weekly_schedule):
    Schedule.objects.filter(pk=weekly_schedule.pk).update(newsletter=factories.newsletter())
    edition = edition_of(newsletter)

    begin(edition)

    assert "weekly@example.com" in rows(edition)


# --- Pauses ---------------------------------------------------------------------------------------


def pause(subscription, until):
    Subscription.objects.filter(pk=subscription.pk).update(paused_until=until)


def test_a_paused_reader_is_skipped_as_paused_and_not_counted_in_the_audience(
    edition, readers, run_lane, relay
):
    pause(readers["daily"], NOW + timedelta(days=1))

    begin(edition)
    assert run_lane() is End.DONE

    assert rows(edition) == {
        "daily@example.com": ("skipped", "paused"),
        "weekdays@example.com": ("sent", ""),
    }
    assert edition.audience == 1
    assert tally(edition.pk).reasons == {"paused": 1}
    assert [mail.rcpt_to for mail in relay.received] == ["weekdays@example.com"]


def test_an_ended_pause_has_no_effect(edition, readers, run_lane, relay):
    pause(readers["daily"], NOW)

    begin(edition)
    run_lane()

    assert edition.audience == 2
    assert row(readers["daily"]).status == "sent"


def test_a_pause_set_after_planning_takes_effect(edition, readers, run_lane, relay):
    begin(edition)
    pause(readers["daily"], NOW + timedelta(hours=1))

    run_lane()

    assert row(readers["daily"]).reason == "paused"


def test_a_pause_that_ends_before_the_readers_local_hour_has_no_effect(
    edition, readers, run_lane, relay
):
    last = NOW + timedelta(hours=5)
    fields = {"local_time": last.time(), "last_wave_at": last}
    Edition.objects.filter(pk=edition.pk).update(
        slot_date=NOW.date(), deadline_at=last + timedelta(hours=3), **fields
    )
    edition.refresh_from_db()
    pause(readers["daily"], NOW + timedelta(hours=1))
    begin(edition)

    run_lane(now=last)

    assert row(readers["daily"]).status == "sent"


def test_a_reader_who_switches_to_weekly_gets_no_daily_edition_planned_before(
    edition, readers, run_lane, relay
):
    begin(edition)
    Subscription.objects.filter(pk=readers["daily"].pk).update(frequency="weekly")

    run_lane()

    assert rows(edition)["daily@example.com"] == ("skipped", "frequency")


def test_a_reader_who_pauses_while_a_window_is_written_gets_nothing_more(
    edition, readers, run_lane, relay, monkeypatch
):
    monkeypatch.setattr(outbox, "TRUST_SECONDS", -1)
    begin(edition)
    put_group = outbox.Outbox._put_group

    def pause_first(self, *args):
        pause(readers["weekdays"], NOW + timedelta(days=1))
        return put_group(self, *args)

    monkeypatch.setattr(outbox.Outbox, "_put_group", pause_first)
    run_lane()

    assert rows(edition) == {
        "daily@example.com": ("sent", ""),
        "weekdays@example.com": ("skipped", "paused"),
    }


# --- The audience guard ---------------------------------------------------------------------------


@pytest.fixture
def sent(newsletter):
    """Make editions of past days that were sent to the given number of readers."""

    def send(readers, *days, cadence="daily"):
        for day in days:
            edition = edition_of(newsletter, day, stories=0, cadence=cadence, audience=readers)
            factories.force_update(
                Edition.objects.filter(pk=edition.pk), status="sent", sending_at=NOW
            )

    return send


def test_the_weekly_edition_goes_to_everybody_without_another_active_schedule(
    newsletter, weekly_schedule, readers
):
    Schedule.objects.filter(cadence="daily").update(is_active=False)
    weekly = edition_of(newsletter, SUNDAY, cadence="weekly")

    assert audience.readers(weekly).count() == len(readers)


def weeks_before(day, count=3):
    return [day - timedelta(weeks=n) for n in range(1, count + 1)]


def test_a_weekly_edition_is_compared_with_weekly_ones(newsletter, sent):
    sent(10_000, *weeks_before(FRIDAY, 5))
    sent(200, *weeks_before(SUNDAY), cadence="weekly")
    weekly = edition_of(newsletter, SUNDAY, cadence="weekly")

    assert audience.unusual_warning(weekly, 210) is None
    assert audience.unusual_warning(weekly, 10_000) == (
        "It would go to 10,000 readers, and this newsletter's weekly editions usually go to "
        "about 200."
    )


def test_a_saturday_edition_is_compared_with_weekend_editions(newsletter, sent):
    sent(1000, *weeks_before(FRIDAY, 5))
    sent(400, *weeks_before(SUNDAY, 2), *weeks_before(SATURDAY, 2))

    assert audience.unusual_warning(edition_of(newsletter, SATURDAY), 410) is None
    assert audience.unusual_warning(edition_of(newsletter, MONDAY), 410)
    assert audience.unusual_warning(edition_of(newsletter, FRIDAY), 1000) is None


def test_suppressed_and_paused_readers_do_not_count(newsletter, sent, settings, monkeypatch):
    monkeypatch.setattr(audience, "MIN_READERS", 5)
    sent(10, *weeks_before(FRIDAY))
    for n in range(14):
        reader = factories.subscription(newsletter, f"r{n}@example.com")
        if n < 2:
            suppress(email=reader.subscriber.email, reason="bounce", now=NOW)
        elif n < 4:
            pause(reader, NOW + timedelta(days=3))
    edition = edition_of(newsletter)

    assert audience.estimate(edition, now=NOW).readers == 10
    begin(edition)
    assert edition.audience == 10
    # The suppressed and the paused are in the ledger, with their reasons.
    assert edition.deliveries.count() == 14


def test_an_edition_for_a_mostly_suppressed_list_is_held(newsletter, sent, settings, monkeypatch):
    monkeypatch.setattr(audience, "MIN_READERS", 5)
    sent(10, *weeks_before(FRIDAY))
    for n in range(10):
        reader = factories.subscription(newsletter, f"r{n}@example.com")
        if n < 6:
            suppress(email=reader.subscriber.email, reason="bounce", now=NOW)
    edition = edition_of(newsletter)
    approve(edition_id=edition.pk, now=NOW - timedelta(minutes=1))

    with pytest.raises(start.NotStarted, match="4 readers"):
        start.start_delivery(edition_id=edition.pk, now=NOW)
    with pytest.raises(NotApprovable, match="4 readers"):
        approve(edition_id=edition.pk, now=NOW)
    assert not Delivery.objects.exists()


def test_the_readers_left_after_a_stop_exclude_suppressed_and_paused_ones(edition, readers):
    for n in range(3):
        factories.subscription(edition.newsletter, f"r{n}@example.com")
    begin(edition)
    factories.force_update(Delivery.objects.filter(subscription=readers["daily"]), status="sent")
    pause(readers["weekdays"], NOW + timedelta(days=1))
    suppress(email="r0@example.com", reason="manual", now=NOW)

    assert audience.remaining(edition, now=NOW) == 2
