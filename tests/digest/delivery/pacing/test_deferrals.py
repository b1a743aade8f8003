"""A 4yz counts against the rate of the relay or of a domain, or against none."""

import random

import pytest

from digest.delivery.pacing.deferrals import MEMORY, DeferralTracker
from digest.delivery.transport.replies import SendOutcome, Verdict

OK = SendOutcome(Verdict.ACCEPTED, "250 ok")
DEFERRED = SendOutcome(Verdict.DEFERRED, "451 4.7.1 too fast")


def slow_down_after(*answers):
    deferrals = DeferralTracker()
    for domain, outcome, count in answers:
        for _ in range(count):
            deferrals.add(domain, outcome)
    return deferrals.slow_down()


def test_a_domain_that_defers_its_readers_is_slowed_down_and_the_relay_is_not():
    slow_down = slow_down_after(
        ("slow.org", DEFERRED, 8), ("slow.org", OK, 2), ("other.org", OK, 10)
    )

    assert slow_down.domains == {"slow.org": 0.5}
    assert not slow_down.relay


def test_two_domains_that_defer_do_not_slow_down_the_relay():
    slow_down = slow_down_after(
        ("a.org", DEFERRED, 8), ("b.org", DEFERRED, 8), *((f"{n}.org", OK, 1) for n in range(9))
    )

    assert (set(slow_down.domains), slow_down.relay) == ({"a.org", "b.org"}, False)


def test_deferrals_at_many_domains_slow_down_the_relay():
    slow_down = slow_down_after(
        ("a.org", DEFERRED, 5), *((f"{n}.org", DEFERRED, 1) for n in range(10))
    )

    assert (slow_down.domains, slow_down.relay) == ({}, True)


def test_a_few_deferrals_among_many_answers_slow_down_nobody():
    rng = random.Random(3)  # noqa: S311
    for _ in range(50):
        deferrals = DeferralTracker()
        for _batch in range(20):
            for n in range(20):
                deferrals.add(f"d{n}.org", DEFERRED if rng.random() < 0.1 else OK)
            assert not deferrals.slow_down().relay


@pytest.mark.parametrize(
    "outcome",
    [
        SendOutcome(Verdict.DEFERRED, "452 4.2.2 mailbox full"),
        SendOutcome(Verdict.DEFERRED, "450 4.1.8 sender's domain not found"),
        SendOutcome(Verdict.UNKNOWN, "timed out"),
        SendOutcome(Verdict.NOT_SENT, "421 too many messages on this connection"),
        SendOutcome(Verdict.SENDERS_FAULT, "550 5.7.1 policy"),
        SendOutcome(Verdict.REFUSED, "550 5.5.0 no"),
    ],
)
def test_an_answer_that_says_nothing_about_the_rate_is_no_deferral(outcome):
    slow_down = slow_down_after(("a.org", outcome, 20))

    assert (slow_down.domains, slow_down.relay) == ({}, False)


def test_a_deferral_that_slowed_down_a_domain_does_not_count_again():
    deferrals = DeferralTracker()
    for _ in range(5):
        deferrals.add("a.org", DEFERRED)

    assert deferrals.slow_down().domains == {"a.org": 1.0}
    deferrals.add("a.org", OK)
    assert not deferrals.slow_down().domains


def test_old_answers_count_less():
    deferrals = DeferralTracker()
    for n in range(MEMORY * 50):
        deferrals.add(f"d{n}.org", OK)
        deferrals.slow_down()

    assert deferrals.answers <= MEMORY + 1
