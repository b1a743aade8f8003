"""Update the catalogues in config/locale from the strings in the code (`make messages`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.commands import makemessages
from django.utils.translation import to_locale

# Folders whose strings no reader sees.
IGNORED = [".*", "bench", "docs", "tests", "var", "templates/admin", "templates/mailbox"]
# These lines would change with each run, and say nothing that Git's history does not say.
_DATES = ('"POT-Creation-Date:', '"PO-Revision-Date:')


class Command(makemessages.Command):
    help = __doc__

    # gettext's guess from a similar sentence reads well but says something else; no text is better.
    msgmerge_options = [*makemessages.Command.msgmerge_options, "--no-fuzzy-matching"]

    def handle(self, *args: Any, **options: Any) -> None:
        others = [to_locale(code) for code, _ in settings.LANGUAGES if code != "en"]
        options["locale"] = options["locale"] or others
        options["ignore_patterns"] += IGNORED
        # Line numbers and line breaks are left out: they would change with every other commit.
        options.update(no_wrap=True, add_location="file", no_obsolete=True)
        super().handle(*args, **options)

    def write_po_file(self, potfile: str, locale: str) -> None:
        super().write_po_file(potfile, locale)
        catalogue = Path(potfile).parent / locale / "LC_MESSAGES" / f"{self.domain}.po"
        lines = catalogue.read_text("utf-8").splitlines(keepends=True)
        catalogue.write_text("".join(x for x in lines if not x.startswith(_DATES)), "utf-8")
