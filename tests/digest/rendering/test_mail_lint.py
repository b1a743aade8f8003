"""html-validate finds no error, and caniemail nothing beyond the baseline (tests/mail-lint)."""

import os
import shutil
import subprocess
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core import mail

from digest.editions.decide import notify, remind
from subscribers.models import RequestedMail, Subscription
from subscribers.preferences import (
    address_change,
    data_request,
    link_request,
    requested_mail,
)
from subscribers.signup import confirmation_mail
from subscribers.signup.abuse import Attempt
from tests import factories
from tests.digest.rendering.sample_edition import full_edition, message_to
from tests.factories import NOW
from tests.support.paths import MAIL_LINT

pytestmark = [pytest.mark.subprocess, pytest.mark.django_db]

MAILS = MAIL_LINT.parent.parent / "templates" / "email"

# The check that installs these tools also notices a Node that is too old to run them.
if not (shutil.which("node") and (MAIL_LINT / "node_modules").is_dir()):
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
    """A function that asserts that the HTML of these mails, {name: HTML}, has no error."""

    def lint(pages, *options):
        files = [tmp_path / f"{name}.html" for name in pages]
        for file, html in zip(files, pages.values(), strict=True):
            file.write_text(html)
        found = subprocess.run(
            ["node", "lint.mjs", *options, *files], cwd=MAIL_LINT, capture_output=True, text=True
        )
        assert found.returncode == 0, found.stdout + found.stderr

    return lint


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_digest_needs_no_feature_of_mail_clients_beyond_the_baseline(newsletter, lint):
    # MAIL_LINT=--baseline writes a new baseline.json. Review its diff before you commit it.
    options = [os.environ["MAIL_LINT"]] if "MAIL_LINT" in os.environ else []
    lint({"digest": message_to(full_edition(newsletter)).part("html")}, *options)


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_other_mails_need_no_feature_beyond_the_digests_baseline(newsletter, lint):
    # The welcome shows the latest edition and says when the next one comes.
    factories.schedule(newsletter)
    factories.publish(full_edition(newsletter))

    sent = mails_to_readers(newsletter) | requested_mails_to_a_reader(newsletter)
    sent |= mails_to_an_editor(newsletter)

    # A mail from a template that is missing here would never be checked.
    templates = {path.parent.name for path in MAILS.glob("*/body.html")}
    assert set(sent) == templates - {"digest"}
    lint({name: message.alternatives[0].content for name, message in sent.items()})


def mails_to_readers(newsletter):
    sent = {}
    for (kind, status), template in confirmation_mail.TEMPLATES.items():
        subscription = factories.subscription(
            newsletter,
            status=status,
            confirmed_at=NOW if status == Subscription.Status.ACTIVE else None,
            mail_kind=kind,
            mail_due_at=NOW,
        )
        assert confirmation_mail.send_if_due(subscription.pk, now=NOW)
        sent[template] = mail.outbox[-1]
    return sent


def requested_mails_to_a_reader(newsletter):
    reader = factories.subscription(newsletter, "ann@example.com")
    link_request.request_link(email="ann@example.com", attempt=Attempt(trusted=True), now=NOW)
    data_request.request_data_link(subscription_id=reader.pk, now=NOW)
    address_change.request_change(subscription_id=reader.pk, email="new@example.org", now=NOW)
    sent = {}
    for requested in RequestedMail.objects.all():
        assert requested_mail.send_if_due(requested.pk, now=NOW)
        sent[requested_mail.TEMPLATES[RequestedMail.Kind(requested.kind)]] = mail.outbox[-1]
    return sent


def mails_to_an_editor(newsletter):
    User.objects.create_superuser("ed", "ed@example.com", "a long password")
    sent = {}
    for template, status, reason in (
        ("held", "held", "audience"),
        ("not_sent", "skipped", "past-deadline"),
    ):
        edition = factories.edition(
            newsletter, status=status, reason=reason, reason_detail="Fewer.", notice_due_at=NOW
        )
        assert notify.notify_editors(edition_id=edition.pk, now=NOW) == 1
        sent[template] = mail.outbox[-1]
    schedule = factories.schedule(newsletter, name="Evening")
    times = {"sends_at": NOW + timedelta(minutes=30), "deadline_at": NOW + timedelta(hours=3)}
    due = {"draft_notice_due_at": NOW, "reminder_due_at": NOW}
    edition = factories.edition(newsletter, schedule=schedule, **times, **due)
    for template, tell in (("draft", remind.tell_of_draft), ("reminder", remind.remind)):
        assert tell(edition_id=edition.pk, now=NOW) == 1
        sent[template] = mail.outbox[-1]
    return sent
