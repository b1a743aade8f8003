"""Sign-up mails use no more features of mail clients than the digest does (tests/mail-lint)."""

import subprocess

import pytest
from django.core import mail

from subscribers.signup import confirmation_mail
from tests import factories
from tests.digest.rendering.test_mail_lint import LINT
from tests.factories import NOW

pytestmark = [pytest.mark.subprocess, pytest.mark.django_db]


@pytest.mark.parametrize("status", ["pending", "active"])
def test_html_validate_and_caniemail_find_nothing(tmp_path, settings, status):
    settings.SITE_URL = "https://news.example.com"
    subscription = factories.subscription(factories.newsletter(), status=status, mail_due_at=NOW)
    confirmation_mail.send_if_due(subscription_id=subscription.pk, now=NOW)
    page = tmp_path / "body.html"
    page.write_text(mail.outbox[0].alternatives[0].content)

    found = subprocess.run(
        ["node", "lint.mjs", str(page)], cwd=LINT, capture_output=True, text=True
    )

    assert found.returncode == 0, found.stdout + found.stderr
