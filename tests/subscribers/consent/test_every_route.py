"""Every grant, change and withdrawal of consent leaves a complete record, by whatever route."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils.timezone import now

from subscribers import signed_links
from subscribers.consent.record import WORDING_VERSION, Origin, consent_wording
from subscribers.models import Consent, Subscription
from subscribers.preferences import choices
from subscribers.signup import abuse
from tests import factories

pytestmark = pytest.mark.django_db

BROWSER = {"User-Agent": "Firefox/140", "Accept-Language": "de"}


@pytest.fixture
def newsletter():
    return factories.newsletter(name="Morgen", slug="morgen")


def assert_complete(entry, newsletter, *, kind, page):
    """Assert that the record has every field, and the page's own wording, in German."""
    assert entry.kind == kind
    assert entry.wording == consent_wording(kind, newsletter, language="de")
    assert entry.wording_version == WORDING_VERSION
    assert entry.page == f"http://testserver{page}"
    assert entry.language == "de"
    assert entry.ip_address == "127.0.0.1"
    assert entry.user_agent == "Firefox/140"
    assert entry.created_at


def page_text(client, url):
    return client.get(url, headers=BROWSER).content.decode()


def test_signing_up_confirming_choosing_and_unsubscribing_each_leave_a_record(client, newsletter):
    section = factories.section(newsletter, name="Sport")
    url = reverse("newsletter", args=["morgen"])
    assert consent_wording("signup", newsletter, language="de") in page_text(client, url)
    client.post(url, {"email": "ann@example.com", "opened": _form_token()}, headers=BROWSER)
    assert_complete(Consent.objects.get(), newsletter, kind="signup", page=url)
    subscription = Subscription.objects.get()

    url = reverse("confirm", args=[signed_links.confirm_token(subscription)])
    assert consent_wording("confirmation", newsletter, language="de") in page_text(client, url)
    client.post(url, headers=BROWSER)
    assert_complete(newest(), newsletter, kind="confirmation", page="/confirm/…/")

    origin = Origin(
        page="http://testserver/preferences/…/", language="de", ip_address="127.0.0.1",
        user_agent="Firefox/140",
    )  # fmt: skip
    choices.set_muted_sections(
        subscription_id=subscription.pk,
        section_ids=[section.pk],
        origin=origin,
        now=factories.NOW,
    )
    change = Consent.objects.get(kind="change")
    assert_complete(change, newsletter, kind="change", page="/preferences/…/")
    assert change.details == {"muted_sections": {"from": [], "to": ["Sport"]}}

    url = reverse("unsubscribe", args=[signed_links.unsubscribe_token(subscription.pk)])
    assert consent_wording("withdrawal", newsletter, language="de") in page_text(client, url)
    client.post(url, {"page": "1"}, headers=BROWSER)
    assert_complete(newest(), newsletter, kind="withdrawal", page="/u/…")


def test_a_one_click_unsubscribe_is_recorded_as_a_mail_programs_button(client, newsletter):
    subscription = factories.subscription(newsletter)
    url = reverse("unsubscribe", args=[signed_links.unsubscribe_token(subscription.pk)])

    client.post(url, {"List-Unsubscribe": "One-Click"}, headers={"User-Agent": "Mail/1"})

    assert newest().wording == "The unsubscribe button of a mail program, for Morgen."
    assert (newest().kind, newest().user_agent) == ("withdrawal", "Mail/1")


def newest():
    return Consent.objects.order_by("-pk").first()


def _form_token():
    return abuse.new_form_token(now() - timedelta(minutes=1))
