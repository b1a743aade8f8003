"""The weights' page, and the terms of an edition's stories, work for everybody."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils.timezone import now

from digest.editions.draft.draft import draft_edition
from digest.models import RankingWeights
from tests import factories
from tests.digest.admin.edition.test_page import change_url
from tests.support.browser import axe_violations, set_colour_scheme

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_an_editor_tries_weights_saves_them_and_opens_a_storys_terms(admin_page):
    newsletter = factories.newsletter()
    for hours in (2, 5, 9):
        factories.story(newsletter, published_at=now() - timedelta(hours=hours))
    edition = draft_edition(newsletter=newsletter, now=now() - timedelta(hours=1))
    admin_page.goto(reverse("admin:digest_rankingweights_newsletter", args=[newsletter.pk]))

    admin_page.get_by_label("How many outlets report it").fill("1.25")
    admin_page.get_by_role("button", name="See what they would have chosen").click()
    admin_page.get_by_text("nothing is saved yet").wait_for()
    for scheme in ("light", "dark"):
        set_colour_scheme(admin_page, scheme)
        assert axe_violations(admin_page, "main") == []
    admin_page.get_by_role("button", name="Save").click()
    admin_page.get_by_text("Saved. The next draft").wait_for()
    assert RankingWeights.objects.get().sources == 1.25

    admin_page.goto(change_url(edition))
    admin_page.locator(".admin-why summary").first.press("Enter")
    assert admin_page.get_by_role("table", name="What “").first.is_visible()
    assert axe_violations(admin_page, ".admin-stories") == []
