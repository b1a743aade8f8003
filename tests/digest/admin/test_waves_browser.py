"""The admin's pages about waves in a real browser."""

from datetime import time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils.timezone import now

from digest.admin.edition import decisions
from digest.delivery.planning import start
from digest.editions.decide.approve import approve
from digest.models import Delivery
from digest.schedule import worldwide_span
from tests import factories
from tests.digest.admin.edition.test_page_browser import our_violations

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch):
    """Enqueue nothing, so that the editions stay as these tests make them."""
    monkeypatch.setattr(decisions, "enqueue", lambda task, **kwargs: None)


@pytest.fixture
def newsletter(transactional_db):
    newsletter = factories.newsletter(name="Harbour Daily", timezone="Europe/London")
    zones = {"Europe/London": 30, "Europe/Berlin": 12, "America/New_York": 9, "Asia/Tokyo": 4}
    for zone, count in zones.items():
        for _ in range(count):
            subscription = factories.subscription(newsletter)
            subscription.subscriber.timezone = zone
            subscription.subscriber.save()
    return newsletter


@pytest.fixture
def edition(newsletter):
    """Return tomorrow's edition, which the readers in Tokyo get first."""
    day = (now().astimezone(ZoneInfo("Europe/London")) + timedelta(days=1)).date()
    hour = (now().astimezone(ZoneInfo("Asia/Tokyo")) - timedelta(hours=1)).time()
    first, last = worldwide_span(day, time(7))
    return factories.edition(
        newsletter, subject="Ferry sails on Thursday", preheader="And more.", slot_date=day,
        local_time=hour.replace(minute=0, second=0, microsecond=0), sends_at=first,
        last_wave_at=last, deadline_at=last + timedelta(hours=3),
        schedule=factories.schedule(newsletter, name="Every morning", clock="reader"),
    )  # fmt: skip


def start_sending(edition):
    approve(edition_id=edition.pk, now=now())
    start.start_delivery(edition_id=edition.pk, now=edition.sends_at)
    start.plan_audience(edition_id=edition.pk, now=edition.sends_at)
    tokyo = Delivery.objects.filter(subscription__subscriber__timezone="Asia/Tokyo")
    factories.force_update(tokyo, status="sent", revision=1, relay="relay:25", finished_at=now())


def test_the_head_start_field_is_shown_only_for_the_readers_clocks(admin_page, newsletter):
    page = admin_page
    page.goto("/admin/digest/schedule/add/")
    head_start = page.get_by_label("Head start")

    assert not head_start.is_visible()
    page.get_by_label("Whose clock").select_option("reader")
    head_start.wait_for(state="visible")


def test_the_pages_about_waves_fit_the_window_and_axe_finds_nothing(admin_page, edition):
    pages = [
        f"/admin/digest/schedule/{edition.schedule_id}/change/",
        f"/admin/digest/edition/{edition.pk}/change/",
        f"/admin/digest/edition/{edition.pk}/send/",
        "/admin/",
    ]
    for url in pages:
        check_page(admin_page, url)
    start_sending(edition)
    for url in pages[1::2]:
        check_page(admin_page, url, later_text="By wave" if "edition" in url else "")


def check_page(page, url, *, later_text=""):
    """Check the page at both widths, and once more when `later_text` has appeared."""
    page.goto(url)
    for width in (375, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert_fits_and_accessible(page, url)
    if later_text:
        page.get_by_text(later_text).wait_for()
        for width in (375, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            assert_fits_and_accessible(page, url)


def assert_fits_and_accessible(page, url):
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), url
    assert [v for v in our_violations(page) if not v.startswith("landmark-one-main:")] == [], url
