"""Approve an edition from the command line."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.timezone import now

from digest.editions.approve import NotApprovable, approve
from digest.editions.audience import accept_audience
from digest.models import Edition


class Command(BaseCommand):
    help = "Approve an edition as it stands; any later change of what it shows voids that."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("edition", metavar="ID", type=int, help="the edition's id")
        parser.add_argument(
            "--audience",
            type=int,
            metavar="READERS",
            help="say yes to so many readers, where it is held for an unusual number of them",
        )

    def handle(self, *, edition: int, audience: int | None, **options: Any) -> None:
        moment = now()
        if audience is not None:
            if not 0 < audience < 2**31:
                raise CommandError(f"Not approved. {audience} is no number of readers.")
            accept_audience(edition_id=edition, count=audience)
        try:
            approved = approve(edition_id=edition, now=moment)
        except Edition.DoesNotExist:
            raise CommandError(f"There is no edition {edition}.") from None
        except NotApprovable as error:
            raise CommandError(f"Not approved. {error}{_hint(error)}") from None
        if approved.sends_at <= moment:
            self.stdout.write("Approved. Its send time has come, so it goes out at once.")
            return
        sends_at = approved.sends_at.astimezone(approved.newsletter.zone)
        self.stdout.write(
            f"Approved. It goes out at {sends_at:%H:%M on %-d %B %Y (%Z)}, "
            f"or now with: manage.py send_edition {edition}"
        )


def _hint(error: NotApprovable) -> str:
    """Tell how to accept an unusual number of readers."""
    is_unusual = any(problem.code == "audience" for problem in error.problems)
    return " If that is right, say so: --audience and that number." if is_unusual else ""
