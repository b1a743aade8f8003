"""Report each setting that would refuse everybody, or purge them before they can confirm."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.core.checks import CheckMessage, Error

# Nobody should have to wait longer than this before sending a form of one line.
MAX_SIGNUP_MIN_SECONDS = 60
# Equal to signed_links.CONFIRM_WITHIN, which cannot be imported before Django is set up.
CONFIRM_LINK_HOURS = 72
CHOICES = {
    "SIGNUP_CHALLENGE": ("auto", "always", "never"),
    "SIGNUP_DISPOSABLE": ("allow", "warn", "refuse"),
    "SIGNUP_ROLE_ACCOUNTS": ("allow", "warn", "refuse"),
    "SIGNUP_MIXED_SCRIPTS": ("allow", "warn", "refuse"),
}


def invalid_values() -> Iterator[CheckMessage]:
    for name in ("SIGNUP_LIMIT", "SIGNUP_LIMIT_NETWORK", "SIGNUP_LIMIT_UNPROVEN"):
        if getattr(settings, name) < 1:
            yield _error(name, "which lets nobody in", "Set it to 1 or more; or remove it.", 20)
    if not 0 <= settings.SIGNUP_MIN_SECONDS <= MAX_SIGNUP_MIN_SECONDS:
        hint = f"Set it to a number of seconds from 0 to {MAX_SIGNUP_MIN_SECONDS}."
        yield _error("SIGNUP_MIN_SECONDS", "which no reader keeps to", hint, 21)
    for name, choices in CHOICES.items():
        if getattr(settings, name) not in choices:
            yield _error(name, "which means nothing", f"Set it to {_either(choices)}.", 22)
    yield from _pending_problems()
    yield from _retention_problems()


def _pending_problems() -> Iterator[CheckMessage]:
    if settings.REMINDER_HOURS < 0:
        hint = "Set it to a number of hours, or to 0: nobody is reminded."
        yield _error("REMINDER_HOURS", "before the sign-up", hint, 23)
        return
    # The link in a reminder is valid for as long as the first one.
    confirm_hours = settings.REMINDER_HOURS + CONFIRM_LINK_HOURS
    if confirm_hours >= settings.PENDING_DAYS * 24:
        min_days = confirm_hours // 24 + 1
        hint = f"Set it to {min_days} days or more, with REMINDER_HOURS={settings.REMINDER_HOURS}."
        yield _error("PENDING_DAYS", "and readers have longer than that to confirm", hint, 24)


def _retention_problems() -> Iterator[CheckMessage]:
    for name in ("NETWORK", "INACTIVE", "IMPORT", "REQUEST", "WEBHOOK"):
        if getattr(settings, f"RETENTION_{name}_DAYS") < 0:
            hint = "Set it to a number of days, or to 0: it is kept for good."
            yield _error(f"RETENTION_{name}_DAYS", "so that things go before they come", hint, 25)


def _either(choices: tuple[str, ...]) -> str:
    return f"{', '.join(choices[:-1])} or {choices[-1]}"


def _error(name: str, problem: str, hint: str, number: int) -> CheckMessage:
    return Error(
        f"{name} is {getattr(settings, name)}, {problem}.", hint=hint, id=f"daybreak.E{number:03}"
    )
