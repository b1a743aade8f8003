"""Read a posted sign-up form, whichever of our pages or another's it stood on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from subscribers.abuse import Attempt

# Keeps a megabyte out of the error page; what is too long for an address, `addresses` says.
LONGEST = 1_000


@dataclass(frozen=True)
class Entry:
    """What stands in the form, and what is said beside it."""

    email: str = ""
    error: str = ""
    # The address that was probably meant, and whether the one that stands there is taken too.
    suggestion: str = ""
    may_insist: bool = False
    # For the browser to solve, where one is asked for.
    challenge: dict[str, Any] | None = None


def email_of(request: HttpRequest) -> str:
    """The address, or the correction of it that the reader chose."""
    return (request.POST.get("use") or request.POST.get("email", ""))[:LONGEST].strip()


def attempt_of(request: HttpRequest) -> Attempt:
    """What the form's other fields say; `sure` holds the address that the reader insists on."""
    fields = request.POST
    email = email_of(request)
    return Attempt(
        trap=fields.get("website", ""),
        opened=fields.get("opened", ""),
        solution=fields.get("solution", ""),
        sure=bool(email) and fields.get("sure", "").strip() == email,
    )
