"""Every page of the admin opens, with and without rows."""

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils.timezone import now

from subscribers.models import Consent
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows():
    newsletter = factories.newsletter()
    section = factories.section(newsletter)
    feed = factories.feed(newsletter, section=section, last_error="503", consecutive_failures=2)
    edition = factories.edition(newsletter, schedule=factories.schedule(newsletter))
    subscription = factories.subscription(newsletter, muted_sections=[section.pk])
    consent = Consent.objects.create(
        subscription=subscription, kind="signup", wording="Send me it.", wording_version="1"
    )
    return [
        newsletter,
        feed,
        edition,
        edition.schedule,
        edition.items.first().story,
        subscription,
        subscription.subscriber,
        consent,
    ]


def test_each_row_has_a_page(admin_client, rows):
    for row in rows:
        url = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
        assert admin_client.get(url).status_code == 200, url


@pytest.mark.parametrize(
    "name",
    ["digest_edition", "digest_feed", "digest_schedule", "digest_story", "subscribers_newsletter"],
)
def test_each_model_that_can_be_added_has_an_add_page(admin_client, rows, name):
    assert admin_client.get(reverse(f"admin:{name}_add")).status_code == 200


def test_the_overview_of_a_new_installation_says_where_to_start(admin_client):
    page = admin_client.get(reverse("admin:index")).content.decode()

    assert "Make the first one" in page
    assert f"Version {settings.VERSION}" in page
    assert "Nothing is planned" in page
    assert "There is no feed yet" in page


def test_an_imported_reader_does_not_count_as_confirmed(admin_client):
    newsletter = factories.newsletter()
    ann, imported = (factories.subscription(newsletter, confirmed_at=now()) for _ in range(2))
    ann.consents.create(kind="confirmation", wording="Yes", wording_version="1")
    imported.consents.create(kind="import", wording="Yes", wording_version="1")

    page = admin_client.get(reverse("admin:index"))

    assert page.context["last_24_hours"]["confirmed"] == 1
