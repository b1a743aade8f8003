"""Send an edition again to the readers to whom it failed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.timezone import now

from digest.delivery.planning.resend import CannotResend, ResendTooLate, resend_failed
from digest.models import Edition
from digest.tasks import start_lanes


class Command(BaseCommand):
    help = (
        "Send an edition again to the readers to whom it failed. Suppressed addresses are left "
        "out. After its deadline it is sent only with --hours."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("edition", metavar="ID", type=int, help="the edition's id")
        parser.add_argument(
            "--uncertain",
            action="store_true",
            help="also to the readers whose outcome stays unknown; some of them get a second copy",
        )
        parser.add_argument(
            "--hours",
            type=float,
            metavar="N",
            help="a new deadline, this many hours from now; the deadline never becomes earlier",
        )

    def handle(self, *, edition: int, uncertain: bool, hours: float | None, **options: Any) -> None:
        moment = now()
        try:
            new_deadline = moment + timedelta(hours=hours) if hours is not None else None
            result = resend_failed(
                actor="a command",
                edition_id=edition,
                include_uncertain=uncertain,
                new_deadline=new_deadline,
                now=moment,
            )
        except Edition.DoesNotExist:
            raise CommandError(f"There is no edition {edition}.") from None
        except (OverflowError, ValueError):
            raise CommandError(f"A deadline in {hours} hours is not possible.") from None
        except ResendTooLate as error:
            raise CommandError(f"Not sent again. {error} For example: --hours 2") from None
        except CannotResend as error:
            raise CommandError(f"Not sent again. {error}") from None
        start_lanes(edition)
        self.stdout.write(
            f"Due again: {result.failed} that had failed, {result.uncertain} uncertain. "
            f"Left out as suppressed: {result.left_out}. The workers do the rest."
        )
