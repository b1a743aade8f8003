"""Sign-ups and unsubscribes are counted by day and page, and the counts outlive the readers."""

from datetime import UTC, date, datetime, timedelta

import pytest

from subscribers import signed_links
from subscribers.consent.record import Origin, record_consent
from subscribers.models import GrowthDay, GrowthMark
from subscribers.preferences import leaving
from subscribers.privacy import erasure
from subscribers.reports import growth
from subscribers.reports.growth import GrowthCounts
from tests import factories

pytestmark = pytest.mark.django_db

# Noon in London, and the night of the next day in Auckland.
NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
TODAY = date(2026, 3, 10)


@pytest.fixture
def newsletter():
    return factories.newsletter(timezone="Europe/London")


def reader(newsletter, source="news.example.com/", **fields):
    return factories.subscription(newsletter, source=source, **fields)


def record(subscription, kind, at=NOON):
    record_consent(
        subscription_id=subscription.pk,
        newsletter=subscription.newsletter,
        kind=kind,
        origin=Origin(),
        now=at,
    )


def report(*newsletters, days=30, now=NOON, **fields):
    return growth.report(newsletters=newsletters, days=days, now=now, **fields)


def count_all(now):
    while growth.count_settled(now=now):
        pass


def test_today_is_reported_before_anything_was_counted(newsletter):
    ann = reader(newsletter)
    record(ann, "signup")
    record(ann, "confirmation")

    found = report(newsletter)

    assert found.days[TODAY] == GrowthCounts(signups=1, confirmations=1)
    assert found.sources == {"news.example.com/": GrowthCounts(signups=1, confirmations=1)}
    assert (found.first, found.last, len(found.days)) == (date(2026, 2, 9), TODAY, 30)


def test_each_day_is_reported_the_same_before_and_after_it_was_counted(newsletter):
    for days in (0, 1, 2, 40):
        ann = reader(newsletter, source=f"page{days}")
        at = NOON - timedelta(days=days)
        record(ann, "signup", at)
        record(ann, "confirmation", at)
        record(ann, "withdrawal", at + timedelta(minutes=30))
    before = report(newsletter, days=90)

    count_all(NOON)

    assert GrowthDay.objects.count() == 3, "the entries of the last hour are not counted yet"
    assert report(newsletter, days=90) == before
    assert before.total == GrowthCounts(signups=4, confirmations=4, leavers=4)
    count_all(NOON)
    assert report(newsletter, days=90) == before, "counting twice adds nothing"


def test_a_day_begins_at_midnight_in_the_newsletters_time_zone_in_summer_too(newsletter):
    tokyo = factories.newsletter(timezone="Asia/Tokyo")
    late = datetime(2026, 7, 1, 23, 30, tzinfo=UTC)
    for daily in (newsletter, tokyo):
        record(reader(daily), "signup", late)

    # In London it is half past midnight, in Tokyo half past eight.
    for daily in (newsletter, tokyo):
        count_all(late + timedelta(days=3))
        assert GrowthDay.objects.get(newsletter=daily).day == date(2026, 7, 2)


def test_the_last_hour_is_read_from_the_ledger_and_counted_an_hour_later(newsletter):
    record(reader(newsletter), "signup")

    growth.count_settled(now=NOON + timedelta(minutes=59))
    assert not GrowthDay.objects.exists()
    count_all(NOON + timedelta(minutes=61))

    assert GrowthDay.objects.get().signups == 1
    assert GrowthMark.objects.get().counted_to == NOON + timedelta(minutes=1)


def test_a_day_that_is_counted_in_steps_has_one_row(newsletter):
    ann = reader(newsletter)
    for hours in range(5):
        record(ann, "signup", NOON + timedelta(hours=hours))
        record(reader(newsletter), "signup", NOON + timedelta(hours=hours))
        count_all(NOON + timedelta(hours=hours + 2))

    # Signing up again within a day is the same sign-up.
    assert GrowthDay.objects.get().signups == 6


