"""An edition's outcomes are counted from its rows, less often where counting is expensive."""

import time
from datetime import timedelta

import pytest
from django.core.cache import cache

from digest.delivery.pacing import circuit_breaker
from digest.delivery.progress import watch
from digest.delivery.progress.report import GroupTally, build, by_domain, count_waiting, tally
from digest.models import Delivery, Edition
from subscribers.plumbing import shared_cache
from tests import factories
from tests.factories import NOW
from tests.support.other_release import FromAnotherRelease
from tests.support.query_plans import collect_plans

pytestmark = pytest.mark.django_db

SENT = {"status": "sent", "relay": "a.example:25", "revision": 1, "finished_at": NOW}
REFUSED = {
    "status": "failed",
    "reason": "refused",
    "relay": "b.example:25",
    "claimed_at": NOW,
    "finished_at": NOW,
}


@pytest.fixture
def edition():
    found = factories.edition(factories.newsletter(), sends_at=NOW)
    begin(found, status="sending", sending_at=NOW, planned_at=NOW)
    return found


def begin(edition, **fields):
    factories.force_update(Edition.objects.filter(pk=edition.pk), **fields)
    edition.refresh_from_db()


@pytest.fixture
def add_row(edition):
    """Add a row of the edition for a new reader."""

    def add(email="", **fields):
        subscription = factories.subscription(edition.newsletter, email)
        return Delivery.objects.create(edition=edition, subscription=subscription, **fields)

    return add


def progress(edition, now=NOW, **options):
    return watch.snapshot(edition, now=now, **options)


# --- Counting -------------------------------------------------------------------------------------


def test_every_reader_is_counted_once_and_by_what_they_wait_for(edition, add_row):
    add_row()
    add_row(attempts=1, reply="450 4.2.0 later")
    add_row(reason="throttled")
    add_row(status="sending")
    add_row(**SENT)
    add_row(**SENT, uncertain_at=NOW)
    add_row(**REFUSED)
    add_row(status="skipped", reason="muted", finished_at=NOW)
    add_row(status="uncertain")
    add_row(status="uncertain", finished_at=NOW)

    found = tally(edition.pk)

    assert found == build(edition_id=edition.pk, now=NOW).tally
    assert (found.total, found.settled, found.waiting) == (10, 5, 4)
    assert (found.throttled, found.deferred, found.to_resend, found.sent_again) == (1, 1, 1, 1)
    assert found.reasons == {"refused": 1, "muted": 1}
    assert count_waiting(edition.pk, now=NOW).readers == 4  # one of them is to be sent again


def test_each_relay_has_its_outcomes_and_its_newest_refusal(edition, add_row):
    add_row(**SENT)
    add_row(**REFUSED, reply="550 5.1.1 the older reply")
    add_row(**REFUSED | {"claimed_at": NOW + timedelta(seconds=1)}, reply="452 the newer reply")
    add_row(relay="b.example:25", attempts=1)
    add_row()

    assert build(edition_id=edition.pk, now=NOW).relays == (
        GroupTally("a.example:25", sent=1, failed=0, waiting=0, uncertain=0),
        GroupTally(
            "b.example:25", sent=0, failed=2, waiting=1, uncertain=0, refusal="452 the newer reply"
        ),
    )


def test_the_domain_report_has_the_ten_largest_and_the_rest(edition, add_row):
    for n in range(11):
        for reader in range(2):
            add_row(f"r{reader}@d{n:02}.example")
    add_row("r@large.example", **SENT)
    add_row("r2@large.example", **REFUSED, reply="550 no")
    add_row("r3@large.example")
    add_row('"odd@place"@d00.example')

    first, second, *_, others = by_domain(edition.pk)

    assert first == GroupTally("d00.example", sent=0, failed=0, waiting=3, uncertain=0)
    assert second == GroupTally("large.example", 1, 1, 1, 0, refusal="550 no")
    assert others == GroupTally("", sent=0, failed=0, waiting=4, uncertain=0)
    assert len(by_domain(edition.pk)) == 11


def test_the_rate_is_that_of_the_last_half_minute(edition, add_row):
    add_row(**SENT | {"finished_at": NOW - timedelta(hours=8)})  # before a night on hold
    for second in range(1, 11):
        add_row(**SENT | {"finished_at": NOW - timedelta(seconds=second)})
    add_row(status="skipped", reason="muted", finished_at=NOW - timedelta(seconds=5))

    found = build(edition_id=edition.pk, now=NOW)

    assert (found.rate, found.pace) == (1.0, 1.1)


def test_the_next_try_is_that_of_the_deferred_readers(edition, add_row):
    later = NOW + timedelta(minutes=5)
    add_row(attempts=1, next_attempt_at=later)
    add_row(attempts=1, next_attempt_at=later + timedelta(minutes=1))
    long_ago = NOW - timedelta(hours=1)
    add_row(**SENT | {"finished_at": long_ago}, next_attempt_at=NOW + timedelta(seconds=1))

    found = build(edition_id=edition.pk, now=NOW)

    assert (found.ready, found.next_try) == (0, later)
    assert progress(edition).line == "2 readers are tried again from 06:05:00 on."


