"""How many may sign up: by address, by network and over all, with Redis and without it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from subscribers import abuse, commons
from subscribers.abuse import Attempt, ChallengeNeeded, challenge, limits
from subscribers.abuse.buckets import WINDOW, Alone, Asked, Bucket
from subscribers.abuse.limits import PER_ADDRESS, SOLVED_FACTOR
from subscribers.abuse.opened import opened_token
from tests.factories import NOW
from tests.subscribers.solving import solve

MINUTE = timedelta(minutes=1)


@pytest.fixture(params=["with Redis", "without Redis"])
def anywhere(request, settings, monkeypatch):
    """The limits hold in either case; without Redis for each web server by itself."""
    monkeypatch.setattr(limits, "alone", Alone())
    monkeypatch.setattr(challenge, "COST", 10)
    if request.param == "without Redis":
        settings.REDIS_URL = "unix:///nowhere/redis.sock"
    commons.forget()
    yield
    commons.forget()


pytestmark = pytest.mark.usefixtures("anywhere")


def judge(*, n=0, ip_address="192.0.2.1", now=NOW, **fields):
    """Judge the attempt of reader number `n`, who had the form open for a while."""
    fields = {"opened": opened_token(now - MINUTE)} | fields
    return abuse.judge(
        Attempt(**fields), address_key=f"{n}@example.com", ip_address=ip_address, now=now
    )


def let_in(**fields):
    try:
        return judge(**fields) is not None
    except ChallengeNeeded:
        return False


def addresses():
    """One from a new network each time."""
    return (f"198.51.{n}.1" for n in range(256))


# --- By address ---------------------------------------------------------------------------------


def test_one_address_is_taken_so_often_and_then_nothing_happens(settings):
    networks = addresses()

    assert all(judge(ip_address=next(networks)) is not None for _ in range(PER_ADDRESS))
    assert judge(ip_address=next(networks)) is None
    assert judge(n=1, ip_address=next(networks)) is not None


def test_a_bucket_leaks_evenly():
    for _ in range(PER_ADDRESS):
        judge(ip_address=None)

    assert not let_in(ip_address=None, now=NOW + WINDOW / PER_ADDRESS / 2)
    assert let_in(ip_address=None, now=NOW + WINDOW / PER_ADDRESS)
    assert not let_in(ip_address=None, now=NOW + WINDOW / PER_ADDRESS)


def test_a_flood_for_one_address_takes_nothing_from_the_others(settings):
    settings.SIGNUP_LIMIT = 2 * PER_ADDRESS
    for ip_address in addresses():
        let_in(ip_address=ip_address)

    assert let_in(n=1)


# --- By network ---------------------------------------------------------------------------------


def test_a_network_beyond_its_share_has_to_solve_a_challenge(settings):
    settings.SIGNUP_LIMIT_NETWORK = 3
    for n in range(3):
        assert let_in(n=n, ip_address=f"192.0.2.{n}")

    with pytest.raises(ChallengeNeeded) as needed:
        judge(n=3, ip_address="192.0.2.200")
    assert let_in(n=3, ip_address="192.0.3.1")
    assert let_in(n=3, ip_address="192.0.2.200", solution=solve(needed.value.challenge))


def test_also_with_challenges_a_network_has_a_limit(settings):
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
def test_a_network_is_what_one_party_holds(one, other, same):
    assert (abuse.network(one) == abuse.network(other)) is same


@pytest.mark.parametrize("ip_address", ["127.0.0.1", "172.17.0.1", "::1", None])
def test_a_proxy_that_is_taken_for_the_reader_does_not_close_the_door(settings, ip_address):
    settings.SIGNUP_LIMIT_NETWORK = 3

    assert all(let_in(n=n, ip_address=ip_address) for n in range(10))


# --- Over all -----------------------------------------------------------------------------------


def test_near_the_limit_over_all_everybody_has_to_solve_a_challenge(settings):
    settings.SIGNUP_LIMIT = 10
    networks = addresses()
    taken = [let_in(n=n, ip_address=next(networks)) for n in range(20)]

    assert taken == [True] * 8 + [False] * 12
    assert abuse.challenge_needed(NOW)
    # A while later too, or bots would be let in again each time it is calm.
    assert not let_in(n=21, ip_address=next(networks), now=NOW + 15 * MINUTE)
    solved = solve(abuse.new_challenge(NOW))
    assert let_in(n=21, ip_address=next(networks), solution=solved)


def test_beyond_the_limit_mails_wait_their_turn_and_far_beyond_nobody_gets_in(settings):
    settings.SIGNUP_LIMIT = 10
    settings.SIGNUP_CHALLENGE = "never"
    networks = addresses()
    delays = [judge(n=n, ip_address=next(networks)) for n in range(80)]

    assert delays[:10] == [timedelta(0)] * 10
    later = [round(delay / MINUTE) for delay in delays[10:70]]
    assert later == list(range(1, 61))
    assert delays[70:] == [None] * 10


def test_those_who_were_shown_no_form_have_a_smaller_limit(settings):
    settings.SIGNUP_LIMIT_UNPROVEN = 2
    networks = addresses()
    taken = [let_in(n=n, ip_address=next(networks), opened="") for n in range(4)]

    assert taken == [True, True, False, False]
    assert let_in(n=5, ip_address=next(networks))


def test_a_client_of_ours_is_held_to_the_limits_per_address_and_over_all(settings):
    settings.SIGNUP_LIMIT = 40
    settings.SIGNUP_LIMIT_NETWORK = settings.SIGNUP_LIMIT_UNPROVEN = 1
    settings.SIGNUP_CHALLENGE = "always"
    trusted = {"opened": "", "trusted": True}

    assert [judge(**trusted) is None for _ in range(PER_ADDRESS + 1)] == [False] * 20 + [True]
    delays = [judge(n=n, **trusted) for n in range(1, 30)]
    assert delays[0] == timedelta(0)
    assert delays[-1] > timedelta(0)


# --- At once, and alone -------------------------------------------------------------------------


def test_many_at_once_are_counted_one_by_one():
    asked = Asked([Bucket("all", 50)], may_challenge=False)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: limits.ask(asked, now=NOW), range(200)))

    assert sum(answer.delay == timedelta(0) for answer in answers) == 50


def test_a_process_alone_keeps_no_more_than_so_much(monkeypatch):
    monkeypatch.setattr(Alone, "MOST", 10)
    alone, over_all = Alone(), Bucket("all", 50)
    taken = 0
    for n in range(100):
        asked = Asked([Bucket(f"network:{n}", 1), over_all], may_challenge=False)
        taken += alone.ask(asked, now=NOW).delay == timedelta(0)

    assert taken == 50
    assert len(alone._empty_at) == 10


def test_a_redis_that_is_gone_is_asked_once_and_not_by_every_reader(settings, caplog):
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    commons.forget()
    for n in range(3):
        assert let_in(n=n)

    assert "counted on this server alone while Redis is away" in caplog.text
