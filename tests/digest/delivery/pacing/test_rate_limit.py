"""No relay and no domain gets more than its rate, and one that defers gets less for a while."""

import logging
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from statistics import median

import pytest
from redis import Redis

from digest.delivery.pacing import circuit_breaker, rate_limit
from digest.delivery.pacing.rate_limit import RateLimiter
from subscribers.mail.relays import parse_relay
from subscribers.plumbing import shared_redis
from tests.digest.delivery.pacing.send_simulation import (
    ACCEPTED,
    DEFERRED,
    RateLimitedReceiver,
    SimulatedRow,
    Simulation,
)
from tests.factories import NOW


@pytest.fixture(autouse=True)
def redis(settings):
    settings.DOMAIN_RATES = {}
    redis = Redis.from_url(settings.REDIS_URL)
    redis.flushdb()
    yield redis
    shared_redis.reset_redis_for_tests()


def addresses(count, *, of="d{}.org", domains=400):
    return [f"r{n}@{of.format(n % domains)}" for n in range(count)]


def rows(count, **how):
    return [SimulatedRow(n, address) for n, address in enumerate(addresses(count, **how))]


# --- A relay's rate -------------------------------------------------------------------------------


@pytest.mark.parametrize(("rate", "lanes"), [(50, 1), (50, 4), (5, 20), (900, 8)])
def test_a_relay_gets_its_rate_over_all_lanes(rate, lanes):
    relay = parse_relay(f"smtp://h?rate={rate}&connections={lanes}")
    simulation = Simulation(relay).send(addresses(rate * 40))

    assert simulation.rate(begin=2) == pytest.approx(rate, rel=0.05)
    # In any ten seconds at most a full bucket goes out, and what flows into it in that time.
    assert simulation.busiest(seconds=10) <= rate * 11 + 20
    # Each lane keeps its turn, so hardly any row is claimed and then released.
    assert simulation.claims_per_row < 1.1


def test_concurrent_lanes_share_one_rate_by_the_clock_of_redis():
    relay = parse_relay("smtp://h?rate=200&connections=4")
    admitted, began = [], time.monotonic()

    def lane():
        rate_limiter = RateLimiter(relay)
        limit = rate_limiter.admit([], now=NOW).limit
        while time.monotonic() < began + 2:
            admission = rate_limiter.admit(rows(limit), now=NOW)
            admitted.append(len(admission.admitted))
            time.sleep(admission.wait)
            limit = admission.limit

    lanes = [threading.Thread(target=lane) for _ in range(4)]
    for thread in lanes:
        thread.start()
    for thread in lanes:
        thread.join(10)
    seconds = time.monotonic() - began

    # The limit is a full bucket and two seconds of the rate. At the end each lane may hold a batch
    # whose tokens were kept for it.
    assert 500 < sum(admitted) <= (1 + seconds) * 200 + 4 * 20


def test_a_lane_that_comes_before_its_turn_gets_its_rows_back(redis):
    rate_limiter = RateLimiter(parse_relay("smtp://h?rate=2"))
    first = rate_limiter.admit(rows(5), now=NOW)
    second = rate_limiter.admit(rows(5), now=NOW)

    assert (len(first.admitted), len(first.released), first.limit) == (2, 3, 2)
    assert 0 < first.wait <= 1
    assert (len(second.admitted), len(second.released)) == (0, 5)
    assert 0 < second.wait <= first.wait


def test_a_lane_may_ask_before_it_claims():
    rate_limiter = RateLimiter(parse_relay("smtp://h?rate=5"))

    admission = rate_limiter.admit([], now=NOW)
    assert (admission.limit, admission.wait) == (5, 0)
    assert len(rate_limiter.admit(rows(5), now=NOW).admitted) == 5


def test_an_unlimited_relay_is_not_slowed_down():
    simulation = Simulation(parse_relay("smtp://h?connections=4"), speed=250).send(addresses(4000))

    assert simulation.rate() == pytest.approx(1000, rel=0.05)
    assert simulation.claims_per_row == 1


def test_a_call_of_admit_takes_little_time():
    rate_limiter, batch = RateLimiter(parse_relay("smtp://h")), rows(20)
    seconds = []
    for _ in range(300):
        begun = time.perf_counter()
        rate_limiter.admit(batch, now=NOW)
        seconds.append(time.perf_counter() - begun)

    assert median(seconds) < 150e-6


# --- A domain's rate ------------------------------------------------------------------------------


def half_at_gmail(count):
    return [f"r{n}@{'gmail.com' if n % 2 else f'd{n % 400}.org'}" for n in range(count)]


