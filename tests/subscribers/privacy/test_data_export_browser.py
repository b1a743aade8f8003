"""The data export can be read and saved in a real browser, on a phone and right to left too."""

import json

import pytest
from django.urls import reverse

from digest.models import Delivery
from subscribers.consent.record import Origin, record_consent
from subscribers.models import Subscriber
from subscribers.privacy import data_export
from tests import factories
from tests.digest.admin.edition.test_page_browser import our_violations
from tests.factories import NOW
from tests.subscribers.preferences.conftest import data_link
from tests.support.browser import axe_violations, set_colour_scheme

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def ann(transactional_db):
    newsletter = factories.newsletter(name="Morning", accent_color="#ffc400")
    subscription = factories.subscription(newsletter, "ann@example.com", source="x.example/" * 9)
    origin = Origin(
        page="https://news.example.com/" + "a-long-way/" * 12,
        language="en",
        ip_address="2001:db8::1234:5678:9abc:def0",
        user_agent="Mozilla/5.0 (X11; Linux x86_64) " + "AppleWebKit" * 9,
    )
    for kind in ("signup", "confirmation", "change"):
        record_consent(
            subscription_id=subscription.pk,
            newsletter=newsletter,
            kind=kind,
            origin=origin,
            details={"frequency": {"from": "daily", "to": "weekly"}} if kind == "change" else {},
            now=NOW,
        )
    edition = factories.publish(factories.edition(newsletter))
    Delivery.objects.create(edition=edition, subscription=subscription, status="sent")
    return subscription


@pytest.mark.parametrize("language", ["en", "ar", "ja"])
def test_the_page_passes_axe_and_never_scrolls_sideways(page, ann, language):
    page.goto(f"{data_link(ann)}?lang={language}")
    assert page.locator("html").get_attribute("lang") == language
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for scheme in ("light", "dark"):
            set_colour_scheme(page, scheme)
            assert axe_violations(page) == [], (width, scheme)


def test_the_saved_file_is_the_data_export(page, ann):
    page.goto(data_link(ann))

    with page.expect_download() as saved:
        page.get_by_role("link", name="Download it as a file").click()

    assert saved.value.suggested_filename == f"reader-{ann.subscriber_id}.json"
    with open(saved.value.path()) as file:
        assert json.load(file) == data_export.export(subscriber_id=ann.subscriber_id)


def test_an_editor_erases_a_reader(admin_page, ann):
    page = admin_page
    page.goto(reverse("admin:subscribers_subscriber_change", args=[ann.subscriber_id]))

    page.get_by_role("link", name="Erase").click()
    page.get_by_role("heading", name="Erase ann@example.com?").wait_for()
    assert our_violations(page) == []
    page.get_by_role("link", name="No, go back").click()
    page.get_by_role("link", name="Erase").click()
    page.get_by_role("button", name="Erase this reader").click()

    page.get_by_text("ann@example.com is erased.").wait_for()
    assert Subscriber.objects.get().erased_at is not None
