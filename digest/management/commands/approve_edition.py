"""Approve an edition from the command line."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.timezone import now

from digest.editions.approve import NotApprovable, approve
from digest.models import Edition


class Command(BaseCommand):
    help = "Approve an edition as it stands; any later change of what it shows voids that."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("edition", metavar="ID", type=int, help="the edition's id")

    def handle(self, *, edition: int, **options: Any) -> None:
        moment = now()
        try:
            approved = approve(edition_id=edition, now=moment)
        except Edition.DoesNotExist:
            raise CommandError(f"There is no edition {edition}.") from None
        except NotApprovable as refused:
            raise CommandError(f"Not approved. {refused}") from None
        if approved.sends_at <= moment:
            self.stdout.write("Approved. Its send time has come, so it goes out at once.")
            return
        sends_at = approved.sends_at.astimezone(approved.newsletter.zone)
        self.stdout.write(
            f"Approved. It goes out at {sends_at:%H:%M on %-d %B %Y (%Z)}, "
            f"or now with: manage.py send_edition {edition}"
        )
