"""Write an edition's mail to files, as a reader would get it."""

from __future__ import annotations

from argparse import ArgumentParser
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import now

from digest.models import Edition
from digest.rendering import preview
from digest.rendering.freeze import PageTooLong
from digest.rendering.headers import UnsafeHeader
from digest.rendering.placeholders import BrokenPage


class Command(BaseCommand):
    help = "Write body.html, body.txt and message.eml of an edition, as a reader would get it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("edition_id", type=int, metavar="ID", help="the edition's id")
        parser.add_argument("directory", type=Path, metavar="DIR", help="made if it is missing")

    def handle(self, *args: Any, edition_id: int, directory: Path, **options: Any) -> None:
        edition = Edition.objects.select_related("newsletter").filter(pk=edition_id).first()
        if edition is None:
            raise CommandError(f"There is no edition {edition_id}.")
        try:
            files = {
                "body.html": preview.sample_html(edition).encode(),
                "body.txt": preview.sample_text(edition).encode(),
                "message.eml": preview.sample_message(edition, now=now()),
            }
        except (PageTooLong, UnsafeHeader, BrokenPage) as error:
            raise CommandError(f"Edition {edition_id} cannot be sent as it is: {error}") from error
        try:
            directory.mkdir(parents=True, exist_ok=True)
            for name, content in files.items():
                _write(directory / name, content)
        except OSError as error:
            raise CommandError(f"Cannot write to {directory}: {error.strerror}.") from error
        for name in files:
            self.stdout.write(str(directory / name))


def _write(path: Path, content: bytes) -> None:
    """Write the file, or none at all."""
    try:
        path.write_bytes(content)
    except OSError:
        with suppress(OSError):
            path.unlink()
        raise