def test_the_count_of_waiting_readers_reads_an_index_only(edition, add_row):
    add_row()
    with collect_plans("digest_delivery") as plans:
        count_waiting(edition.pk, now=NOW)

    assert ["Index Only Scan using delivery_due" in plan for plan in plans] == [True]


# --- The progress of an edition -------------------------------------------------------------------


def test_the_total_during_planning_is_the_expected_audience(edition, add_row):
    add_row(**SENT)
    add_row()
    begin(edition, planned_at=None, audience=500)

    found = progress(edition)

    assert (found.done, found.total, found.percent, found.is_planning) == (1, 500, 0, True)


def test_a_stop_during_planning_does_not_change_the_total(edition, add_row):
    add_row(**SENT)
    begin(edition, status="held", reason="stopped", planned_at=None, audience=500)

    assert (progress(edition).total, progress(edition).is_planning) == (500, False)


def test_a_hundred_percent_means_every_reader(edition, add_row):
    rows = [add_row(**SENT) for _ in range(3)]
    assert progress(edition).percent == 100

    cache.clear()
    factories.force_update(
        Delivery.objects.filter(pk=rows[0].pk), status="pending", finished_at=None
    )
    assert progress(edition).percent == 66


def test_an_edition_without_readers_is_done(edition):
    assert (progress(edition).total, progress(edition).percent) == (0, 100)


def test_revisions_are_shown_if_there_are_several(edition, add_row):
    add_row(**SENT)
    assert progress(edition).revisions == ()

    cache.clear()
    add_row(**SENT | {"revision": 2})
    assert [part.name for part in progress(edition).revisions] == ["1", "2"]


def test_the_line_says_that_no_relay_is_available(edition, add_row, relay, settings):
    add_row()
    circuit_breaker.record_failure(settings.EMAIL_RELAYS[0])

    assert progress(edition).line.startswith("No relay can be used now")


def test_many_viewers_are_answered_by_three_counts(edition, add_row, django_assert_num_queries):
    add_row(**SENT)
    # Two of the three also need a savepoint, its release, and a SET without parallel workers.
    with django_assert_num_queries(9):
        progress(edition, domains=True)

    with django_assert_num_queries(0):
        for _ in range(5):
            progress(edition, domains=True)


def test_a_new_status_makes_a_new_count(edition, add_row):
    add_row()
    assert progress(edition).done == 0

    factories.force_update(Delivery.objects.all(), status="sent", finished_at=NOW)
    begin(edition, status="sent", sent_at=NOW)

    assert progress(edition).done == 1


# --- Cached counts --------------------------------------------------------------------------------


def test_an_expensive_value_is_kept_longer_than_a_cheap_one():
    computed = []

    def compute_both():
        for name, seconds in (("cheap", 0), ("expensive", 0.4)):
            shared_cache.stale_while_revalidate(
                name, lambda n=name, s=seconds: compute(n, s), min_ttl=8
            )

    def compute(name, seconds):
        computed.append(name)
        time.sleep(seconds)
        return name

    compute_both()
    compute_both()
    assert computed == ["cheap", "expensive"]
    assert 0 < seconds_left("cheap") <= 8 < seconds_left("expensive")

    cache.delete("cheap:fresh")  # as if its time were over
    compute_both()
    assert computed == ["cheap", "expensive", "cheap"]


def seconds_left(name):
    return cache._cache.get_client().ttl(cache.make_key(f"{name}:fresh"))


def test_a_caller_gets_the_old_value_while_another_one_computes():
    shared_cache.stale_while_revalidate("shared", lambda: "old", min_ttl=1)
    cache.delete("shared:fresh")
    cache.add("shared:claim", 1)

    assert shared_cache.stale_while_revalidate("shared", lambda: "new", min_ttl=1) == "old"

    cache.delete("shared:claim")
    assert shared_cache.stale_while_revalidate("shared", lambda: "new", min_ttl=1) == "new"


def test_a_failed_computation_does_not_block_the_next_one():
    shared_cache.stale_while_revalidate("broken", lambda: "old", min_ttl=1)
    cache.delete("broken:fresh")

    with pytest.raises(ZeroDivisionError):
        shared_cache.stale_while_revalidate("broken", lambda: 1 / 0, min_ttl=1)

    assert shared_cache.stale_while_revalidate("broken", lambda: "new", min_ttl=1) == "new"


@pytest.mark.parametrize("module", ["subscribers.reports.growth", "subscribers.no_such_module"])
def test_a_value_of_another_release_is_computed_again(module):
    cache.set("renamed", FromAnotherRelease(module))
    cache.set("renamed:fresh", 1)

    for _ in range(2):
        assert shared_cache.stale_while_revalidate("renamed", lambda: "new", min_ttl=8) == "new"

    assert cache.get("renamed") == "new"


def test_a_process_without_redis_keeps_its_own_counts(edition, add_row, monkeypatch, no_redis):
    add_row(**SENT)

    assert progress(edition).done == 1
    monkeypatch.setattr(watch.report, "build", None)
    assert progress(edition).done == 1
