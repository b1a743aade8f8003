"""An editor stops, corrects and resumes an edition in a real browser; each page is accessible."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils.timezone import now

from digest.admin.edition import decisions
from digest.delivery.planning import start
from digest.editions.decide import stop
from digest.editions.decide.approve import approve
from digest.editions.edit import correct
from digest.models import Delivery, Edition
from subscribers.consent.suppression import suppress
from tests import factories
from tests.digest.admin.edition.test_page_browser import change_url, our_violations, press
from tests.support.browser import set_colour_scheme

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch):
    """Enqueue nothing, so that the editions stay as these tests make them."""
    monkeypatch.setattr(decisions, "enqueue", lambda task, **kwargs: None)


@pytest.fixture
def edition(transactional_db):
    """Return an edition that is being sent: one of four readers has it."""
    newsletter = factories.newsletter(name="Harbour Daily", timezone="Europe/London")
    for n in range(4):
        factories.subscription(newsletter, f"reader{n}@example.com")
    edition = factories.edition(
        newsletter,
        subject="Ferry sails on Thursday",
        preheader="And more.",
        sends_at=now() - timedelta(minutes=5),
        deadline_at=now() + timedelta(hours=3),
    )
    approve(edition_id=edition.pk, now=now())
    start.start_delivery(edition_id=edition.pk, now=now())
    start.plan_audience(edition_id=edition.pk, now=now())
    set_deliveries(1, "reader0")
    return edition


def set_deliveries(revision, *names, **fields):
    rows = Delivery.objects.filter(
        subscription__subscriber__email__in=[f"{name}@example.com" for name in names]
    )
    fields = {"status": "sent", "revision": revision, "finished_at": now()} | fields
    factories.force_update(rows, **fields)


def set_sent(edition, **fields):
    factories.force_update(
        Edition.objects.filter(pk=edition.pk), **{"status": "sent", "sent_at": now()} | fields
    )


def test_an_editor_stops_corrects_and_resumes_an_edition(admin_page, edition):
    page = admin_page
    page.goto(change_url(edition))
    press(page, "Stop sending")
    assert page.get_by_text("Stopped. At most").is_visible()

    page.fill("#id_subject", "Ferry sails on Friday")
    press(page, "Save and resume sending…")
    assert page.get_by_text("it continues as version 2").is_visible()
    press(page, "Send to 3 readers")
    assert page.get_by_text("It is on its way.").is_visible()

    start.start_delivery(edition_id=edition.pk, now=now())
    edition.refresh_from_db()
    assert (edition.status, edition.revision) == ("sending", 2)


def test_a_correction_is_written_and_approved(admin_page, edition):
    set_sent(edition, revision=2)
    page = admin_page
    page.goto(change_url(edition))
    page.get_by_role("link", name="Write a correction…").click()
    page.get_by_label("What was wrong, and what is right").fill("It sails on Friday.")
    press(page, "Draft the correction")
    press(page, "Save, approve and send")
    assert page.get_by_text("It goes out now.").is_visible()

    correction = Edition.objects.get(corrects=edition)
    assert correction.status == "approved"


def pages(edition):
    """Yield the name of each page and a function that returns its URL, in the state it is for."""
    yield "overview", lambda: reverse("admin:index")
    yield "sending", lambda: change_url(edition)
    stop.stop_sending(edition_id=edition.pk, detail="editor", now=now())
    yield "stopped", lambda: change_url(edition)
    Edition.objects.filter(pk=edition.pk).update(subject="Ferry sails on Friday")
    yield "end", lambda: reverse("admin:digest_edition_end", args=[edition.pk])
    yield "go-on", lambda: reverse("admin:digest_edition_send", args=[edition.pk])
    set_sent(edition, revision=2, reason="", reason_detail="", deadline_at=now())
    set_deliveries(2, "reader1")
    set_deliveries(0, "reader2", status="failed", reason="refused")
    set_deliveries(0, "reader3", status="failed", reason="bad-address")
    suppress(email="reader3@example.com", reason="bounce", now=now())
    yield "sent", lambda: change_url(edition)
    yield "resend", lambda: reverse("admin:digest_edition_resend", args=[edition.pk])
    yield "correct", lambda: reverse("admin:digest_edition_correct", args=[edition.pk])
    note = "The ferry sails on Friday, not on Thursday."
    correction = correct.draft_correction(edition_id=edition.pk, note=note, now=now())
    yield "correction", lambda: change_url(correction)
    for readers in (12_000, 12_400, 12_300):
        earlier = factories.edition(edition.newsletter, stories=0, audience=readers)
        factories.force_update(
            Edition.objects.filter(pk=earlier.pk), status="sent", sending_at=now(), sent_at=now()
        )
    unusual = factories.edition(
        edition.newsletter, preheader="x", sends_at=now(), deadline_at=now() + timedelta(hours=2)
    )
    yield "send", lambda: reverse("admin:digest_edition_send", args=[unusual.pk])
    approve(edition_id=unusual.pk, now=now() - timedelta(minutes=1))
    with pytest.raises(start.NotStarted):
        start.start_delivery(edition_id=unusual.pk, now=now())
    yield "unusual", lambda: change_url(unusual)


def test_each_page_fits_a_phone_and_axe_finds_nothing_in_light_and_dark(admin_page, edition):
    page = admin_page
    for name, address in pages(edition):
        page.goto(address())
        for scheme in ("light", "dark"):
            set_colour_scheme(page, scheme)
            assert our_violations(page) == [], (name, scheme)
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
        page.set_viewport_size({"width": 1280, "height": 900})
        # The page of an edition that is being sent reloads itself when the next state begins, which
        # could cut off the next visit.
        page.goto("about:blank")
