"""Report each setting that would refuse everybody, purge too early, or have no effect."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error

from digest.ranking import embedding

# Equal to signed_links.CONFIRM_WITHIN, which cannot be imported before Django is set up.
CONFIRM_LINK_HOURS = 72
# A hundred years; no date is that much before another that can be written.
MOST_DAYS = 36_500
# What hstspreload.org asks for, a year, and ten of them.
PRELOAD_SECONDS, MOST_HSTS_SECONDS = 31_536_000, 315_360_000
_DOMAIN = re.compile(
    r"(?=.{4,253}$)((?!-)[a-z0-9-]{1,63}+(?<!-)\.)++(?=[a-z])[a-z0-9-]{1,63}+(?<!-)", re.I
)
# A name or an address, also in brackets; in ALLOWED_HOSTS * and .example.com have a meaning.
_HOST = re.compile(r"\*|\.?[\w-]++(\.[\w-]++)*+\.?|\[[0-9a-f:.]+\]|[0-9a-f]*:[0-9a-f:.]+", re.I)
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
# Settings that switch something off at 0.
MAY_BE_ZERO = {"AUDIENCE_GUARD_PERCENT", "EXTRA_EDITIONS_PER_DAY"}
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
    yield from _range_problems()
    yield from _place_problems()
    yield from _pending_problems()
    yield from _retention_problems()
    yield from _hsts_problems()
    yield from embedding_problems()
    yield from _former_variables()


def _range_problems() -> Iterator[CheckMessage]:
    values = {
        "API_TOKEN_RATE": settings.API_TOKEN_RATE,
        "API_PUBLIC_RATE": settings.API_PUBLIC_RATE,
        "IMPORT_MAX_MB": settings.IMPORT_MAX_BYTES // 1024**2,
        "AUDIENCE_GUARD_PERCENT": settings.AUDIENCE_GUARD_PERCENT,
        "EXTRA_EDITIONS_PER_DAY": settings.EXTRA_EDITIONS_PER_DAY,
    }
    for name, value in values.items():
        least = 0 if name in MAY_BE_ZERO else 1
        if value < least:
            hint = f"Set it to a number from {least} on, or remove it."
            yield Error(f"{name} is {value}, which is out of range.", hint=hint, id="daybreak.E042")


def _place_problems() -> Iterator[CheckMessage]:
    """Yield what is no host, address or folder where one is expected, or more than that."""
    domain = settings.MAIL_DOMAIN
    if domain and not _DOMAIN.fullmatch(domain):
        hint = "Write a domain alone, in ASCII, such as news.example.com."
        yield _error("MAIL_DOMAIN", "which is no domain that mail can come from", hint, 43)
    site = urlsplit(settings.SITE_URL)
    if site.hostname and (site.path or site.query or site.fragment or site.username is not None):
        hint = f"Write the scheme and the host alone: {site.scheme}://{site.hostname}."
        yield Error("SITE_URL holds more than a host.", hint=hint, id="daybreak.E044")
    for name in ("ALLOWED_HOSTS", "FETCH_ALLOW_HOSTS", "WEBHOOK_ALLOW_HOSTS"):
        for host in getattr(settings, name):
            if host and not _HOST.fullmatch(host):
                hint = "Write host names or addresses alone, with no scheme, port, path or blank."
                yield Error(
                    f"{name} holds {host!r}, which is no host and matches nothing.",
                    hint=hint,
                    id="daybreak.E045",
                )
    if not Path(settings.MEDIA_ROOT).is_absolute():
        yield Error(
            f"FILES_DIR is {settings.MEDIA_ROOT}, which each process looks for in its own folder.",
            hint="Write the whole path, beginning with a slash.",
            id="daybreak.E047",
        )
    if urlsplit(settings.REDIS_URL).scheme not in {"redis", "rediss", "unix"}:
        hint = "Begin it with redis://, or with rediss:// or unix://."
        yield Error("REDIS_URL is no address of a Redis.", hint=hint, id="daybreak.E046")


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


def embedding_problems() -> Iterator[CheckMessage]:
    """Yield what keeps EVENT_EMBEDDING from being imported; importing it takes 70 MB or more."""
    path = settings.EVENT_EMBEDDING
    module, _, name = path.rpartition(".")
    package = embedding.PACKAGES.get(path)
    if not path:
        return
    if package and not _can_be_imported(package):
        hint = "Run pip install -r requirements-events.txt, or remove it."
        yield _error("EVENT_EMBEDDING", f"which needs the package {package}", hint, 48)
    elif not _can_be_imported(module) or (
        module == embedding.__name__ and not hasattr(embedding, name)
    ):
        hint = (
            "Write the dotted path of a function that returns an embedding, such as "
            "digest.ranking.embedding.nano_e5, and install the package that it is in."
        )
        yield _error("EVENT_EMBEDDING", "which cannot be imported", hint, 48)


def _can_be_imported(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False


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
