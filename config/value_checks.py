"""Report each setting that would refuse everybody, purge too early, or have no effect."""

from __future__ import annotations

import os
from collections.abc import Iterator

from django.conf import settings
from django.core.checks import CheckMessage, Error

# Equal to signed_links.CONFIRM_WITHIN, which cannot be imported before Django is set up.
CONFIRM_LINK_HOURS = 72
# A hundred years; no date is that much before another that can be written.
MOST_DAYS = 36_500
# What hstspreload.org asks for, a year, and ten of them.
PRELOAD_SECONDS, MOST_HSTS_SECONDS = 31_536_000, 315_360_000
CHOICES = {
    "SIGNUP_CHALLENGE": ("auto", "always", "never"),
    "SIGNUP_DISPOSABLE": ("allow", "warn", "refuse"),
    "SIGNUP_ROLE_ACCOUNTS": ("allow", "warn", "refuse"),
    "SIGNUP_MIXED_SCRIPTS": ("allow", "warn", "refuse"),
}
# Earlier names of variables. A variable under its earlier name would have no effect: readers whose
# data is to be kept permanently would be erased after the default number of days.
RENAMED = {
    "LANES_GIVE_WAY": "LANE_SCHED_BATCH",
    "RETENTION_LEFT_DAYS": "RETENTION_INACTIVE_DAYS",
}
# Variables that are settings no more. What they set is fixed now.
REMOVED = {
    "AUDIENCE_GUARD_FROM": "Below 50 readers no edition is held for their number.",
    "AUDIENCE_GUARD_MIN_READERS": "Below 50 readers no edition is held for their number.",
    "RETENTION_LETTER_DAYS": "Requests are purged after a day, changes of address after 14.",
    "RETENTION_REQUEST_DAYS": "Requests are purged after a day, changes of address after 14.",
    "SIGNUP_LIMIT_UNPROVEN": "A fifth of SIGNUP_LIMIT may come without a form token.",
    "SIGNUP_MIN_SECONDS": "A form that comes back within two seconds was sent by a program.",
}


def invalid_values() -> Iterator[CheckMessage]:
    for name in ("SIGNUP_LIMIT", "SIGNUP_LIMIT_NETWORK"):
        if getattr(settings, name) < 1:
            yield _error(
                name, "which refuses every sign-up", "Set it to 1 or more, or remove it.", 20
            )
    for name, choices in CHOICES.items():
        if getattr(settings, name) not in choices:
            yield _error(name, "which is not a known value", f"Set it to {_either(choices)}.", 22)
    yield from _pending_problems()
    yield from _retention_problems()
    yield from _hsts_problems()
    yield from _former_variables()


def _pending_problems() -> Iterator[CheckMessage]:
    if settings.REMINDER_HOURS < 0:
        hint = "Set it to a number of hours, or to 0 to send no reminder."
        yield _error("REMINDER_HOURS", "which is before the sign-up", hint, 23)
        return
    # The link in a reminder is valid for as long as the first one.
    confirm_hours = settings.REMINDER_HOURS + CONFIRM_LINK_HOURS
    if settings.PENDING_DAYS > MOST_DAYS:
        hint = f"Set it to {MOST_DAYS} days or less."
        yield _error("PENDING_DAYS", "which is out of range", hint, 24)
    if confirm_hours >= settings.PENDING_DAYS * 24:
        min_days = confirm_hours // 24 + 1
        hint = f"Set it to {min_days} days or more, with REMINDER_HOURS={settings.REMINDER_HOURS}."
        but = "which is shorter than the time that readers have to confirm"
        yield _error("PENDING_DAYS", but, hint, 24)


def _retention_problems() -> Iterator[CheckMessage]:
    for name in ("NETWORK", "INACTIVE", "IMPORT", "WEBHOOK"):
        if not 0 <= getattr(settings, f"RETENTION_{name}_DAYS") <= MOST_DAYS:
            hint = f"Set it to 1 to {MOST_DAYS} days, or to 0 to keep the data permanently."
            yield _error(f"RETENTION_{name}_DAYS", "which is out of range", hint, 25)


def _hsts_problems() -> Iterator[CheckMessage]:
    seconds = settings.SECURE_HSTS_SECONDS
    if not 0 <= seconds <= MOST_HSTS_SECONDS:
        yield Error(
            f"HSTS_SECONDS is {seconds}, which is out of range.",
            hint=f"Set it to 1 to {MOST_HSTS_SECONDS} seconds, or to 0 to send no such header.",
            id="daybreak.E040",
        )
    is_listed = seconds >= PRELOAD_SECONDS and settings.SECURE_HSTS_INCLUDE_SUBDOMAINS
    if settings.SECURE_HSTS_PRELOAD and seconds and not is_listed:
        yield Error(
            "HSTS_PRELOAD is true, which has no effect: no browser lists such a site.",
            hint=f"Set HSTS_INCLUDE_SUBDOMAINS=true and HSTS_SECONDS={PRELOAD_SECONDS} or more, or "
            "remove HSTS_PRELOAD.",
            id="daybreak.E041",
        )


def _former_variables() -> Iterator[CheckMessage]:
    for old, new in RENAMED.items():
        if old in os.environ:
            hint = f"Name it {new} in the environment or in .env."
            yield Error(f"{old} is called {new} now.", hint=hint, id="daybreak.E026")
    for name, instead in REMOVED.items():
        if name in os.environ:
            hint = f"Remove it from the environment or from .env. {instead}"
            yield Error(f"{name} is not a setting any more.", hint=hint, id="daybreak.E027")


def _either(choices: tuple[str, ...]) -> str:
    return f"{', '.join(choices[:-1])} or {choices[-1]}"


def _error(name: str, problem: str, hint: str, number: int) -> CheckMessage:
    return Error(
        f"{name} is {getattr(settings, name)}, {problem}.", hint=hint, id=f"daybreak.E{number:03}"
    )