def test_each_kind_of_consent_record_counts_as_what_it_is(newsletter):
    twice, pending, imported, back = (reader(newsletter) for _ in range(4))
    pending.confirmed_at, pending.status = None, "unsubscribed"
    pending.save()
    for minutes in (0, 10):
        record(twice, "signup", NOON - timedelta(minutes=minutes))
    record(pending, "withdrawal")
    record(imported, "import")
    record(back, "change")

    # Two sign-ups on a day count once. A withdrawal counts only if the reader had confirmed. A
    # change counts as nothing.
    assert report(newsletter).total == GrowthCounts(signups=1, imports=1)


def test_a_report_of_one_page_still_lists_all_pages(newsletter):
    record(reader(newsletter, source="a.example/front"), "signup")
    record(reader(newsletter, source=""), "signup")
    record(reader(newsletter, source=""), "signup", NOON - timedelta(days=2))
    count_all(NOON)

    one = report(newsletter, source="a.example/front")
    unknown = report(newsletter, source="")

    assert (one.total.signups, unknown.total.signups) == (1, 2)
    assert one.sources == unknown.sources == report(newsletter).sources


def test_newsletters_are_reported_together_and_one_by_one(newsletter):
    other = factories.newsletter(timezone="Pacific/Auckland")
    record(reader(newsletter), "signup")
    record(reader(other), "signup")

    assert report(newsletter).total.signups == report(other).total.signups == 1
    both = report(newsletter, other)
    assert both.total.signups == 2
    assert both.last == date(2026, 3, 11), "in Auckland it is tomorrow"


def test_the_first_count_goes_a_month_at_a_time(newsletter):
    for days in (400, 300, 200, 5):
        record(reader(newsletter), "signup", NOON - timedelta(days=days))

    assert growth.count_settled(now=NOON)
    assert GrowthDay.objects.count() == 1
    count_all(NOON)

    assert GrowthDay.objects.count() == 4


def test_an_erased_reader_stays_counted_and_counts_as_a_leaver(newsletter):
    ann = reader(newsletter)
    record(ann, "signup", NOON - timedelta(days=5))
    count_all(NOON)
    record(ann, "confirmation")

    erasure.erase(subscriber_id=ann.subscriber_id, now=NOON)

    expected = GrowthCounts(signups=1, confirmations=1, leavers=1)
    assert report(newsletter).total == expected
    record(reader(newsletter), "signup")
    count_all(NOON + timedelta(days=2))
    later = report(newsletter, now=NOON + timedelta(days=2)).total
    assert later == GrowthCounts(signups=2, confirmations=1, leavers=1)


def test_an_unsubscribed_reader_is_not_counted_as_a_leaver_again_when_erased(newsletter):
    ann = reader(newsletter, status="unsubscribed")
    record(ann, "withdrawal", NOON - timedelta(days=5))

    erasure.erase(subscriber_id=ann.subscriber_id, now=NOON)

    assert report(newsletter).total == GrowthCounts(leavers=1)


@pytest.mark.parametrize("minutes", [1, 30])
def test_a_reader_who_resubscribes_within_the_hour_is_not_counted(newsletter, minutes):
    ann = reader(newsletter, confirmed_at=NOON - timedelta(days=9))
    # These are the last minutes of a day in the newsletter's time zone. The reader resubscribes on
    # that day or on the next.
    left_at = datetime(2026, 3, 10, 23, 50, tzinfo=UTC)
    leaving.unsubscribe(subscription_id=ann.pk, now=left_at)
    ann.refresh_from_db()
    token = signed_links.resubscribe_token(ann, now=left_at)
    back_at = left_at + timedelta(minutes=minutes)
    assert leaving.resubscribe(subscription_id=ann.pk, token=token, seen="Back", now=back_at)

    later = back_at + timedelta(hours=2)
    assert report(newsletter, now=later).total == GrowthCounts()
    count_all(later)

    assert report(newsletter, now=later).total == GrowthCounts()
    assert not GrowthDay.objects.exclude(leavers=0, confirmations=0).exists()


def test_a_reader_who_unsubscribes_and_signs_up_again_counts_as_both(newsletter):
    ann = reader(newsletter, confirmed_at=NOON - timedelta(days=9))
    leaving.unsubscribe(subscription_id=ann.pk, now=NOON)
    record(ann, "signup", NOON + timedelta(minutes=5))
    record(ann, "confirmation", NOON + timedelta(minutes=6))

    assert report(newsletter, now=NOON).total == GrowthCounts(signups=1, confirmations=1, leavers=1)
