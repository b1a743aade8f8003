"""Ask whoever runs a command, and say which option answers where nobody can."""

from __future__ import annotations

from django.core.management.base import CommandError


def ask(question: str, *, or_else: str) -> str:
    """Return what the person, or the program before a pipe, answers.

    Raises:
        CommandError: there is nobody to answer; `or_else` is the sentence that says so.
    """
    try:
        return input(question).strip()
    except (EOFError, RuntimeError):  # standard input is at its end, or closed
        raise CommandError(or_else) from None
