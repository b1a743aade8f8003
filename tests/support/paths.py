"""Folders that tests read files from or start processes in."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data"
# Checks of mails by npm packages; .ci/checks/mail-lint installs them.
MAIL_LINT = ROOT / "tests" / "mail-lint"
