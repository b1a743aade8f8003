"""What became of an edition's readers: counted from the rows, seldom where that is dear."""

import time
from datetime import timedelta

import pytest
from django.core.cache import cache
from redis import ConnectionError as RedisGone

from digest.delivery import breaker, watch
from digest.delivery.report import Part, by_domain, count, count_waiting, tally
from digest.models import Delivery, Edition
from subscribers import sparingly
from tests import factories
from tests.factories import NOW
from tests.plans import plans_of

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
    factories.put(Edition.objects.filter(pk=edition.pk), **fields)
    edition.refresh_from_db()


@pytest.fixture
def put(edition):
    """Add a row of the edition for a new reader."""

    def add(email="", **fields):
        subscription = factories.subscription(edition.newsletter, email)
        return Delivery.objects.create(edition=edition, subscription=subscription, **fields)

    return add


def looked(edition, now=NOW, **options):
    return watch.look(edition, now=now, **options)


# --- Counting -------------------------------------------------------------------------------------


def test_every_reader_is_counted_once_and_by_what_they_wait_for(edition, put):
    put()
    put(attempts=1, reply="450 4.2.0 later")
    put(reason="throttled")
    put(status="sending")
    put(**SENT)
    put(**SENT, uncertain_at=NOW)
    put(**REFUSED)
    put(status="skipped", reason="muted", finished_at=NOW)
    put(status="uncertain")
    put(status="uncertain", finished_at=NOW)

    found = tally(edition.pk)

    assert found == count(edition_id=edition.pk, now=NOW).tally
    assert (found.total, found.settled, found.waiting) == (10, 5, 4)
    assert (found.throttled, found.put_off, found.to_resend, found.sent_again) == (1, 1, 1, 1)
    assert found.reasons == {"refused": 1, "muted": 1}
    assert count_waiting(edition.pk, now=NOW).readers == 4  # one of them is to be sent again


def test_each_relay_has_its_outcomes_and_its_newest_refusal(edition, put):
    put(**SENT)
    put(**REFUSED, reply="550 5.1.1 the older words")
    put(**REFUSED | {"claimed_at": NOW + timedelta(seconds=1)}, reply="452 the newer words")
    put(relay="b.example:25", attempts=1)
    put()

    assert count(edition_id=edition.pk, now=NOW).relays == (
        Part("a.example:25", sent=1, failed=0, waiting=0, uncertain=0),
        Part(
            "b.example:25", sent=0, failed=2, waiting=1, uncertain=0, refusal="452 the newer words"
        ),
    )


def test_domains_are_the_ten_largest_and_the_others(edition, put):
    for n in range(11):
        for reader in range(2):
            put(f"r{reader}@d{n:02}.example")
    put("r@large.example", **SENT)
    put("r2@large.example", **REFUSED, reply="550 no")
    put("r3@large.example")
    put('"odd@place"@d00.example')

    first, second, *_, others = by_domain(edition.pk)

    assert first == Part("d00.example", sent=0, failed=0, waiting=3, uncertain=0)
    assert second == Part("large.example", 1, 1, 1, 0, refusal="550 no")
    assert others == Part("", sent=0, failed=0, waiting=4, uncertain=0)
    assert len(by_domain(edition.pk)) == 11


def test_the_rate_is_that_of_the_last_half_minute(edition, put):
    put(**SENT | {"finished_at": NOW - timedelta(hours=8)})  # before a night on hold
    for second in range(1, 11):
        put(**SENT | {"finished_at": NOW - timedelta(seconds=second)})
    put(status="skipped", reason="muted", finished_at=NOW - timedelta(seconds=5))

    found = count(edition_id=edition.pk, now=NOW)

    assert (found.rate, found.pace) == (1.0, 1.1)


def test_the_next_try_is_that_of_those_put_off(edition, put):
    later = NOW + timedelta(minutes=5)
    put(attempts=1, next_attempt_at=later)
    put(attempts=1, next_attempt_at=later + timedelta(minutes=1))
    long_ago = NOW - timedelta(hours=1)
    put(**SENT | {"finished_at": long_ago}, next_attempt_at=NOW + timedelta(seconds=1))

    found = count(edition_id=edition.pk, now=NOW)

    assert (found.ready, found.next_try) == (0, later)
    assert looked(edition).line == "2 readers are tried again from 06:05:00 on."


