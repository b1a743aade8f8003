"""An editor sends a correction to the readers who got an edition with a mistake."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape
from django.utils.timezone import now

from digest.models import Delivery, Edition
from tests import factories
from tests.digest.admin.edition.test_actions import post, url
from tests.digest.admin.edition.test_page import messages_of
from tests.digest.admin.edition.test_under_way import page_html, without_strong

pytestmark = pytest.mark.django_db


@pytest.fixture
def edition():
    """Return a sent edition in one version: one of three readers has it, another perhaps has it."""
    newsletter = factories.newsletter(timezone="Europe/London")
    edition = factories.edition(newsletter, preheader="And more.", sends_at=now())
    factories.force_update(
        Edition.objects.filter(pk=edition.pk),
        status="sent", sending_at=now(), planned_at=now(), sent_at=now(), audience=3,
    )  # fmt: skip
    for status, reason in (("sent", ""), ("uncertain", ""), ("failed", "refused")):
        Delivery.objects.create(
            edition=edition,
            subscription=factories.subscription(newsletter),
            status=status,
            reason=reason,
            revision=1,
            finished_at=now(),
        )
    edition.refresh_from_db()
    return edition


@pytest.fixture
def corrected(edition):
    """Return the edition when one reader has its first version and one its second."""
    Edition.objects.filter(pk=edition.pk).update(revision=2)
    factories.force_update(Delivery.objects.filter(status="uncertain"), status="sent", revision=2)
    edition.refresh_from_db()
    return edition


def draft_correction(admin_client, edition):
    """Draft a correction; return it and the page that opens."""
    response = admin_client.post(url("correct", edition), {"note": "It was Friday."}, follow=True)
    return Edition.objects.get(corrects=edition), response


# --- A mistake is found after the last message ----------------------------------------------------


def test_a_correction_of_a_sent_edition_is_for_all_readers_who_got_it(admin_client, edition):
    assert "Write a correction…" in page_html(admin_client, edition)
    confirmation = without_strong(page_html(admin_client, edition, "correct"))
    assert "Write a correction to all who got it?" in confirmation
    assert "2 readers got" in confirmation

    correction, response = draft_correction(admin_client, edition)

    assert (correction.status, correction.note) == ("draft", "It was Friday.")
    assert "is for the 2 readers who got it." in without_strong(
        " ".join(response.content.decode().split())
    )
    assert f"It goes to the 2 readers who got {edition}." in without_strong(
        page_html(admin_client, correction, "send")
    )


def test_the_page_warns_that_the_web_version_keeps_the_old_text(admin_client, edition):
    page = page_html(admin_client, edition, "correct")

    assert "The web version still shows the old text" in page
    assert "the corrected edition" not in page


def test_an_edition_that_is_being_sent_gets_no_correction(admin_client, edition):
    Edition.objects.filter(pk=edition.pk).update(
        status="sending", deadline_at=now() + timedelta(hours=1)
    )

    assert "Write a correction…" not in page_html(admin_client, edition)
    response = post(admin_client, "correct", edition, note="It was Friday.")
    assert "It is still going out: stop it and correct it" in response.content.decode()


def test_an_edition_that_nobody_got_gets_no_correction(admin_client, edition):
    factories.force_update(Delivery.objects.all(), status="failed", reason="refused")

    assert "Write a correction…" not in page_html(admin_client, edition)
    response = post(admin_client, "correct", edition, note="It was Friday.")
    assert "Nobody has this edition." in response.content.decode()


def test_the_page_of_a_sent_edition_does_not_count_its_readers_each_time(admin_client, edition):
    page_html(admin_client, edition)

    with CaptureQueriesContext(connection) as queries:
        assert "Write a correction…" in page_html(admin_client, edition)
    assert not [query for query in queries if "digest_delivery" in query["sql"]]


def test_a_view_permission_offers_no_correction(staff_client, edition):
    assert "Write a correction…" not in page_html(staff_client("digest.view_edition"), edition)


# --- Some readers got an older version ------------------------------------------------------------


def test_a_correction_is_drafted_for_readers_who_got_the_first_version(admin_client, corrected):
    assert "Write a correction…" in page_html(admin_client, corrected)
    confirmation = without_strong(page_html(admin_client, corrected, "correct"))
    assert "The 1 who got an older version" in confirmation
    assert "All 2 who got any version" in confirmation

    correction, response = draft_correction(admin_client, corrected)

    assert (correction.status, correction.note) == ("draft", "It was Friday.")
    page = without_strong(" ".join(response.content.decode().split()))
    assert "Drafted." in messages_of(response)
    assert "is for the 1 reader who got an older version of it" in page
    assert escape(correction.subject) in page_html(admin_client, corrected)
    confirmation = without_strong(page_html(admin_client, correction, "send"))
    assert f"It goes to the 1 reader who got an older version of {corrected}." in confirmation


def test_a_correction_needs_a_note(admin_client, corrected):
    response = admin_client.post(url("correct", corrected), {"note": " "})

    assert response.context["form"].errors["note"]
    assert not Edition.objects.filter(corrects=corrected).exists()


def test_a_second_correction_opens_the_unfinished_first(admin_client, corrected):
    for _ in range(2):
        _correction, response = draft_correction(admin_client, corrected)

    assert "has not gone out yet" in messages_of(response)
    assert Edition.objects.filter(corrects=corrected).count() == 1


def test_an_edition_whose_readers_all_have_the_newest_version_needs_no_correction(
    admin_client, corrected
):
    factories.force_update(Delivery.objects.filter(status="sent"), revision=2)

    assert "Write to those" not in page_html(admin_client, corrected)
    response = post(admin_client, "correct", corrected, note="It was Friday.")
    assert "Nobody has an older version of this edition." in response.content.decode()
