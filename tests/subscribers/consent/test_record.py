"""The ledger keeps the wording that a reader saw, its language, and what they changed."""

from hashlib import sha256

import pytest
from django.utils import translation

from subscribers.consent.record import (
    ONE_CLICK,
    WORDING_VERSION,
    WORDINGS,
    Origin,
    consent_wording,
    record_consent,
)
from subscribers.models import Consent
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db

# A wording that was shown never changes: a new wording needs a new version and a line here.
SHOWN = {"2026-01": "f9ddd39851b7ee09"}


@pytest.fixture
def subscription():
    return factories.subscription(factories.newsletter(name="Morning 100%"), "ann@example.com")


def record(subscription, **fields):
    entry = record_consent(
        subscription_id=subscription.pk,
        newsletter=subscription.newsletter,
        **{"kind": "signup", "origin": Origin(), "now": NOW} | fields,
    )
    entry.refresh_from_db()
    return entry


def test_a_wording_never_changes_under_the_same_version():
    with translation.override(None):
        wordings = "\n".join(map(str, WORDINGS.values()))

    assert sha256(wordings.encode()).hexdigest()[:16] == SHOWN[WORDING_VERSION]


@pytest.mark.parametrize("kind", [*Consent.Kind.values, ONE_CLICK])
def test_each_kind_of_consent_record_has_a_wording_that_names_the_newsletter(subscription, kind):
    assert "Morning 100%" in consent_wording(kind, subscription.newsletter)


def test_the_wording_is_stored_in_the_language_that_the_reader_saw(subscription, monkeypatch):
    wordings = dict(WORDINGS) | {"signup": translation.gettext_lazy("Monday")}
    monkeypatch.setattr("subscribers.consent.record.WORDINGS", wordings)

    german = record(subscription, origin=Origin(language="de"))
    with translation.override("fr"):
        french = record(subscription)

    assert (german.wording, german.language) == ("Montag", "de")
    assert french.wording == "lundi"


def test_an_unknown_language_is_stored_and_the_wording_is_in_english(subscription):
    entry = record(subscription, origin=Origin(language="tlh-very-long-name"))

    assert entry.wording.startswith("By signing up you agree")
    assert entry.language == "tlh-very-long-na"


def test_a_change_stores_its_details_and_the_wording_that_was_shown(subscription):
    details = {"frequency": {"from": "daily", "to": "weekly"}}

    entry = record(subscription, kind="change", details=details, seen="Send me fewer mails.")

    assert entry.details == details
    assert entry.wording == "Send me fewer mails."
