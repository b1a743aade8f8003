"""html-validate finds no error, and caniemail nothing that is not known (tests/mail-lint)."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core import mail

from digest.editions import notify
from subscribers import confirmation, letters
from subscribers.abuse import Attempt
from subscribers.models import Letter, Subscription
from subscribers.preferences import lost, moving
from tests import factories
from tests.factories import NOW
from tests.rendering.pages import full_edition, message_to

pytestmark = [pytest.mark.subprocess, pytest.mark.django_db]

LINT = Path(__file__).resolve().parent.parent / "mail-lint"
MAILS = LINT.parent.parent / "templates" / "email"

# An old Node that cannot run them is for the check that installs them to notice.
if not (shutil.which("node") and (LINT / "node_modules").is_dir()):
    pytest.skip(
        "html-validate and caniemail are not installed; with npm: npm ci --prefix tests/mail-lint",
        allow_module_level=True,
    )


@pytest.fixture
def newsletter(settings, language):
    settings.SITE_URL = "https://news.example.com"
    return factories.newsletter(language=language)


@pytest.fixture
def lint(tmp_path):
    """A function: nothing is wrong with these mails' HTML, given by a name for each."""

    def lint(pages, *options):
        files = [tmp_path / f"{name}.html" for name in pages]
        for file, html in zip(files, pages.values(), strict=True):
            file.write_text(html)
        found = subprocess.run(
            ["node", "lint.mjs", *options, *files], cwd=LINT, capture_output=True, text=True
        )
        assert found.returncode == 0, found.stdout + found.stderr

    return lint


@pytest.mark.parametrize("language", ["en", "ar"])
def test_mail_clients_are_asked_for_nothing_new(newsletter, lint):
    # MAIL_LINT=--baseline accepts what is found, after a look at its diff.
    options = [os.environ["MAIL_LINT"]] if "MAIL_LINT" in os.environ else []
    lint({"digest": message_to(full_edition(newsletter)).part("html")}, *options)


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_other_mails_ask_for_no_more_than_a_digest_does(newsletter, lint):
    # The welcome shows the latest edition and says when the next one comes.
    factories.schedule(newsletter)
    factories.publish(full_edition(newsletter))

    readers = mails_to_readers(newsletter)
    sent = readers | letters_to_a_reader(newsletter) | {"held": mail_to_an_editor(newsletter)}

    # One that is written with a template which is not here is a mail that nobody looks at.
    templates = {path.parent.name for path in MAILS.glob("*/body.html")}
    assert set(sent) == templates - {"digest"}
    lint({name: message.alternatives[0].content for name, message in sent.items()})


def mails_to_readers(newsletter):
    sent = {}
    for (kind, status), template in confirmation.TEMPLATES.items():
        subscription = factories.subscription(
            newsletter,
            status=status,
            confirmed_at=NOW if status == Subscription.Status.ACTIVE else None,
            mail_kind=kind,
            mail_due_at=NOW,
        )
        assert confirmation.send_due(subscription_id=subscription.pk, now=NOW)
        sent[template] = mail.outbox[-1]
    return sent


def letters_to_a_reader(newsletter):
    reader = factories.subscription(newsletter, "ann@example.com")
    lost.ask_for_link(email="ann@example.com", attempt=Attempt(trusted=True), now=NOW)
    moving.ask_to_move(subscription_id=reader.pk, email="new@example.org", now=NOW)
    sent = {}
    for letter in Letter.objects.all():
        assert letters.send_due(letter_id=letter.pk, now=NOW)
        sent[letters.TEMPLATES[Letter.Kind(letter.kind)]] = mail.outbox[-1]
    return sent


def mail_to_an_editor(newsletter):
    User.objects.create_superuser("ed", "ed@example.com", "a long password")
    held = factories.edition(
        newsletter, status="held", reason="audience", reason_detail="Fewer.", notice_due_at=NOW
    )
    assert notify.notify_held(edition_id=held.pk, now=NOW) == 1
    return mail.outbox[-1]
