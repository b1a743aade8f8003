"""Read a posted sign-up form, from our pages or somebody else's, and show it again if refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.timezone import now
from django.utils.translation import gettext

from subscribers.addresses.address import BadAddress, normalise
from subscribers.signup.abuse import (
    Attempt,
    ChallengeNeeded,
    SentTooQuickly,
    challenge_needed,
    new_challenge,
    new_form_token,
)

# Keeps a megabyte out of the error page. Whether an address is too long is decided in `addresses`.
MAX_FIELD_LENGTH = 1_000


@dataclass(frozen=True)
class FormState:
    """What the form's fields hold, and what is said beside them."""

    email: str = ""
    error: str = ""
    # The address that was probably meant, and whether the one that was typed is accepted, too.
    suggestion: str = ""
    may_keep: bool = False
    # The challenge that the browser has to solve, if there is one.
    challenge: dict[str, Any] | None = None
    form_token: str = ""
    # Nothing is wrong with the address: the same form is accepted when it is sent once more.
    press_again: bool = False


def new_form() -> FormState:
    """Return an empty form, with a challenge if there has to be one."""
    return FormState(form_token=new_form_token(now()), challenge=_challenge())


def refused_form(
    request: HttpRequest, error: BadAddress | ChallengeNeeded | SentTooQuickly, *, busy: str
) -> FormState:
    """Return the form with what was typed, and what has to be done; `busy` asks for a challenge."""
    email = email_of(request)
    # The form token stays the same: with a new one, a quick correction would come too early.
    form_token = request.POST.get("opened", "")
    if isinstance(error, ChallengeNeeded):
        return FormState(
            email, busy, challenge=error.challenge, form_token=form_token, press_again=True
        )
    if isinstance(error, SentTooQuickly):
        return FormState(
            email,
            press_once_more(),
            may_keep=attempt_of(request).address_confirmed,
            challenge=_challenge(),
            form_token=error.form_token,
            press_again=True,
        )
    return FormState(
        email,
        gettext(str(error)),
        suggestion=error.suggestion,
        may_keep=error.may_insist,
        challenge=_challenge(),
        form_token=form_token,
    )


def press_once_more() -> str:
    """Return what a reader is told who was as quick as a program."""
    return gettext("That was quick. Please press the button once more: it keeps robots out.")


def _challenge() -> dict[str, Any] | None:
    return new_challenge(now()) if challenge_needed(now()) else None


def email_of(request: HttpRequest) -> str:
    """Return the address, or the correction of it that the reader chose."""
    return (request.POST.get("use") or request.POST.get("email", ""))[:MAX_FIELD_LENGTH].strip()


def mended(typed: str) -> str:
    """Return the address that was read in what the reader typed, if that is another; else "".

    Capital letters make no other address.
    """
    address = normalise(typed)
    return "" if address.casefold() == typed.casefold() else address


def read_as(address: str) -> str:
    """Return the sentence that says which address was read in what the reader typed."""
    return gettext("We have read the address as %(email)s.") % {"email": address}


def attempt_of(request: HttpRequest) -> Attempt:
    """Return what the other fields say; the field `sure` holds an address the reader insists on."""
    fields = request.POST
    email = email_of(request)
    return Attempt(
        honeypot=fields.get("website", ""),
        form_token=fields.get("opened", ""),
        solution=fields.get("solution", ""),
        address_confirmed=bool(email) and fields.get("sure", "").strip() == email,
    )
