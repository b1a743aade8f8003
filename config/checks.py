"""Report what is unsafe about a deployment, each with an id (`manage.py check --deploy`).

Without DEBUG the same errors stop the web server, the workers and every command: nothing starts on
unsafe defaults.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.checks import Warning as CheckWarning
from django.db import DatabaseError, connection

from config import value_checks
from config.env_file_checks import env_file_warnings
from digest.ranking import embedding
from subscribers.mail.backends import make_backend
from subscribers.mail.relays import Relay

MINIMUM_KEY_LENGTH = 50
MINIMUM_POSTGRES = 150_000
# Python's email package folds a header token of 78 characters or more into an encoded-word, which
# breaks List-Unsubscribe. So <SITE_URL/u/TOKEN> may have 74 characters, brackets included. TOKEN is
# a signature of 22 characters and an id in base62; 6 digits are enough for 56 billion ids.
MAX_SITE_URL_LENGTH = 74 - len("<>") - len("/u/") - 22 - 6
LOCAL_HOSTS = ("localhost", "127.0.0.1", "0.0.0.0", "::1", "")  # noqa: S104 (compared, not bound)
# For gunicorn this status means "the worker cannot boot": it ends instead of trying forever.
EXIT_STATUS = 3
# Commands that an operator runs to learn of these errors, or in a build that has no secrets yet.
COMMANDS_ALLOWED = {"check", "help", "version", "--help", "-h", "--version", "collectstatic"}


def refuse_unsafe_command(argv: list[str]) -> None:
    """Refuse an unsafe start for each command of manage.py except COMMANDS_ALLOWED and help."""
    is_help = len(argv) < 2 or not {"--help", "-h"}.isdisjoint(argv)
    if not is_help and argv[1] not in COMMANDS_ALLOWED:
        _refuse()  # Django prints the warnings before each command


def refuse_unsafe_start(**_: Any) -> None:
    """Print the errors and end a server if there are any, and else the warnings.

    With DEBUG do nothing.
    """
    if settings.DEBUG:
        return
    _refuse()
    for warning in env_file_warnings():
        sys.stderr.write(f"{warning.id}: {warning.msg} {warning.hint}\n")


def _refuse() -> None:
    if settings.DEBUG:
        return
    if errors := list(unsafe_settings()):
        lines = ["Daybreak does not start with unsafe settings:"]
        lines += [f"{error.id}: {error.msg} {error.hint}" for error in errors]
        lines.append("On a developer's machine set DEBUG=true.")
        sys.stderr.write("\n".join([*lines, ""]))
        raise SystemExit(EXIT_STATUS)


@register("daybreak")
def check_settings(**_: Any) -> list[CheckMessage]:
    """Check the settings with every command; with DEBUG the development defaults are allowed."""
    errors = value_checks.invalid_values() if settings.DEBUG else unsafe_settings()
    return [*errors, *env_file_warnings()]


@register("daybreak", deploy=True)
def check_deployment(**_: Any) -> list[CheckMessage]:
    """Check with `check --deploy` what check_settings left out: relays, static files and so on."""
    return [
        *(unsafe_settings() if settings.DEBUG else ()),
        *_relay_warnings(),
        *_static_file_problems(),
        *_database_problems(),
        *_embedding_faults(),
    ]


def unsafe_settings() -> Iterator[CheckMessage]:
    """Yield what is unsafe about the settings; no service is contacted."""
    yield from _core_problems()
    yield from _address_problems()
    yield from _missing_variables()
    yield from value_checks.invalid_values()


def _core_problems() -> Iterator[CheckMessage]:
    key = os.environ.get("SECRET_KEY", "")
    if len(key) < MINIMUM_KEY_LENGTH or len(set(key)) < 5:
        yield Error(
            "SECRET_KEY is missing or easy to guess." if key else "SECRET_KEY is missing.",
            hint="Set it to 50 random characters or more: every link in a mail is signed with it.",
            id="daybreak.E001",
        )
    if settings.DEBUG:
        yield Error(
            "DEBUG is on.",
            hint="Set DEBUG=false: with DEBUG anybody can read the settings and every mail.",
            id="daybreak.E002",
        )


def _address_problems() -> Iterator[CheckMessage]:
    site = urlsplit(settings.SITE_URL)
    if site.scheme != "https" or (site.hostname or "") in LOCAL_HOSTS:
        yield Error(
            f"SITE_URL is {settings.SITE_URL}, which readers cannot reach safely.",
            hint="Set it to the public address, such as https://news.example.com.",
            id="daybreak.E003",
        )
    if len(settings.SITE_URL) > MAX_SITE_URL_LENGTH:
        yield Error(
            f"SITE_URL is {len(settings.SITE_URL)} characters long, so unsubscribe links are too "
            "long for their header, List-Unsubscribe.",
            hint=f"Use an address of {MAX_SITE_URL_LENGTH} characters or fewer.",
            id="daybreak.E010",
        )


def _missing_variables() -> Iterator[CheckMessage]:
    for name, number, hint in (
        ("DATABASE_URL", 4, "Set it to a PostgreSQL: postgres://user:password@host/name."),
        ("REDIS_URL", 7, "Set it to a Redis: redis://host:6379/0."),
        ("EMAIL_RELAYS", 8, "Set it to your mail relay: smtp+starttls://user:password@host:587."),
        ("MAIL_DOMAIN", 9, "Set it to the domain that mail comes from: news.example.com."),
        ("POSTAL_ADDRESS", 11, "The law asks for the sender's postal address in each mail."),
    ):
        if not os.environ.get(name):
            yield Error(f"{name} is missing.", hint=hint, id=f"daybreak.E{number:03}")
    engine = settings.DATABASES["default"]["ENGINE"]
    if os.environ.get("DATABASE_URL") and engine != "django.db.backends.postgresql":
        yield Error(
            "DATABASE_URL does not name a PostgreSQL.",
            hint="The ledger of deliveries needs SKIP LOCKED: postgres://user:password@host/name.",
            id="daybreak.E005",
        )


def _relay_warnings() -> Iterator[CheckMessage]:
    """Yield what is odd about the relays; an operator may have a reason, so it stops nothing."""
    relays = settings.EMAIL_RELAYS
    for relay in relays:
        is_open = not (relay.tls or relay.starttls or relay.backend)
        if is_open and relay.password and relay.host not in LOCAL_HOSTS:
            yield CheckWarning(
                f"The relay {relay.name} gets its password over an unencrypted connection.",
                hint="Begin its URL with smtp+starttls:// or smtps://.",
                id="daybreak.W001",
            )
    for relay in relays:
        if relay.backend:
            yield from _backend_problems(relay)
    if all(relay.warmup for relay in relays):
        yield CheckWarning(
            "Every relay is warming up: readers above the day's limit wait until the next day.",
            hint="Add a relay that takes the rest; weight=0 keeps it for that.",
            id="daybreak.W002",
        )


def _backend_problems(relay: Relay) -> Iterator[CheckMessage]:
    try:
        make_backend(relay, timeout=settings.EMAIL_TIMEOUT)
    except Exception as error:  # a backend may raise anything about its settings
        yield Error(
            f"The relay {relay.name} cannot be used: {type(error).__name__}.",
            hint="docs/delivery.md says what each ESP's URL needs, and which package.",
            id="daybreak.E013",
        )


def _static_file_problems() -> Iterator[CheckMessage]:
    if not settings.DEBUG and not (settings.STATIC_ROOT / "staticfiles.json").exists():
        yield Error(
            "The static files are not collected, and without them no page is shown.",
            hint="Run manage.py collectstatic.",
            id="daybreak.E028",
        )


def _embedding_faults() -> Iterator[CheckMessage]:
    """Yield what goes wrong when the embedding is used, which check_settings does not try."""
    if not settings.EVENT_EMBEDDING or list(value_checks.embedding_problems()):
        return
    try:
        embedding.try_out(embedding.load(settings.EVENT_EMBEDDING))
    except Exception as error:  # an embedding is not ours, and may raise anything
        yield Error(
            f"EVENT_EMBEDDING is {settings.EVENT_EMBEDDING}, which makes no vector of a sentence.",
            hint=f"{type(error).__name__}: {error}",
            id="daybreak.E049",
        )


def _database_problems() -> Iterator[CheckMessage]:
    if connection.vendor != "postgresql":
        return
    try:
        connection.ensure_connection()
        version = connection.connection.info.server_version
    except DatabaseError as error:
        yield Error(
            "The database does not answer.",
            hint=str(error).strip().splitlines()[0],
            id="daybreak.E012",
        )
        return
    if version < MINIMUM_POSTGRES:
        yield Error(
            f"The database is PostgreSQL {version // 10_000}.",
            hint="Daybreak needs PostgreSQL 15 or newer.",
            id="daybreak.E006",
        )
