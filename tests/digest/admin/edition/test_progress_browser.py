"""The progress in a real browser refreshes, fits the window, and is announced."""

import pytest
from django.core.cache import cache
from django.utils.timezone import now

from digest.models import Delivery
from tests import factories
from tests.digest.admin.edition.test_page_browser import change_url, edition, our_violations  # noqa: F401 (a fixture)
from tests.digest.admin.edition.test_progress import create_delivery, set_edition
from tests.support.browser import set_colour_scheme, speed_up_polling

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def sending_page(admin_page, edition):  # noqa: F811
    """Return the page of an edition with at least one row in each table."""
    relay = {"relay": "smtp-a.a-long-name.relay.example:587"}
    reply_text = "450 4.2.0 slow down; see https://postmaster.example/" + "policy" * 20
    create_delivery(edition, "a@one.example", status="sent", revision=1, finished_at=now(), **relay)
    create_delivery(edition, "b@two.example", status="sent", revision=2, finished_at=now(), **relay)
    create_delivery(edition, "c@two.example", attempts=1, reply=reply_text, **relay)
    create_delivery(edition, "d@three.example", status="uncertain")
    set_edition(edition, status="sending", sending_at=now(), planned_at=now())
    speed_up_polling(admin_page)
    admin_page.goto(change_url(edition))
    admin_page.get_by_role("rowheader", name="two.example").wait_for()
    return admin_page


def test_the_progress_fits_the_window_and_axe_finds_only_unfolds_own_violations(sending_page):
    for scheme, width in (("light", 320), ("dark", 1280)):
        sending_page.set_viewport_size({"width": width, "height": 900})
        set_colour_scheme(sending_page, scheme)
        assert our_violations(sending_page) == [], scheme
        assert sending_page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_progress_refreshes_itself_and_is_announced(sending_page):
    announcement = sending_page.locator("[role=status]").filter(has_text="percent")
    assert announcement.inner_text() == "Sending: 50 percent of the readers are done."

    waiting = Delivery.objects.filter(status="pending")
    factories.force_update(waiting, status="sent", finished_at=now())
    cache.clear()

    sending_page.get_by_text("3 of 4").wait_for(timeout=15_000)
    sending_page.get_by_text("Sending: 70 percent").wait_for(state="attached", timeout=5_000)
