"""A 4yz is blamed on whom it speaks against: the relay, a domain, or nobody's rate."""

import random

import pytest

from digest.delivery.refusals import MEMORY, Refusals
from digest.delivery.replies import Outcome, Verdict

OK = Outcome(Verdict.ACCEPTED, "250 ok")
LATER = Outcome(Verdict.LATER, "451 4.7.1 too fast")


def judged(*answers):
    refusals = Refusals()
    for domain, outcome, count in answers:
        for _ in range(count):
            refusals.add(domain, outcome)
    return refusals.judge()


def test_a_domain_that_puts_its_readers_off_is_blamed_and_the_relay_is_not():
    blame = judged(("slow.org", LATER, 8), ("slow.org", OK, 2), ("other.org", OK, 10))

    assert blame.domains == {"slow.org": 0.5}
    assert not blame.relay


def test_two_such_domains_are_no_fault_of_the_relay():
    blame = judged(
        ("a.org", LATER, 8), ("b.org", LATER, 8), *((f"{n}.org", OK, 1) for n in range(9))
    )

    assert (set(blame.domains), blame.relay) == ({"a.org", "b.org"}, False)


def test_refusals_all_over_are_the_relays():
    blame = judged(("a.org", LATER, 5), *((f"{n}.org", LATER, 1) for n in range(10)))

    assert (blame.domains, blame.relay) == ({}, True)


def test_a_few_refusals_among_many_are_nobodys():
    chance = random.Random(3)  # noqa: S311
    for _ in range(50):
        refusals = Refusals()
        for _batch in range(20):
            for n in range(20):
                refusals.add(f"d{n}.org", LATER if chance.random() < 0.1 else OK)
            assert not refusals.judge().relay


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(Verdict.LATER, "452 4.2.2 mailbox full"),
        Outcome(Verdict.LATER, "450 4.1.8 sender's domain not found"),
        Outcome(Verdict.UNKNOWN, "timed out"),
        Outcome(Verdict.NOT_SENT, "421 too many messages on this connection"),
        Outcome(Verdict.SENDERS_FAULT, "550 5.7.1 policy"),
        Outcome(Verdict.REFUSED, "550 5.5.0 no"),
    ],
)
def test_what_says_nothing_about_the_rate_is_no_refusal(outcome):
    blame = judged(("a.org", outcome, 20))

    assert (blame.domains, blame.relay) == ({}, False)


def test_what_was_blamed_once_is_not_blamed_again():
    refusals = Refusals()
    for _ in range(5):
        refusals.add("a.org", LATER)

    assert refusals.judge().domains == {"a.org": 1.0}
    refusals.add("a.org", OK)
    assert not refusals.judge().domains


def test_old_answers_fade():
    refusals = Refusals()
    for n in range(MEMORY * 50):
        refusals.add(f"d{n}.org", OK)
        refusals.judge()

    assert refusals.answers <= MEMORY + 1
