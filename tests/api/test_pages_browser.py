"""The API's pages, and those at the desk for other programs, in a real browser."""

import pytest
from django.urls import reverse

from subscribers import access
from subscribers.models import ApiToken
from tests import factories
from tests.admin.test_desk_browser import UNFOLDS_OWN
from tests.conftest import axe_violations, in_scheme
from tests.factories import NOW

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Swagger UI's own, which we cannot mend: a button within a button, headings that leave one out,
# and a version stamp that is not shown.
SWAGGERS_OWN = ("nested-interactive", "heading-order", 'color-contrast: [\'<pre class="version">')


@pytest.fixture
def asked(page, live_server):
    """Every address that the page asks for, and whatever its policy forbids."""
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: asked.append(message.text) if "Content Security Policy"
            in message.text else None)  # fmt: skip
    return asked


def test_the_description_is_drawn_with_nothing_from_elsewhere(page, live_server, asked):
    newsletter = factories.newsletter(slug="daily", name="The Daily")
    page.set_viewport_size({"width": 1280, "height": 900})

    page.goto("/api/docs")
    page.get_by_text("/api/v1/newsletters/{slug}/subscriptions").first.wait_for()
    for scheme in ("light", "dark"):
        in_scheme(page, scheme)
        found = axe_violations(page)
        assert [each for each in found if not each.startswith(SWAGGERS_OWN)] == [], scheme

    page.get_by_role("button", name="get /api/v1/newsletters", exact=True).click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    page.get_by_text(newsletter.name).first.wait_for()

    assert [url for url in asked if not url.startswith((live_server.url, "data:"))] == []


def test_the_problems_are_explained_to_everybody(page):
    page.goto(f"{reverse('api-problems')}#rate-limited")
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for scheme in ("light", "dark"):
            in_scheme(page, scheme)
            assert axe_violations(page) == [], (width, scheme)


def test_a_token_is_made_copied_and_used(desk_page, live_server):
    desk = desk_page
    factories.newsletter(slug="daily")
    desk.goto(reverse("admin:subscribers_apitoken_add"))
    desk.fill("#id_name", "The CMS")
    desk.get_by_label("Push stories").check()
    desk.get_by_label("List stories").check()
    desk.get_by_role("button", name="Save", exact=True).click()
    secret = desk.get_by_label("Token", exact=True).input_value()
    assert secret.startswith(access.PREFIX)
    assert axe_ours(desk) == []

    answer = desk.request.get(
        f"{live_server.url}/api/v1/newsletters/daily/stories",
        headers={"Authorization": f"Bearer {secret}"},
    )
    assert answer.status == 200
    desk.get_by_role("link", name="I have copied it").click()
    desk.get_by_role("link", name="The CMS").click()
    desk.get_by_text("In use").wait_for()
    desk.get_by_role("button", name="Revoke it").click()
    desk.get_by_text("It opens nothing any more").wait_for()
    assert ApiToken.objects.get().revoked_at


def axe_ours(page):
    # unfold's forms have no <main>, and its scroll areas beside each other one name.
    known = (*UNFOLDS_OWN, "landmark-one-main", "landmark-unique")
    return [each for each in axe_violations(page) if not each.startswith(known)]


def test_axe_finds_nothing_at_the_desk(desk_page):
    desk = desk_page
    webhook = factories.webhook(failing_since=NOW)
    delivery = factories.webhook_delivery(webhook)
    delivery.tries.create(at=NOW, milliseconds=34, status=503, answer="Out of order")
    token, _ = access.make(name="CMS", scopes=["stories:read"], now=NOW)
    for name, *args in (
        ("apitoken_add",),
        ("apitoken_change", token.pk),
        ("webhook_add",),
        ("webhook_change", webhook.pk),
        ("webhookdelivery_change", delivery.pk),
    ):
        desk.goto(reverse(f"admin:subscribers_{name}", args=args))
        for summary in desk.get_by_text("Signing secret", exact=True).all()[:1]:
            summary.click()
        for scheme in ("light", "dark"):
            in_scheme(desk, scheme)
            assert axe_ours(desk) == [], (name, scheme)
