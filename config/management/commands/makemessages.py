"""Bring the catalogues in config/locale up to the sentences in the code: `make messages`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.commands import makemessages
from django.utils.translation import to_locale

# Where no reader looks.
IGNORED = [".*", "bench", "docs", "tests", "var", "templates/admin", "templates/mailbox"]
# Would change with each run, and tell nothing that the history does not know.
_DATES = ('"POT-Creation-Date:', '"PO-Revision-Date:')


class Command(makemessages.Command):
    help = __doc__

    # A guess from a similar sentence reads well and says something else: none is better.
    msgmerge_options = [*makemessages.Command.msgmerge_options, "--no-fuzzy-matching"]

    def handle(self, *args: Any, **options: Any) -> None:
        others = [to_locale(code) for code, _ in settings.LANGUAGES if code != "en"]
        options["locale"] = options["locale"] or others
        options["ignore_patterns"] += IGNORED
        # Line numbers, and where a line is broken, change with every other commit.
        options.update(no_wrap=True, add_location="file", no_obsolete=True)
        super().handle(*args, **options)

    def write_po_file(self, potfile: str, locale: str) -> None:
        super().write_po_file(potfile, locale)
        catalogue = Path(potfile).parent / locale / "LC_MESSAGES" / f"{self.domain}.po"
        lines = catalogue.read_text("utf-8").splitlines(keepends=True)
        catalogue.write_text("".join(x for x in lines if not x.startswith(_DATES)), "utf-8")