def test_an_index_alone_tells_how_many_wait(edition, put):
    put()
    with plans_of("digest_delivery") as plans:
        count_waiting(edition.pk, now=NOW)

    assert ["Index Only Scan using delivery_due" in plan for plan in plans] == [True]


# --- Looking --------------------------------------------------------------------------------------


def test_while_planning_the_total_is_the_audience_to_come(edition, put):
    put(**SENT)
    put()
    begin(edition, planned_at=None, audience=500)

    found = looked(edition)

    assert (found.done, found.total, found.percent, found.is_planning) == (1, 500, 0, True)


def test_a_stop_while_planning_leaves_the_total_as_it_was(edition, put):
    put(**SENT)
    begin(edition, status="held", reason="stopped", planned_at=None, audience=500)

    assert (looked(edition).total, looked(edition).is_planning) == (500, False)


def test_a_hundred_percent_is_every_reader(edition, put):
    rows = [put(**SENT) for _ in range(3)]
    assert looked(edition).percent == 100

    cache.clear()
    factories.put(Delivery.objects.filter(pk=rows[0].pk), status="pending", finished_at=None)
    assert looked(edition).percent == 66


def test_an_edition_without_readers_is_done(edition):
    assert (looked(edition).total, looked(edition).percent) == (0, 100)


def test_revisions_are_told_where_there_are_several(edition, put):
    put(**SENT)
    assert looked(edition).revisions == ()

    cache.clear()
    put(**SENT | {"revision": 2})
    assert [part.name for part in looked(edition).revisions] == ["1", "2"]


def test_relays_that_all_rest_are_said_to(edition, put, relay, settings):
    put()
    breaker.rest(settings.EMAIL_RELAYS[0])

    assert looked(edition).line.startswith("Every relay rests")


def test_many_who_look_are_answered_by_three_counts(edition, put, django_assert_num_queries):
    put(**SENT)
    # For two of the three, a savepoint, its release, and no help of parallel workers.
    with django_assert_num_queries(9):
        looked(edition, domains=True)

    with django_assert_num_queries(0):
        for _ in range(5):
            looked(edition, domains=True)


def test_a_new_state_is_counted_anew(edition, put):
    put()
    assert looked(edition).done == 0

    factories.put(Delivery.objects.all(), status="sent", finished_at=NOW)
    begin(edition, status="sent", sent_at=NOW)

    assert looked(edition).done == 1


# --- Sparingly ------------------------------------------------------------------------------------


def test_what_is_dear_stands_longer_than_what_is_cheap():
    computed = []

    def ask():
        for name, seconds in (("cheap", 0), ("dear", 0.4)):
            sparingly.sparingly(name, lambda n=name, s=seconds: price(n, s), least=8)

    def price(name, seconds):
        computed.append(name)
        time.sleep(seconds)

    ask()
    ask()
    assert computed == ["cheap", "dear"]
    assert 0 < seconds_left("cheap") <= 8 < seconds_left("dear")

    cache.delete("cheap:fresh")  # as once its time is over
    ask()
    assert computed == ["cheap", "dear", "cheap"]


def seconds_left(name):
    return cache._cache.get_client().ttl(cache.make_key(f"{name}:fresh"))


def test_who_asks_while_another_computes_gets_the_value_of_before():
    sparingly.sparingly("shared", lambda: "old", least=1)
    cache.delete("shared:fresh")
    cache.add("shared:claim", 1)

    assert sparingly.sparingly("shared", lambda: "new", least=1) == "old"

    cache.delete("shared:claim")
    assert sparingly.sparingly("shared", lambda: "new", least=1) == "new"


def test_a_failed_count_does_not_keep_others_from_counting():
    sparingly.sparingly("broken", lambda: "old", least=1)
    cache.delete("broken:fresh")

    with pytest.raises(ZeroDivisionError):
        sparingly.sparingly("broken", lambda: 1 / 0, least=1)

    assert sparingly.sparingly("broken", lambda: "new", least=1) == "new"


def test_without_redis_a_process_counts_for_itself_and_as_seldom(edition, put, monkeypatch):
    def gone(*args, **options):
        raise RedisGone

    for name in ("get_many", "set", "add", "delete"):
        monkeypatch.setattr(type(cache._connections["default"]), name, gone, raising=False)
    monkeypatch.setattr(sparingly, "_gone_until", 0.0)
    put(**SENT)

    assert looked(edition).done == 1
    monkeypatch.setattr(watch.report, "count", gone)
    assert looked(edition).done == 1
