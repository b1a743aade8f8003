"""Judge one attempt to sign up: let it in, drop it, or ask for it once more."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from subscribers.signup.abuse import limits
from subscribers.signup.abuse.buckets import Decision, LimitCheck, Purpose
from subscribers.signup.abuse.challenge import new_challenge, solved_id
from subscribers.signup.abuse.form_token import FormAge, accepted_form_token, read_form_token

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Attempt:
    """What an entry point knows about a sign-up, beside the address and the origin."""

    # The honeypot: a field that people do not see. If it holds anything, nothing is stored.
    honeypot: str = ""
    # The form token (`new_form_token`) that was put into the form when it was shown. It is empty if
    # there was no form. Only a few sign-ups without one get in (limits.UNPROVEN_SHARE); the others
    # need a solved challenge.
    form_token: str = ""
    # The ALTCHA payload (base64) that solves a `new_challenge`.
    solution: str = ""
    # The client is one of ours, such as an API token with the scope. It needs no form and no
    # challenge, but the limit per address and the total limit hold for it too.
    trusted: bool = False
    # The reader was asked about this address ("Did you mean …?", BadAddress.may_insist) and has
    # confirmed that it is right.
    address_confirmed: bool = False


class ChallengeNeeded(Exception):
    """Sign-up needs a solved challenge; `challenge` is a fresh one, ready to be sent as JSON."""

    def __init__(self, challenge: dict[str, Any]) -> None:
        super().__init__("sign-up needs a solved challenge")
        self.challenge = challenge


class SentTooQuickly(Exception):
    """A person or a program sent the form at once; with `form_token` it is accepted."""

    def __init__(self, form_token: str) -> None:
        super().__init__("the form has to be sent once more")
        self.form_token = form_token


def challenge_needed(now: datetime) -> bool:
    """Return whether a form that is shown now should come with a challenge."""
    if settings.SIGNUP_CHALLENGE == "auto":
        return limits.under_attack(now)
    return bool(settings.SIGNUP_CHALLENGE == "always")


def judge(
    attempt: Attempt,
    *,
    address_key: str,
    ip_address: str | None,
    purpose: Purpose = Purpose.SIGN_UP,
    now: datetime,
) -> timedelta | None:
    """Return how long the mail has to wait, or None if no mail may be sent.

    The client gets the same answer in both cases. Nothing here depends on whether the address is
    known. Each purpose has limits of its own.

    Raises:
        ChallengeNeeded, SentTooQuickly: the client is asked to send the form once more.
    """
    if attempt.trusted:
        trusted = [limits.address_bucket(address_key, purpose), limits.total_bucket(purpose)]
        check = LimitCheck(trusted, may_challenge=False)
        return _delay(limits.admit(check, now=now), may_challenge=False)
    if attempt.honeypot:
        logger.info("Sign-up dropped: honeypot")
        return None
    form_age = read_form_token(attempt.form_token, now=now)
    if form_age is FormAge.TOO_QUICK:
        # A reader with autofill can be as quick. Only a filled honeypot shows that it is nobody.
        logger.info("Sign-up asked for once more: sent too quickly")
        raise SentTooQuickly(accepted_form_token(now))
    solved = solved_id(attempt.solution, now=now)
    if settings.SIGNUP_CHALLENGE == "always" and not solved:
        raise ChallengeNeeded(new_challenge(now))
    may_challenge = settings.SIGNUP_CHALLENGE != "never"
    buckets = limits.client_buckets(
        address_key=address_key,
        ip_address=ip_address,
        solved=bool(solved),
        proven=bool(solved) or form_age is FormAge.LONG_ENOUGH,
        purpose=purpose,
    )
    check = LimitCheck(buckets, solved=solved, may_challenge=may_challenge)
    try:
        return _delay(limits.admit(check, now=now), may_challenge=may_challenge and not solved)
    except _Challenge:
        raise ChallengeNeeded(new_challenge(now)) from None


class _Challenge(Exception):
    """A challenge is due."""


def _delay(decision: Decision, *, may_challenge: bool) -> timedelta | None:
    """Return the delay of an admitted sign-up, or None; or raise _Challenge.

    The limit per address ends a flood silently. At the other limits a person can still solve a
    challenge.
    """
    if decision.verdict == "go":
        return decision.delay
    logger.info("Sign-up refused: %s", decision.limit.partition(":")[0] or decision.verdict)
    if decision.verdict in ("challenge", "replayed"):
        raise _Challenge
    if may_challenge and not decision.limit.startswith("address:"):
        raise _Challenge
    return None
