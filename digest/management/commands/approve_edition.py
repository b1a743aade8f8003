"""Approve an edition from the command line."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.timezone import now

from digest.editions.decide.approve import NotApprovable, approve
from digest.editions.decide.audience import accept_audience
from digest.models import Edition


class Command(BaseCommand):
    help = "Approve an edition as it is; any later change of its content voids the approval."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("edition", metavar="ID", type=int, help="the edition's id")
        parser.add_argument(
            "--audience",
            type=int,
            metavar="READERS",
            help="accept this number of readers, if the number is unusual",
        )

    def handle(self, *, edition: int, audience: int | None, **options: Any) -> None:
        moment = now()
        if audience is not None:
            if not 0 < audience < 2**31:
                raise CommandError(f"Not approved. {audience} is not a number of readers.")
            accept_audience(edition_id=edition, count=audience)
        try:
            approved = approve(edition_id=edition, actor="a command", now=moment)
        except Edition.DoesNotExist:
            raise CommandError(f"There is no edition {edition}.") from None
        except NotApprovable as error:
            raise CommandError(f"Not approved. {error}{_hint(error)}") from None
        if approved.sends_at <= moment:
            self.stdout.write("Approved. Its send time has come, so it goes out now.")
            return
        sends_at = approved.sends_at.astimezone(approved.newsletter.zone)
        self.stdout.write(
            f"Approved. It goes out at {sends_at:%H:%M on %-d %B %Y (%Z)}, "
            f"or now with: manage.py send_edition {edition}"
        )


def _hint(error: NotApprovable) -> str:
    """Tell how to accept an unusual number of readers."""
    is_unusual = any(problem.code == "audience" for problem in error.problems)
    return " If the number is right, accept it with --audience." if is_unusual else ""
