"""Stopping, correcting and going on, in a real browser; each page for everybody's eyes."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils.timezone import now

from digest.admin import edition_actions
from digest.delivery import plan
from digest.editions import correct, stop
from digest.editions.approve import approve
from digest.models import Delivery, Edition
from subscribers.suppression import suppress
from tests import factories
from tests.admin.test_desk_browser import UNFOLDS_OWN, press
from tests.conftest import axe_violations

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch):
    """One that runs for other tests of this session would go on with these editions."""
    monkeypatch.setattr(edition_actions, "enqueue", lambda task, **kwargs: None)


@pytest.fixture
def edition(transactional_db):
    """On its way to four readers, one of whom has it; two of an unusual number would be usual."""
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
    plan.start(edition_id=edition.pk, now=now())
    plan.plan_audience(edition_id=edition.pk, now=now())
    reach(1, "reader0")
    return edition


def reach(revision, *names, **fields):
    rows = Delivery.objects.filter(
        subscription__subscriber__email__in=[f"{name}@example.com" for name in names]
    )
    fields = {"status": "sent", "revision": revision, "finished_at": now()} | fields
    factories.put(rows, **fields)


def finish(edition, **fields):
    factories.put(
        Edition.objects.filter(pk=edition.pk), **{"status": "sent", "sent_at": now()} | fields
    )


@pytest.fixture
def log_in(page, edition):
    """Open a page of the admin as an editor."""
    User.objects.create_superuser("editor", "editor@example.com", "a long password")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(reverse("admin:login"))
    page.fill("input[name=username]", "editor")
    page.fill("input[name=password]", "a long password")
    page.click("button[type=submit]")
    page.wait_for_load_state()

    def open_page(name, edition):
        page.goto(reverse(f"admin:digest_edition_{name}", args=[edition.pk]))
        return page

    return open_page


def test_an_editor_stops_an_edition_corrects_it_and_lets_it_go_on(log_in, edition):
    page = log_in("change", edition)
    press(page, "Stop sending")
    assert page.get_by_text("Stopped. At most").is_visible()

    page.fill("#id_subject", "Ferry sails on Friday")
    press(page, "Save and go on sending…")
    assert page.get_by_text("it goes on as version 2").is_visible()
    press(page, "Send to 3 readers")
    assert page.get_by_text("It is on its way.").is_visible()

    plan.start(edition_id=edition.pk, now=now())
    edition.refresh_from_db()
    assert (edition.status, edition.revision) == ("sending", 2)


def test_a_correction_is_written_and_approved(log_in, edition):
    finish(edition, revision=2)
    page = log_in("change", edition)
    page.get_by_role("link", name="Write a correction…").click()
    page.get_by_label("What was wrong, and what is right").fill("It sails on Friday.")
    press(page, "Draft the correction")
    press(page, "Save and approve")
    assert page.get_by_text("It goes out at once.").is_visible()

    correction = Edition.objects.get(corrects=edition)
    assert correction.status == "approved"


def pages(edition):
    """Name by name, each page and the state it is for."""
    yield "overview", lambda: reverse("admin:index")
    yield "sending", lambda: reverse("admin:digest_edition_change", args=[edition.pk])
    stop.stop_sending(edition_id=edition.pk, detail="editor", now=now())
    yield "stopped", lambda: reverse("admin:digest_edition_change", args=[edition.pk])
    Edition.objects.filter(pk=edition.pk).update(subject="Ferry sails on Friday")
    yield "end", lambda: reverse("admin:digest_edition_end", args=[edition.pk])
    yield "go-on", lambda: reverse("admin:digest_edition_send", args=[edition.pk])
    finish(edition, revision=2, reason="", reason_detail="", deadline_at=now())
    reach(2, "reader1")
    reach(0, "reader2", status="failed", reason="refused")
    reach(0, "reader3", status="failed", reason="bad-address")
    suppress(email="reader3@example.com", reason="bounce", now=now())
    yield "sent", lambda: reverse("admin:digest_edition_change", args=[edition.pk])
    yield "again", lambda: reverse("admin:digest_edition_again", args=[edition.pk])
    yield "correct", lambda: reverse("admin:digest_edition_correct", args=[edition.pk])
    note = "The ferry sails on Friday, not on Thursday."
    correction = correct.create(edition_id=edition.pk, note=note, now=now())
    yield "correction", lambda: reverse("admin:digest_edition_change", args=[correction.pk])
    for readers in (12_000, 12_400, 12_300):
        earlier = factories.edition(edition.newsletter, stories=0, audience=readers)
        factories.put(
            Edition.objects.filter(pk=earlier.pk), status="sent", sending_at=now(), sent_at=now()
        )
    unusual = factories.edition(
        edition.newsletter, preheader="x", sends_at=now(), deadline_at=now() + timedelta(hours=2)
    )
    yield "send", lambda: reverse("admin:digest_edition_send", args=[unusual.pk])
    approve(edition_id=unusual.pk, now=now() - timedelta(minutes=1))
    with pytest.raises(plan.NotStarted):
        plan.start(edition_id=unusual.pk, now=now())
    yield "unusual", lambda: reverse("admin:digest_edition_change", args=[unusual.pk])


def test_each_page_is_for_everybody_in_light_and_dark_and_on_a_phone(page, log_in, edition):
    for name, address in pages(edition):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.goto(address())
            found = axe_violations(page)
            assert [v for v in found if v.partition(":")[0] not in UNFOLDS_OWN] == [], name
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
        page.set_viewport_size({"width": 1280, "height": 900})
