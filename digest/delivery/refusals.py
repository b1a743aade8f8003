"""Judge from a lane's latest answers whether the relay or a recipient's domain is hurried."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

from digest.delivery.replies import Outcome, Verdict

# One message of five put off: greylisting and a receiver's bad moment stay below.
SHARE = 0.2
LEAST = 3
# Standard deviations: of twenty answers eight, of two hundred fifty.
SURELY = 1.5
# So many answers are remembered; older ones count half.
MEMORY = 200
# How many answers of other domains it takes to tell the relay's fault from theirs.
ENOUGH = 5

# X.1 and X.2 of RFC 3463: the address, the mailbox. A full one says nothing about our rate.
_ONE_READER = re.compile(r"\d{3}[ -][245]\.[12]\.")


@dataclass(frozen=True)
class Blame:
    """Who is to be written to more slowly; each domain with its share of all answers."""

    relay: bool = False
    domains: dict[str, float] = field(default_factory=dict)


NOBODY = Blame()


class Refusals:
    """The answers of one lane's relay, by domain."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self.answers = 0
        self._answered: dict[str, int] = {}
        self._put_off: dict[str, int] = {}
        self._is_news = False

    def add(self, domain: str, outcome: Outcome) -> None:
        verdict = outcome.verdict
        if verdict in (Verdict.UNKNOWN, Verdict.NOT_SENT, Verdict.SENDERS_FAULT):
            return
        if verdict is Verdict.LATER and _ONE_READER.match(outcome.reply):
            return
        self.answers += 1
        self._answered[domain] = self._answered.get(domain, 0) + 1
        if verdict is Verdict.LATER:
            self._put_off[domain] = self._put_off.get(domain, 0) + 1
            self._is_news = True

    def judge(self) -> Blame:
        """Whom the answers since the last blame speak against; asked once a batch."""
        blame = self._blame() if self._is_news else NOBODY
        if blame is not NOBODY:
            self._forget()
        elif self.answers > MEMORY:
            self._fade()
        self._is_news = False
        return blame

    def _blame(self) -> Blame:
        suspects = {
            domain for domain, bad in self._put_off.items() if _is_much(bad, self._answered[domain])
        }
        others = sum(n for domain, n in self._answered.items() if domain not in suspects)
        bad = sum(n for domain, n in self._put_off.items() if domain not in suspects)
        # Where the rest fares no better, or there is no rest, it is not the domains' doing.
        if (_is_much(bad, others) and others >= ENOUGH) or (others < ENOUGH and len(suspects) > 2):
            return Blame(relay=True)
        if not suspects:
            return NOBODY
        return Blame(domains={name: self._answered[name] / self.answers for name in suspects})

    def _fade(self) -> None:
        self._answered = {name: n // 2 for name, n in self._answered.items() if n > 1}
        self._put_off = {name: n // 2 for name, n in self._put_off.items() if n > 1}
        self.answers = sum(self._answered.values())


def _is_much(bad: int, answered: int) -> bool:
    """Whether it is surely over the share: a few answers are no proof, unless all say the same."""
    deviation = math.sqrt(bad * (answered - bad) / answered) if answered else 0.0
    return bad >= LEAST and bad - SURELY * deviation >= SHARE * answered
