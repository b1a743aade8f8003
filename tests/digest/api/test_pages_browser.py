"""The API's pages, and the admin's pages for tokens and webhooks, in a real browser."""

import pytest
from django.urls import reverse

from subscribers.api import tokens
from subscribers.models import ApiToken
from tests import factories
from tests.digest.admin.edition.test_page_browser import UNFOLDS_OWN
from tests.factories import NOW
from tests.support.browser import axe_violations, set_colour_scheme

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# These violations are Swagger UI's own, and we cannot fix them: a button inside a button, a skipped
# level of headings, and a version stamp that is not shown.
SWAGGERS_OWN = ("nested-interactive", "heading-order", 'color-contrast: [\'<pre class="version">')


@pytest.fixture
def requested(page, live_server):
    """Return a list that collects each URL the page requests and each violation of its CSP."""
    requested = []
    page.on("request", lambda request: requested.append(request.url))
    page.on("console", lambda message: requested.append(message.text) if "Content Security Policy"
            in message.text else None)  # fmt: skip
    return requested


def test_the_documentation_is_rendered_without_other_hosts(page, live_server, requested):
    newsletter = factories.newsletter(slug="daily", name="The Daily")
    page.set_viewport_size({"width": 1280, "height": 900})

    page.goto("/api/docs")
    page.get_by_text("/api/v1/newsletters/{slug}/subscriptions").first.wait_for()
    for scheme in ("light", "dark"):
        set_colour_scheme(page, scheme)
        found = axe_violations(page)
        assert [each for each in found if not each.startswith(SWAGGERS_OWN)] == [], scheme

    page.get_by_role("button", name="get /api/v1/newsletters", exact=True).click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    page.get_by_text(newsletter.name).first.wait_for()

    assert [url for url in requested if not url.startswith((live_server.url, "data:"))] == []


def test_the_page_of_problems_fits_the_window_and_axe_finds_nothing(page):
    page.goto(f"{reverse('api-problems')}#rate-limited")
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for scheme in ("light", "dark"):
            set_colour_scheme(page, scheme)
            assert axe_violations(page) == [], (width, scheme)


def test_a_token_is_made_copied_and_used(admin_page, live_server):
    page = admin_page
    factories.newsletter(slug="daily")
    page.goto(reverse("admin:subscribers_apitoken_add"))
    page.fill("#id_name", "The CMS")
    page.get_by_label("Push stories").check()
    page.get_by_label("List stories").check()
    page.get_by_role("button", name="Save", exact=True).click()
    secret = page.get_by_label("Token", exact=True).input_value()
    assert secret.startswith(tokens.PREFIX)
    assert admin_violations(page) == []

    answer = page.request.get(
        f"{live_server.url}/api/v1/newsletters/daily/stories",
        headers={"Authorization": f"Bearer {secret}"},
    )
    assert answer.status == 200
    page.get_by_role("link", name="I have copied it").click()
    page.get_by_role("link", name="The CMS").click()
    page.get_by_text("In use").wait_for()
    page.get_by_role("button", name="Revoke it").click()
    page.get_by_text("It no longer gives access").wait_for()
    assert ApiToken.objects.get().revoked_at


def admin_violations(page):
    # unfold's forms have no <main>, and its adjacent scroll areas share one name.
    known = (*UNFOLDS_OWN, "landmark-one-main", "landmark-unique")
    return [each for each in axe_violations(page) if not each.startswith(known)]


def test_axe_finds_nothing_on_the_admin_pages_of_tokens_and_webhooks(admin_page):
    page = admin_page
    webhook = factories.webhook(failing_since=NOW)
    delivery = factories.webhook_delivery(webhook)
    delivery.tries.create(at=NOW, milliseconds=34, status=503, answer="Out of order")
    token, _ = tokens.issue(name="CMS", scopes=["stories:read"], now=NOW)
    for name, *args in (
        ("apitoken_add",),
        ("apitoken_change", token.pk),
        ("webhook_add",),
        ("webhook_change", webhook.pk),
        ("webhookdelivery_change", delivery.pk),
    ):
        page.goto(reverse(f"admin:subscribers_{name}", args=args))
        for summary in page.get_by_text("Signing secret", exact=True).all()[:1]:
            summary.click()
        for scheme in ("light", "dark"):
            set_colour_scheme(page, scheme)
            assert admin_violations(page) == [], (name, scheme)
