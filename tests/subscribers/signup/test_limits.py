"""Sign-ups are limited per address, per network and overall, with Redis and without it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from subscribers.signup import abuse
from subscribers.signup.abuse import Attempt, ChallengeNeeded, challenge, limits
from subscribers.signup.abuse.buckets import PERIOD, LeakyBucket, LimitCheck, LocalBuckets
from subscribers.signup.abuse.form_token import new_form_token
from subscribers.signup.abuse.limits import PER_ADDRESS, SOLVED_FACTOR
from tests.factories import NOW
from tests.support.challenge_solver import solve

MINUTE = timedelta(minutes=1)


@pytest.fixture(params=["with Redis", "without Redis"])
def with_and_without_redis(request, monkeypatch):
    """Run each test with Redis, and without it, where each web server counts by itself."""
    monkeypatch.setattr(limits, "local_buckets", LocalBuckets())
    monkeypatch.setattr(challenge, "COST", 10)
    if request.param == "without Redis":
        request.getfixturevalue("no_redis")


pytestmark = pytest.mark.usefixtures("with_and_without_redis")


def judge(*, n=0, ip_address="192.0.2.1", now=NOW, **fields):
    """Judge the attempt of reader number `n`, who had the form open for a while."""
    fields = {"form_token": new_form_token(now - MINUTE)} | fields
    return abuse.judge(
        Attempt(**fields), address_key=f"{n}@example.com", ip_address=ip_address, now=now
    )


def is_accepted(**fields):
    try:
        return judge(**fields) is not None
    except ChallengeNeeded:
        return False


def ip_addresses():
    """Return IP addresses, each from a network of its own."""
    return (f"198.51.{n}.1" for n in range(256))


# --- Per address --------------------------------------------------------------------------------


def test_sign_ups_of_one_address_beyond_its_limit_are_dropped(settings):
    networks = ip_addresses()

    assert all(judge(ip_address=next(networks)) is not None for _ in range(PER_ADDRESS))
    assert judge(ip_address=next(networks)) is None
    assert judge(n=1, ip_address=next(networks)) is not None


def test_a_bucket_leaks_evenly():
    for _ in range(PER_ADDRESS):
        judge(ip_address=None)

    assert not is_accepted(ip_address=None, now=NOW + PERIOD / PER_ADDRESS / 2)
    assert is_accepted(ip_address=None, now=NOW + PERIOD / PER_ADDRESS)
    assert not is_accepted(ip_address=None, now=NOW + PERIOD / PER_ADDRESS)


def test_a_flood_for_one_address_does_not_use_up_the_overall_limit(settings):
    settings.SIGNUP_LIMIT = 2 * PER_ADDRESS
    for ip_address in ip_addresses():
        is_accepted(ip_address=ip_address)

    assert is_accepted(n=1)


# --- Per network --------------------------------------------------------------------------------


def test_a_network_beyond_its_limit_has_to_solve_a_challenge(settings):
    settings.SIGNUP_LIMIT_NETWORK = 3
    for n in range(3):
        assert is_accepted(n=n, ip_address=f"192.0.2.{n}")

    with pytest.raises(ChallengeNeeded) as needed:
        judge(n=3, ip_address="192.0.2.200")
    assert is_accepted(n=3, ip_address="192.0.3.1")
    assert is_accepted(n=3, ip_address="192.0.2.200", solution=solve(needed.value.challenge))


def test_a_network_that_solves_challenges_has_a_limit_too(settings):
    settings.SIGNUP_LIMIT_NETWORK = 1
    for n in range(SOLVED_FACTOR):
        assert judge(n=n, solution=solve(abuse.new_challenge(NOW))) is not None

    assert judge(n=99, solution=solve(abuse.new_challenge(NOW))) is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.250", True),
        ("192.0.2.1", "192.0.3.1", False),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", True),
        ("2001:db8:0:100::1", "2001:db8:0:200::1", False),
    ],
)
def test_a_network_is_the_address_block_that_one_party_holds(one, other, same):
    assert (abuse.network(one) == abuse.network(other)) is same


@pytest.mark.parametrize("ip_address", ["127.0.0.1", "172.17.0.1", "::1"])
def test_private_ip_addresses_have_no_network_limit(settings, ip_address):
    """Such an address may be a proxy's, and a limit would shut out all readers behind it."""
    settings.SIGNUP_LIMIT_NETWORK = 3

    assert all(is_accepted(n=n, ip_address=ip_address) for n in range(10))


