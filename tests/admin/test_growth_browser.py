"""Growth in a real browser: drawn, legible for axe in light and dark, on a phone too."""

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils.timezone import now

from subscribers import consent
from tests import factories
from tests.admin.test_desk_browser import UNFOLDS_OWN
from tests.conftest import axe_violations

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def faults(page):
    return [v for v in axe_violations(page) if v.partition(":")[0] not in UNFOLDS_OWN]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_growth_is_drawn_and_axe_finds_nothing(page, scheme):
    newsletter = factories.newsletter()
    subscription = factories.subscription(newsletter, source="news.example.com/" + "long-" * 30)
    consent.record(
        subscription_id=subscription.pk,
        newsletter=newsletter,
        kind="signup",
        origin=consent.Origin(),
        now=now(),
    )
    User.objects.create_superuser("editor", "editor@example.com", "a long password")
    page.emulate_media(color_scheme=scheme)
    page.goto(reverse("admin:subscribers_growthday_changelist"))
    page.fill("input[name=username]", "editor")
    page.fill("input[name=password]", "a long password")
    page.click("button[type=submit]")
    page.wait_for_selector("canvas.chart")

    inked = page.evaluate("""() => {
        const canvas = document.querySelector("canvas.chart");
        const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return pixels.data.some((value) => value);
    }""")
    assert inked, "the plot is drawn"
    page.click("summary")
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    assert faults(page) == []
    page.goto(reverse("admin:index"))
    page.wait_for_selector("canvas.chart")
    assert faults(page) == []