def test_readers_at_a_slow_domain_take_turns_and_delay_nobody_else(settings):
    settings.DOMAIN_RATES = {"gmail.com": 20.0}
    simulation = Simulation(parse_relay("smtp://h?connections=4")).send(half_at_gmail(4000))

    others = [at - simulation.begun for at, domain in simulation.accepted if domain != "gmail.com"]
    assert max(others) < 10
    assert simulation.rate("gmail.com", begin=3) == pytest.approx(20, rel=0.05)
    assert simulation.busiest("gmail.com", seconds=10) <= 240
    # A reader at the slow domain is claimed once to be throttled and once to be sent. Every other
    # reader is claimed once.
    assert simulation.claims_per_row < 1.55
    assert max(simulation.claims.values()) <= 3


def test_the_rate_for_any_domain_applies_to_each_domain_separately(settings):
    settings.DOMAIN_RATES = {"*": 2.0, "fast.org": 1000.0}
    readers = addresses(300, domains=3) + ["r@fast.org"] * 500
    simulation = Simulation(parse_relay("smtp://h?connections=2")).send(readers)

    for n in range(3):
        assert simulation.rate(f"d{n}.org", begin=4) == pytest.approx(2, rel=0.1)
    assert max(at - simulation.begun for at, name in simulation.accepted if name == "fast.org") < 5


def test_a_lane_that_slept_does_not_send_its_backlog_in_one_burst(settings):
    settings.DOMAIN_RATES = {"gmail.com": 20.0}
    clock = [1000.0]
    rate_limiter = RateLimiter(parse_relay("smtp://h"), clock=lambda: clock[0])
    gmail = [SimulatedRow(n, f"r{n}@gmail.com") for n in range(20)]
    for _ in range(20):
        throttled = rate_limiter.admit(gmail, now=NOW).throttled
        clock[0] += 0.01
    clock[0] += 600
    due = [SimulatedRow(n, row.email, throttled=True) for n, (row, _) in enumerate(throttled * 10)]
    admitted = [
        len(rate_limiter.admit(due[n : n + 20], now=NOW).admitted) for n in range(0, 200, 20)
    ]

    # Two seconds' worth goes out. The other rows get new turns, behind all that are given out.
    assert sum(admitted) == 40


def test_readers_who_wait_for_their_domain_use_none_of_the_relays_rate(settings):
    settings.DOMAIN_RATES = {"gmail.com": 1.0}
    clock = [1000.0]
    rate_limiter = RateLimiter(parse_relay("smtp://h?rate=20"), clock=lambda: clock[0])
    readers = [SimulatedRow(n, f"r{n}@gmail.com") for n in range(20)]
    first = rate_limiter.admit(readers, now=NOW)
    clock[0] += first.wait
    second = rate_limiter.admit(rows(20), now=NOW)

    assert first.wait == pytest.approx(0.05, abs=0.01)
    assert (len(first.admitted), len(first.throttled), len(first.released)) == (1, 19, 0)
    times = [when for _, when in first.throttled]
    assert times == sorted(times)
    assert times[-1] - NOW == pytest.approx(timedelta(seconds=19), abs=timedelta(seconds=0.1))
    assert len(second.admitted) == 20


# --- Deferrals ------------------------------------------------------------------------------------


def defer(rate_limiter, batch):
    for row in batch:
        rate_limiter.record_outcome(row, DEFERRED)


def seconds_for(rate_limiter, clock, count):
    """Return how long the clock runs until `count` rows were admitted, in batches."""
    begun, admitted = clock[0], 0
    while admitted < count:
        admission = rate_limiter.admit(rows(min(20, count - admitted)), now=NOW)
        admitted += len(admission.admitted)
        clock[0] += max(admission.wait, 0.001)
    return clock[0] - begun


def test_deferrals_halve_a_relays_rate_once_and_a_calm_minute_restores_it():
    clock = [1000.0]
    rate_limiter = RateLimiter(parse_relay("smtp://h?rate=100&floor=5"), clock=lambda: clock[0])
    seconds_for(rate_limiter, clock, 200)
    for _ in range(3):
        defer(rate_limiter, rows(20))
        seconds_for(rate_limiter, clock, 20)

    assert seconds_for(rate_limiter, clock, 50) == pytest.approx(1.0, rel=0.25)
    clock[0] += 60
    rate_limiter.admit([], now=NOW)
    assert seconds_for(rate_limiter, clock, 500) == pytest.approx(4.0, rel=0.25)


def test_deferrals_never_bring_a_rate_below_its_floor():
    clock = [1000.0]
    rate_limiter = RateLimiter(parse_relay("smtp://h?rate=100&floor=10"), clock=lambda: clock[0])
    for _ in range(20):
        defer(rate_limiter, rows(20))
        seconds_for(rate_limiter, clock, 2)
        clock[0] += 2.5

    assert seconds_for(rate_limiter, clock, 50) <= 5.5


