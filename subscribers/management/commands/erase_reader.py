"""Erase a reader from the command line."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.timezone import now

from subscribers.addresses.address import BadAddress, normalise
from subscribers.management.questions import ask
from subscribers.privacy.erasure import erase_address


class Command(BaseCommand):
    help = (
        "Erase the reader with this address: the person and their consent records are deleted. A "
        "keyed hash of the address stays, so that no import adds them again. This cannot be "
        "undone."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address", help="the reader's address")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *, address: str, yes: bool, **options: Any) -> None:
        try:
            email = normalise(address)
        except BadAddress as error:
            raise CommandError(str(error)) from None
        if not yes:
            unasked = "Nothing was erased: nobody can answer here. Add --yes to erase unasked."
            if ask(f"Erase {email}? Write yes: ", or_else=unasked).lower() != "yes":
                raise CommandError("Nothing was erased.")
        if erase_address(email=email, now=now()):
            self.stdout.write(f"{email} is erased.")
        else:
            self.stdout.write(
                f"There is no reader with the address {email}. Imports leave it out from now on."
            )
