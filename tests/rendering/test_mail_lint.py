"""html-validate finds no error, and caniemail nothing that is not known (tests/mail-lint)."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import factories
from tests.rendering.pages import full_edition, message_to

pytestmark = pytest.mark.django_db

LINT = Path(__file__).resolve().parent.parent / "mail-lint"

# An old Node that cannot run them is for the check that installs them to notice.
if not (shutil.which("node") and (LINT / "node_modules").is_dir()):
    pytest.skip(
        "html-validate and caniemail are not installed; with npm: npm ci --prefix tests/mail-lint",
        allow_module_level=True,
    )


@pytest.mark.parametrize("language", ["en", "ar"])
def test_mail_clients_are_asked_for_nothing_new(tmp_path, settings, language):
    settings.SITE_URL = "https://news.example.com"
    page = tmp_path / "body.html"
    edition = full_edition(factories.newsletter(language=language))
    page.write_text(message_to(edition).part("html"))

    # MAIL_LINT=--baseline accepts what is found, after a look at its diff.
    option = [os.environ["MAIL_LINT"]] if "MAIL_LINT" in os.environ else []
    found = subprocess.run(
        ["node", "lint.mjs", *option, str(page)], cwd=LINT, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stdout + found.stderr