def test_a_domain_without_a_rate_finds_its_own():
    """The domain takes 20 a second, and shows it only by deferring the others."""
    simulation = Simulation(
        parse_relay("smtp://h?connections=4"), answer=RateLimitedReceiver(gmail_com=20)
    )
    simulation.send(half_at_gmail(4000))

    others = [at - simulation.begun for at, domain in simulation.accepted if domain != "gmail.com"]
    assert max(others) < 10
    gmail = [at - simulation.begun for at, domain in simulation.accepted if domain == "gmail.com"]
    assert len(gmail) / max(gmail) > 10
    assert len(simulation.deferred) < 0.3 * len(gmail)
    assert simulation.claims_per_row < 3


def test_a_relay_without_a_rate_finds_its_own():
    simulation = Simulation(
        parse_relay("smtp://h?connections=4"), answer=RateLimitedReceiver(all=50)
    )
    simulation.send(addresses(4000))

    taken = [at - simulation.begun for at, _ in simulation.accepted]
    assert len(taken) / max(taken) > 25
    assert len(simulation.deferred) < 0.3 * len(taken)


@pytest.mark.parametrize("now_at", [0.0, 5.0, 500.0])
def test_settings_may_change_while_a_rate_is_reduced(settings, now_at):
    settings.DOMAIN_RATES = {"gmail.com": 50.0}
    gmail = [SimulatedRow(n, f"r{n}@gmail.com") for n in range(20)]
    limited = RateLimiter(parse_relay("smtp://h?rate=100"))
    defer(limited, [*gmail, *rows(10)])
    limited.admit(gmail, now=NOW)

    settings.DOMAIN_RATES = {"gmail.com": now_at} if now_at else {}
    relay = parse_relay(f"smtp://h?rate={now_at}" if now_at else "smtp://h")
    admission = RateLimiter(relay).admit([SimulatedRow(30, "r@new.org")], now=NOW)
    assert len(admission.admitted) + len(admission.released) == 1
    assert shared_redis.run(lambda redis: redis.ping())


def test_a_domain_that_accepts_everything_again_loses_its_limit(redis):
    clock = [1000.0]
    rate_limiter = RateLimiter(parse_relay("smtp://h"), clock=lambda: clock[0])
    gmail = [SimulatedRow(n, f"r{n}@gmail.com") for n in range(20)]
    rate_limiter.admit(gmail, now=NOW)
    defer(rate_limiter, gmail)
    assert rate_limiter.admit(gmail, now=NOW).throttled

    clock[0] += 300
    assert len(rate_limiter.admit(gmail, now=NOW).admitted) == 20
    assert not redis.exists("digest:rate:domain:gmail.com")


# --- Warming up -----------------------------------------------------------------------------------

WARMING = parse_relay("smtp://h?warmup=2026-11-22:30:2&connections=2")
DAY = datetime(2026, 11, 22, 9, tzinfo=UTC)


def test_a_warming_relay_is_full_when_its_daily_share_is_used_up():
    rate_limiter = RateLimiter(WARMING, count=lambda relay, day: 0)

    assert len(rate_limiter.admit(rows(20), now=DAY).admitted) == 20
    last = rate_limiter.admit(rows(20), now=DAY)
    assert (len(last.admitted), len(last.released), last.is_full) == (10, 10, True)
    assert circuit_breaker.is_open(WARMING)
    assert RateLimiter(WARMING).admit(rows(5), now=DAY).is_full


def test_the_daily_share_grows_from_day_to_day():
    rate_limiter = RateLimiter(WARMING, count=lambda relay, day: 0)
    third_day = DAY + timedelta(days=2)
    admitted = sum(len(rate_limiter.admit(rows(20), now=third_day).admitted) for _ in range(9))

    assert admitted == 120


def test_a_relay_takes_nothing_before_its_warm_up_begins():
    rate_limiter = RateLimiter(WARMING, count=lambda relay, day: 0)

    assert rate_limiter.admit(rows(1), now=DAY - timedelta(days=1)).is_full


@pytest.mark.django_db
def test_the_days_count_is_read_from_the_ledger_after_redis_lost_it(redis):
    counts = Counter()

    def count(relay, day):
        counts[day.isoformat()] += 1
        return 25

    for _ in range(3):
        RateLimiter(WARMING, count=count).admit(rows(1), now=DAY)
    assert counts == {"2026-11-22": 1}
    redis.flushdb()

    assert len(RateLimiter(WARMING, count=count).admit(rows(20), now=DAY).admitted) == 5
    assert rate_limit.count_sent_on(WARMING, DAY.date()) == 0


# --- Without Redis --------------------------------------------------------------------------------


@pytest.fixture
def settings_without_redis(settings, no_redis, caplog):
    caplog.set_level(logging.WARNING)
    return settings


