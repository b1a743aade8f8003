"""Draft an edition from the command line."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.timezone import now

from digest.editions.draft.draft import DayIsOver, draft_edition
from digest.models import Cadence
from subscribers.models import Newsletter


class Command(BaseCommand):
    help = (
        "Draft an edition of a newsletter and print its id. If its slot has an edition already, "
        "the id of that one is printed. Without --date, the next slot of the newsletter's "
        "schedules is used."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("newsletter", metavar="SLUG", help="the newsletter's slug")
        parser.add_argument(
            "--date",
            type=_day,
            metavar="YYYY-MM-DD",
            help="the edition's date in the newsroom's time zone",
        )
        parser.add_argument(
            "--weekly", action="store_true", help="the best of the week, for weekly readers"
        )

    def handle(self, *, newsletter: str, date: date | None, weekly: bool, **options: Any) -> None:
        try:
            edition = draft_edition(
                newsletter=Newsletter.objects.get(slug=newsletter),
                date=date,
                cadence=Cadence.WEEKLY if weekly else Cadence.DAILY,
                now=now(),
            )
        except Newsletter.DoesNotExist:
            raise CommandError(f"There is no newsletter “{newsletter}”.") from None
        except DayIsOver as error:
            raise CommandError(str(error)) from None
        self.stdout.write(str(edition.pk))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"“{text}” is not a date like 2026-03-10") from None
