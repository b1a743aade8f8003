"""Decide from a lane's latest answers whether the relay or a recipient domain defers too much."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

from digest.delivery.transport.replies import SendOutcome, Verdict

# The share of deferred messages that means "too fast": one of five. Greylisting and a receiver's
# short trouble stay below it.
SHARE = 0.2
MIN_DEFERRED = 3
# How many standard deviations the share must be above SHARE: of twenty answers eight must be
# deferred, of two hundred answers fifty.
DEVIATIONS = 1.5
# How many answers are remembered. Older ones count half.
MEMORY = 200
# How many answers of other domains are needed to tell a fault of the relay from one of the domains.
MIN_OTHER_ANSWERS = 5

# Subjects X.1 and X.2 of RFC 3463: the address and the mailbox. A full mailbox says nothing about
# our rate.
_ONE_READER = re.compile(r"\d{3}[ -][245]\.[12]\.")


@dataclass(frozen=True)
class SlowDown:
    """Whether to slow down the relay, and which domains; each with its share of all answers."""

    relay: bool = False
    domains: dict[str, float] = field(default_factory=dict)


NO_SLOW_DOWN = SlowDown()


class DeferralTracker:
    """Counts the answers of one lane's relay, by recipient domain."""

    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self.answers = 0
        self._answered: dict[str, int] = {}
        self._deferred: dict[str, int] = {}
        self._has_new_deferral = False

    def add(self, domain: str, outcome: SendOutcome) -> None:
        verdict = outcome.verdict
        if verdict in (Verdict.UNKNOWN, Verdict.NOT_SENT, Verdict.SENDERS_FAULT):
            return
        if verdict is Verdict.DEFERRED and _ONE_READER.match(outcome.reply):
            return
        self.answers += 1
        self._answered[domain] = self._answered.get(domain, 0) + 1
        if verdict is Verdict.DEFERRED:
            self._deferred[domain] = self._deferred.get(domain, 0) + 1
            self._has_new_deferral = True

    def slow_down(self) -> SlowDown:
        """Decide from the answers since the last slow-down; call it once per window."""
        slow_down = self._find_slow_down() if self._has_new_deferral else NO_SLOW_DOWN
        if slow_down is not NO_SLOW_DOWN:
            self._reset()
        elif self.answers > MEMORY:
            self._halve()
        self._has_new_deferral = False
        return slow_down

    def _find_slow_down(self) -> SlowDown:
        suspects = {
            name for name, n in self._deferred.items() if _is_too_many(n, self._answered[name])
        }
        others = sum(n for name, n in self._answered.items() if name not in suspects)
        deferred = sum(n for name, n in self._deferred.items() if name not in suspects)
        # The relay is at fault if the other domains are deferred as often, or are too few.
        if (_is_too_many(deferred, others) and others >= MIN_OTHER_ANSWERS) or (
            others < MIN_OTHER_ANSWERS and len(suspects) > 2
        ):
            return SlowDown(relay=True)
        if not suspects:
            return NO_SLOW_DOWN
        return SlowDown(domains={name: self._answered[name] / self.answers for name in suspects})

    def _halve(self) -> None:
        self._answered = {name: n // 2 for name, n in self._answered.items() if n > 1}
        self._deferred = {name: n // 2 for name, n in self._deferred.items() if n > 1}
        self.answers = sum(self._answered.values())


def _is_too_many(deferred: int, answered: int) -> bool:
    """Whether the share is certainly above SHARE; a few answers prove it only if all agree."""
    deviation = math.sqrt(deferred * (answered - deferred) / answered) if answered else 0.0
    return deferred >= MIN_DEFERRED and deferred - DEVIATIONS * deviation >= SHARE * answered
