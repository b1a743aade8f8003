"""Warn of a .env that others may read, and of variables that Daybreak does not know."""

from __future__ import annotations

import grp
import os
import pwd
import re
import stat
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from django.core.checks import CheckMessage
from django.core.checks import Warning as CheckWarning

from config import paths
from config.environment import Environment
from config.value_checks import REMOVED, RENAMED

# What other parts of the project, compose.yaml and gunicorn read.
_OTHER_SETTINGS = {
    "DATABASE_URL", "DAYBREAK_VAR", "PORT", "POSTGRES_PASSWORD", "TMPDIR", "WEB_CONCURRENCY",
}  # fmt: skip
# What Python, libpq and other programs read.
_NOT_OURS = re.compile(
    r"(PG|PYTHON|DJANGO_|GUNICORN_|CELERY_|COMPOSE_|DOCKER_|LC_|SSL_|MALLOC_|FAULT_)\w*"
    r"|TZ|LANG|LANGUAGE|PATH|HOME|USER|TERM|(NO|FORCE)_COLOR|(HTTPS?|NO|ALL)_PROXY"
)
# A line as django-environ reads it.
_LINE = re.compile(r"(?:export )?([A-Za-z_0-9]+)=.*")
# From this likeness on, a variable of the environment is taken for a misspelt setting, and one in
# .env for a slip worth naming.
_MISSPELT, _SIMILAR = 0.9, 0.6


def env_file_warnings() -> Iterator[CheckMessage]:
    """Yield what is odd about .env and the environment; it stops nothing."""
    names, unreadable = _names_and_unreadable(paths.ENV_FILE)
    yield from _permissions(paths.ENV_FILE)
    for number in unreadable:
        yield CheckWarning(
            f"Line {number} of {paths.ENV_FILE} is not read.",
            hint="Write NAME=value, with no blank before or after the equals sign.",
            id="daybreak.W011",
        )
    for name in sorted(names | _misspelt(os.environ.keys() - names)):
        if not _is_known(name):
            nearest = _nearest(name, _SIMILAR)
            yield CheckWarning(
                f"{name} is no setting of Daybreak, which does not read it.",
                hint=f"Did you mean {nearest}?" if nearest else "Remove it if nobody reads it.",
                id="daybreak.W010",
            )


def _names_and_unreadable(file: Path) -> tuple[set[str], list[int]]:
    """Return the names that the file sets, and the numbers of the lines that are not read."""
    try:
        lines = file.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        return set(), []
    names, unreadable = set(), []
    for number, line in enumerate(lines, start=1):
        if found := _LINE.fullmatch(line):
            names.add(found[1])
        elif line.strip() and not line.startswith("#"):
            unreadable.append(number)
    return names, unreadable


def _settings() -> set[str]:
    return Environment.names | _OTHER_SETTINGS


def _is_known(name: str) -> bool:
    return bool(name in _settings() | RENAMED.keys() | REMOVED.keys() or _NOT_OURS.fullmatch(name))


def _misspelt(names: set[str]) -> set[str]:
    """Return those names in the environment, where much is other programs', that look like ours."""
    return {name for name in names if not _is_known(name) and _nearest(name, _MISSPELT)}


def _nearest(name: str, least: float) -> str:
    found = get_close_matches(name.upper(), sorted(_settings()), n=1, cutoff=least)
    return found[0] if found else ""


def _permissions(file: Path) -> Iterator[CheckMessage]:
    try:
        state = file.stat()
    except OSError:
        return
    if who := _others_allowed(state):
        yield CheckWarning(
            f"{file} holds passwords and keys, and {who}.",
            hint=f"chmod 600 {file}",
            id="daybreak.W012",
        )


def _others_allowed(state: os.stat_result) -> str:
    """Return what people other than its owner may do to the file, or "".

    A group that is one user's own, such as the account of a service, may read it.
    """
    mode = state.st_mode
    if mode & (stat.S_IWOTH | stat.S_IWGRP):
        return "other people may change it"
    if mode & stat.S_IROTH or (mode & stat.S_IRGRP and not _is_private_group(state.st_gid)):
        return "other people may read it"
    return ""


def _is_private_group(gid: int) -> bool:
    try:
        group = grp.getgrgid(gid)
        return pwd.getpwnam(group.gr_name).pw_gid == gid and {*group.gr_mem} <= {group.gr_name}
    except KeyError:
        return False