def test_a_lane_sends_at_its_share_of_the_floor_without_redis(settings_without_redis, caplog):
    clock = [1000.0]
    relay = parse_relay("smtp://h?rate=100&floor=20&connections=4")
    rate_limiter = RateLimiter(relay, clock=lambda: clock[0])

    assert seconds_for(rate_limiter, clock, 50) == pytest.approx(10, rel=0.15)
    assert len(caplog.records) == 1
    assert "Redis is unavailable" in caplog.text


def test_an_unavailable_redis_is_not_asked_for_each_batch(settings_without_redis, monkeypatch):
    urls, client = [], shared_redis._client
    monkeypatch.setattr(shared_redis, "FIRST_PAUSE", 60.0)
    monkeypatch.setattr(shared_redis, "LONGEST_PAUSE", 60.0)
    monkeypatch.setattr(shared_redis, "_client", lambda url: urls.append(url) or client(url))
    rate_limiter = RateLimiter(parse_relay("smtp://h"))
    for _ in range(100):
        rate_limiter.admit(rows(1), now=NOW)
    assert urls == [settings_without_redis.REDIS_URL]


def test_a_domain_keeps_its_rate_without_redis(settings_without_redis):
    settings_without_redis.DOMAIN_RATES = {"gmail.com": 2.0}
    rate_limiter = RateLimiter(parse_relay("smtp://h?floor=50"))
    admission = rate_limiter.admit([SimulatedRow(n, f"r{n}@gmail.com") for n in range(10)], now=NOW)

    assert (len(admission.admitted), len(admission.throttled)) == (2, 8)
    assert all(when > NOW for _, when in admission.throttled)


def test_each_reader_at_a_slow_domain_has_their_own_turn_without_redis(settings_without_redis):
    settings_without_redis.DOMAIN_RATES = {"gmail.com": 20.0}
    readers = [f"r{n}@{'gmail.com' if n % 4 else f'd{n % 400}.org'}" for n in range(1000)]
    simulation = Simulation(parse_relay("smtp://h?connections=4&floor=400")).send(readers)

    assert simulation.rate("gmail.com", begin=3) == pytest.approx(20, rel=0.1)
    assert simulation.busiest("gmail.com", seconds=10) <= 260
    # A row is claimed once to be throttled, once to be sent, and seldom once more.
    assert max(simulation.claims.values()) <= 8
    assert simulation.claims_per_row < 3


def test_rows_beyond_the_relays_rate_use_none_of_their_domains_rate_without_redis(
    settings_without_redis,
):
    settings_without_redis.DOMAIN_RATES = {"gmail.com": 8.0}
    clock = [1000.0]
    rate_limiter = RateLimiter(parse_relay("smtp://h?floor=2"), clock=lambda: clock[0])
    gmail = [SimulatedRow(n, f"r{n}@gmail.com") for n in range(8)]
    first = rate_limiter.admit(gmail, now=NOW)
    clock[0] += 1
    second = rate_limiter.admit(gmail, now=NOW)

    assert (len(first.admitted), len(first.throttled), len(first.released)) == (2, 0, 6)
    assert (len(second.admitted), len(second.throttled), len(second.released)) == (2, 0, 6)


def test_a_warm_up_is_counted_by_the_ledger_without_redis(settings_without_redis):
    rate_limiter = RateLimiter(WARMING, count=lambda relay, day: 20)

    # Ten are left of the day, and two lanes may share them.
    assert len(rate_limiter.admit(rows(20), now=DAY).admitted) == 5
    second = rate_limiter.admit(rows(20), now=DAY)
    assert (len(second.admitted), second.is_full) == (0, True)


def test_lanes_share_their_rate_again_once_redis_is_back(settings_without_redis, settings, redis):
    rate_limiter = RateLimiter(parse_relay("smtp://h"))
    rate_limiter.admit(rows(5), now=NOW)
    settings.REDIS_URL = "unix://{path}?db={db}".format(**redis.connection_pool.connection_kwargs)
    shared_redis.reset_redis_for_tests()

    assert len(rate_limiter.admit(rows(20), now=NOW).admitted) == 20
    assert redis.exists("digest:rate:relay:h:25")


def test_the_script_is_loaded_again_after_redis_restarts(redis):
    rate_limiter = RateLimiter(parse_relay("smtp://h?rate=1000"))
    rate_limiter.admit(rows(1), now=NOW)
    redis.script_flush()
    redis.flushdb()
    time.sleep(0.01)

    assert len(rate_limiter.admit(rows(20), now=NOW).admitted) == 20


def test_an_outcome_is_noted_without_a_call_to_redis(monkeypatch):
    rate_limiter = RateLimiter(parse_relay("smtp://h"))
    monkeypatch.setattr(shared_redis, "run", None)

    for row in rows(20):
        rate_limiter.record_outcome(row, ACCEPTED)
