"""Stop an edition in mid-send from the command line."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.timezone import now

from digest.editions.decide.stop import NotSending, stop_sending
from digest.models import Edition


class Command(BaseCommand):
    help = (
        "Hold an edition that is being sent: at most the messages that are on the wire still go "
        "out. When it is approved again, corrected or unchanged, it is sent to the readers who "
        "are left."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("edition", metavar="ID", type=int, help="the edition's id")
        parser.add_argument(
            "--why", default="", help="a note for the editors, who get a mail about it"
        )

    def handle(self, *, edition: int, why: str, **options: Any) -> None:
        try:
            stop_sending(edition_id=edition, detail=why, actor="a command", now=now())
        except Edition.DoesNotExist:
            raise CommandError(f"There is no edition {edition}.") from None
        except NotSending as error:
            raise CommandError(f"Not stopped. {error}") from None
        self.stdout.write(
            "Stopped. Correct it in the admin, or resume it unchanged with: "
            f"manage.py approve_edition {edition}"
        )
