"""Judge one attempt to sign up: a person, a program, or somebody who must show more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from subscribers.abuse.challenge import new_challenge, solved
from subscribers.abuse.opened import Opened, read_opened


@dataclass(frozen=True)
class Attempt:
    """What a way in knows about who signs up, beside the address and the origin."""

    # The honeypot: a field that people do not see. Anything in it, and nothing is stored.
    trap: str = ""
    # The `opened_token` that was put into the form when it was shown; empty where no form was.
    opened: str = ""
    # The ALTCHA payload (base64) that solves a `new_challenge`.
    solution: str = ""
    # A client of ours, such as an API token with the scope: needs no form and no challenge. The
    # limits per address hold for it too.
    trusted: bool = False
    # The reader was asked about this address ("Did you mean …?", BadAddress.may_insist) and
    # insists.
    sure: bool = False


class ChallengeNeeded(Exception):
    """Not without a solved challenge; `challenge` is a fresh one, ready to be sent as JSON."""

    def __init__(self, challenge: dict[str, Any]) -> None:
        super().__init__("sign-up needs a solved challenge")
        self.challenge = challenge


def challenge_needed(now: datetime) -> bool:
    """Whether forms that are shown now should bring a challenge along (under attack)."""
    return False


def judge(attempt: Attempt, *, now: datetime) -> bool:
    """Tell whether to go on; False means: the same answer, and nothing else.

    Raises:
        ChallengeNeeded
    """
    if attempt.trusted:
        return True
    if attempt.trap or read_opened(attempt.opened, now=now) is Opened.TOO_QUICK:
        return False
    if challenge_needed(now) and not solved(attempt.solution, now=now):
        raise ChallengeNeeded(new_challenge(now))
    return True
