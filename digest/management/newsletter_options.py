"""Find the newsletter and the section that a command line names."""

from __future__ import annotations

from django.core.management.base import CommandError, CommandParser

from subscribers.models import Newsletter, Section


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument(
        "--newsletter", required=True, metavar="SLUG", help="the newsletter it belongs to"
    )
    parser.add_argument("--section", metavar="SLUG", help="the section of stories (default: none)")


def lookup(newsletter: str, section: str | None) -> tuple[Newsletter, Section | None]:
    """Return both by their slugs; a CommandError lists the slugs that exist."""
    owner = Newsletter.objects.filter(slug=newsletter).first()
    if owner is None:
        newsletters = [each.slug for each in Newsletter.objects.order_by("slug")]
        raise CommandError(f"There is no newsletter “{newsletter}”. {_there_are(newsletters)}")
    if not section:
        return owner, None
    found = owner.sections.filter(slug=section).first()
    if found is None:
        sections = [each.slug for each in owner.sections.all()]
        raise CommandError(f"{owner} has no section “{section}”. {_there_are(sections)}")
    return owner, found


def _there_are(slugs: list[str]) -> str:
    return f"There are: {', '.join(slugs)}." if slugs else "There is none yet."
