"""Write to the readers who got an edition with a mistake in it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape
from django.utils.timezone import now

from digest.models import Delivery, Edition
from tests import factories
from tests.admin.test_edition_actions import post, url
from tests.admin.test_edition_page import told
from tests.admin.test_edition_under_way import shown, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def edition():
    """Sent, in one version: of three readers two have it, one of them perhaps."""
    newsletter = factories.newsletter(timezone="Europe/London")
    edition = factories.edition(newsletter, preheader="And more.", sends_at=now())
    factories.put(
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
    """One reader has the first version, one the second."""
    Edition.objects.filter(pk=edition.pk).update(revision=2)
    factories.put(Delivery.objects.filter(status="uncertain"), status="sent", revision=2)
    edition.refresh_from_db()
    return edition


def drafted(desk, edition):
    """The draft of a correction, and the page that it opens on."""
    answer = desk.post(url("correct", edition), {"note": "It was Friday."}, follow=True)
    return Edition.objects.get(corrects=edition), answer


# --- A mistake that was found after the last message ----------------------------------------------


def test_a_sent_edition_is_corrected_for_all_who_got_it(desk, edition):
    assert "Write a correction…" in shown(desk, edition)
    asked = text(shown(desk, edition, "correct"))
    assert "Write a correction to all who got it?" in asked
    assert "2 readers got" in asked

    correction, answer = drafted(desk, edition)

    assert (correction.status, correction.note) == ("draft", "It was Friday.")
    assert "is for the 2 readers who got it." in text(" ".join(answer.content.decode().split()))
    assert f"It goes to the 2 readers who got {edition}." in text(shown(desk, correction, "send"))


def test_the_editor_is_told_that_the_web_version_still_says_the_old_words(desk, edition):
    page = shown(desk, edition, "correct")

    assert "The web version still says the old words" in page
    assert "the corrected edition" not in page


def test_while_it_goes_out_it_is_stopped_and_not_written_about(desk, edition):
    Edition.objects.filter(pk=edition.pk).update(
        status="sending", deadline_at=now() + timedelta(hours=1)
    )

    assert "Write a correction…" not in shown(desk, edition)
    answer = post(desk, "correct", edition, note="It was Friday.")
    assert "It is still going out: stop it and correct it" in answer.content.decode()


def test_where_nobody_has_it_nobody_is_written_to(desk, edition):
    factories.put(Delivery.objects.all(), status="failed", reason="refused")

    assert "Write a correction…" not in shown(desk, edition)
    answer = post(desk, "correct", edition, note="It was Friday.")
    assert "Nobody has this edition." in answer.content.decode()


def test_the_page_of_a_sent_edition_does_not_count_its_readers_each_time(desk, edition):
    shown(desk, edition)

    with CaptureQueriesContext(connection) as queries:
        assert "Write a correction…" in shown(desk, edition)
    assert not [query for query in queries if "digest_delivery" in query["sql"]]


def test_who_may_only_look_is_offered_none(staff, edition):
    assert "Write a correction…" not in shown(staff("digest.view_edition"), edition)


# --- Some got the version before ------------------------------------------------------------------


def test_a_correction_is_drafted_for_those_who_got_the_first_version(desk, corrected):
    assert "Write a correction…" in shown(desk, corrected)
    asked = text(shown(desk, corrected, "correct"))
    assert "The 1 who got an older version" in asked
    assert "All 2 who got any version" in asked

    correction, answer = drafted(desk, corrected)

    assert (correction.status, correction.note) == ("draft", "It was Friday.")
    page = text(" ".join(answer.content.decode().split()))
    assert "Drafted." in told(answer)
    assert "is for the 1 reader who got an older version of it" in page
    assert escape(correction.subject) in shown(desk, corrected)
    asked = text(shown(desk, correction, "send"))
    assert f"It goes to the 1 reader who got an older version of {corrected}." in asked


def test_a_correction_needs_words(desk, corrected):
    answer = desk.post(url("correct", corrected), {"note": " "})

    assert answer.context["form"].errors["note"]
    assert not Edition.objects.filter(corrects=corrected).exists()


def test_a_second_correction_opens_the_unfinished_first(desk, corrected):
    for _ in range(2):
        _correction, answer = drafted(desk, corrected)

    assert "has not gone out yet" in told(answer)
    assert Edition.objects.filter(corrects=corrected).count() == 1


def test_of_several_versions_the_last_needs_none(desk, corrected):
    factories.put(Delivery.objects.filter(status="sent"), revision=2)

    assert "Write to those" not in shown(desk, corrected)
    answer = post(desk, "correct", corrected, note="It was Friday.")
    assert "Nobody has an older version of this edition." in answer.content.decode()
