"""Read a posted sign-up form, from one of our pages or from somebody else's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from subscribers.signup.abuse import Attempt

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


def email_of(request: HttpRequest) -> str:
    """Return the address, or the correction of it that the reader chose."""
    return (request.POST.get("use") or request.POST.get("email", ""))[:MAX_FIELD_LENGTH].strip()


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
