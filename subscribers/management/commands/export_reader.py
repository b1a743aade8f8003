"""Write out everything that is stored about one reader."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from subscribers.addresses.address import compare_key
from subscribers.models import Subscriber
from subscribers.privacy import data_export


class Command(BaseCommand):
    help = "Print everything that is stored about the reader at an address, as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address", help="the reader's address")

    def handle(self, *, address: str, **options: Any) -> None:
        reader = Subscriber.objects.filter(email_key=compare_key(address)).first()
        if reader is None:
            raise CommandError(f"There is no reader with the address {address}.")
        exported = data_export.export(subscriber_id=reader.pk)
        self.stdout.write(json.dumps(exported, indent=2, ensure_ascii=False))
