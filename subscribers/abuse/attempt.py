"""Judge one attempt to sign up: a person, a program, or somebody who must show more."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from subscribers.abuse import limits
from subscribers.abuse.buckets import Answer, Asked, Door
from subscribers.abuse.challenge import new_challenge, solved_id
from subscribers.abuse.opened import Opened, read_opened

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Attempt:
    """What a way in knows about who signs up, beside the address and the origin."""

    # The honeypot: a field that people do not see. Anything in it, and nothing is stored.
    trap: str = ""
    # The `opened_token` that was put into the form when it was shown; empty where no form was.
    # Without one only few get in (SIGNUP_LIMIT_UNPROVEN), the others need a solution.
    opened: str = ""
    # The ALTCHA payload (base64) that solves a `new_challenge`.
    solution: str = ""
    # A client of ours, such as an API token with the scope: needs no form and no challenge. The
    # limits per address and over all hold for it too.
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
    """Whether forms that are shown now should bring a challenge along."""
    if settings.SIGNUP_CHALLENGE == "auto":
        return limits.under_attack(now)
    return bool(settings.SIGNUP_CHALLENGE == "always")


def judge(
    attempt: Attempt,
    *,
    address_key: str,
    ip_address: str | None,
    door: Door = Door.SIGN_UP,
    now: datetime,
) -> timedelta | None:
    """Tell after how long a mail may go out; None means: the same answer, and nothing else.

    Nothing here depends on whether the address is known. Each door has limits of its own.

    Raises:
        ChallengeNeeded
    """
    if attempt.trusted:
        trusted = [limits.address_bucket(address_key, door), limits.over_all(door)]
        return _verdict(limits.ask(Asked(trusted, may_challenge=False), now=now), may_ask=False)
    opened = read_opened(attempt.opened, now=now)
    if attempt.trap or opened is Opened.TOO_QUICK:
        logger.info("Sign-up left out: %s", "honeypot" if attempt.trap else "sent back at once")
        return None
    solved = solved_id(attempt.solution, now=now)
    if settings.SIGNUP_CHALLENGE == "always" and not solved:
        raise ChallengeNeeded(new_challenge(now))
    may_ask = settings.SIGNUP_CHALLENGE != "never"
    buckets = limits.buckets(
        address_key=address_key,
        ip_address=ip_address,
        solved=bool(solved),
        proven=bool(solved) or opened is Opened.LONG_ENOUGH,
        door=door,
    )
    asked = Asked(buckets, solved=solved, may_challenge=may_ask)
    try:
        return _verdict(limits.ask(asked, now=now), may_ask=may_ask and not solved)
    except _Challenge:
        raise ChallengeNeeded(new_challenge(now)) from None


class _Challenge(Exception):
    """A challenge is due."""


def _verdict(answer: Answer, *, may_ask: bool) -> timedelta | None:
    """A limit per address ends a flood in silence; before the others a person can show more."""
    if answer.verdict == "go":
        return answer.delay
    logger.info("Sign-up not let in: %s", answer.limit.partition(":")[0] or answer.verdict)
    if answer.verdict in ("challenge", "replayed"):
        raise _Challenge
    if may_ask and not answer.limit.startswith("address:"):
        raise _Challenge
    return None
