"""A real browser draws the growth page; axe finds nothing in light and dark on a phone."""

import pytest
from django.urls import reverse
from django.utils.timezone import now

from subscribers.consent.record import Origin, record_consent
from tests import factories
from tests.digest.admin.edition.test_page_browser import our_violations
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HAS_DRAWN = """() => {
    const canvas = document.querySelector("canvas.chart");
    if (!canvas?.width || !canvas.height) return false;
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return pixels.data.some((value) => value);
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_growth_is_drawn_and_axe_finds_nothing(admin_page, scheme):
    page = admin_page
    newsletter = factories.newsletter()
    subscription = factories.subscription(newsletter, source="news.example.com/" + "long-" * 30)
    record_consent(
        subscription_id=subscription.pk,
        newsletter=newsletter,
        kind="signup",
        origin=Origin(),
        now=now(),
    )
    page.set_viewport_size({"width": 375, "height": 800})
    page.emulate_media(color_scheme=scheme)
    page.goto(reverse("admin:subscribers_growthday_changelist"))
    # The plot has been drawn; its script needs some frames for that.
    wait_for(lambda: page.evaluate(HAS_DRAWN), what="the plot")
    page.click("summary")
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    assert our_violations(page) == []
    page.goto(reverse("admin:index"))
    page.wait_for_selector("canvas.chart")
    assert our_violations(page) == []