def test_clients_whose_ip_address_is_unknown_have_the_limit_of_one_network(settings):
    settings.SIGNUP_LIMIT_NETWORK = 3
    accepted = [is_accepted(n=n, ip_address=None) for n in range(5)]

    assert accepted == [True] * 3 + [False] * 2
    assert is_accepted(n=6, ip_address="192.0.2.1")
    solved = solve(abuse.new_challenge(NOW))
    assert is_accepted(n=7, ip_address=None, solution=solved)


# --- Overall ------------------------------------------------------------------------------------


def test_every_reader_has_to_solve_a_challenge_near_the_overall_limit(settings):
    settings.SIGNUP_LIMIT = 10
    networks = ip_addresses()
    accepted = [is_accepted(n=n, ip_address=next(networks)) for n in range(20)]

    assert accepted == [True] * 8 + [False] * 12
    assert abuse.challenge_needed(NOW)
    # A challenge is needed a while later too, or bots would get in again at each calm moment.
    assert not is_accepted(n=21, ip_address=next(networks), now=NOW + 15 * MINUTE)
    solved = solve(abuse.new_challenge(NOW))
    assert is_accepted(n=21, ip_address=next(networks), solution=solved)


def test_mails_beyond_the_overall_limit_wait_and_sign_ups_far_beyond_it_are_dropped(settings):
    settings.SIGNUP_LIMIT = 10
    settings.SIGNUP_CHALLENGE = "never"
    networks = ip_addresses()
    delays = [judge(n=n, ip_address=next(networks)) for n in range(80)]

    assert delays[:10] == [timedelta(0)] * 10
    later = [round(delay / MINUTE) for delay in delays[10:70]]
    assert later == list(range(1, 61))
    assert delays[70:] == [None] * 10


def test_sign_ups_without_a_form_token_have_a_smaller_limit(settings, monkeypatch):
    monkeypatch.setattr(limits, "UNPROVEN_SHARE", 2 / settings.SIGNUP_LIMIT)
    networks = ip_addresses()
    accepted = [is_accepted(n=n, ip_address=next(networks), form_token="") for n in range(4)]

    assert accepted == [True, True, False, False]
    assert is_accepted(n=5, ip_address=next(networks))


def test_a_trusted_client_has_only_the_limits_per_address_and_overall(settings, monkeypatch):
    settings.SIGNUP_LIMIT = 40
    settings.SIGNUP_LIMIT_NETWORK = 1
    monkeypatch.setattr(limits, "UNPROVEN_SHARE", 1 / settings.SIGNUP_LIMIT)
    settings.SIGNUP_CHALLENGE = "always"
    trusted = {"form_token": "", "trusted": True}

    assert [judge(**trusted) is None for _ in range(PER_ADDRESS + 1)] == [False] * 20 + [True]
    delays = [judge(n=n, **trusted) for n in range(1, 30)]
    assert delays[0] == timedelta(0)
    assert delays[-1] > timedelta(0)


# --- Simultaneous sign-ups, and without Redis ---------------------------------------------------


def test_simultaneous_sign_ups_are_counted_one_by_one():
    check = LimitCheck([LeakyBucket("all", 50)], may_challenge=False)

    with ThreadPoolExecutor(8) as pool:
        decisions = list(pool.map(lambda _: limits.admit(check, now=NOW), range(200)))

    assert sum(decision.delay == timedelta(0) for decision in decisions) == 50


def test_the_local_limiter_keeps_a_bounded_number_of_buckets(monkeypatch):
    monkeypatch.setattr(LocalBuckets, "MAX_BUCKETS", 10)
    local_buckets, total = LocalBuckets(), LeakyBucket("all", 50)
    accepted = 0
    for n in range(100):
        check = LimitCheck([LeakyBucket(f"network:{n}", 1), total], may_challenge=False)
        accepted += local_buckets.admit(check, now=NOW).delay == timedelta(0)

    assert accepted == 50
    assert len(local_buckets._empty_at) == 10


def test_an_unreachable_redis_is_asked_once_and_not_for_every_sign_up(no_redis, caplog):
    for n in range(3):
        assert is_accepted(n=n)

    assert "Redis is unavailable; sign-ups are counted on this server alone" in caplog.text
