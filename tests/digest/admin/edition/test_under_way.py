"""An editor stops, corrects, resumes and resends an edition that has already reached readers."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils.timezone import now

from digest.admin.edition import decisions, under_way
from digest.delivery.planning import start
from digest.editions.decide import audience
from digest.editions.decide.approve import approve
from digest.models import Delivery, Edition
from subscribers.consent.suppression import suppress
from tests import factories
from tests.digest.admin.edition.test_actions import post, url
from tests.digest.admin.edition.test_page import change_url, messages_of, save

pytestmark = pytest.mark.django_db


@pytest.fixture
def edition():
    """Return an edition that is being sent: one of three readers has it."""
    newsletter = factories.newsletter(timezone="Europe/London")
    subscriptions = [factories.subscription(newsletter, f"reader{n}@example.com") for n in range(3)]
    edition = factories.edition(
        newsletter,
        preheader="And more.",
        sends_at=now() - timedelta(minutes=5),
        deadline_at=now() + timedelta(hours=3),
    )
    approve(edition_id=edition.pk, now=now())
    start.start_delivery(edition_id=edition.pk, now=now())
    start.plan_audience(edition_id=edition.pk, now=now())
    first = Delivery.objects.filter(edition=edition, subscription=subscriptions[0])
    factories.force_update(first, status="sent", revision=1, finished_at=now())
    edition.refresh_from_db()
    return edition


@pytest.fixture
def stopped(admin_client, edition):
    post(admin_client, "stop", edition)
    return edition


@pytest.fixture(autouse=True)
def queued(monkeypatch):
    """Return a list of what was enqueued: names of tasks, and ids of editions that get lanes."""
    calls = []
    monkeypatch.setattr(
        decisions, "enqueue", lambda task, **kwargs: calls.append((task.name, kwargs))
    )
    monkeypatch.setattr(under_way, "start_lanes", calls.append)
    return calls


def page_html(client, edition, name=None):
    response = client.get(url(name, edition) if name else change_url(edition))
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def without_strong(page):
    return page.replace("<strong>", "").replace("</strong>", "")


# --- Stop -----------------------------------------------------------------------------------------


def test_one_click_stops_an_edition_and_the_page_says_how_to_resume_it(
    admin_client, edition, editor
):
    assert "Stop sending" in page_html(admin_client, edition)

    response = post(admin_client, "stop", edition)

    assert (edition.status, edition.reason) == ("held", "stopped")
    assert edition.reason_detail == str(editor)
    assert "Stopped." in messages_of(response)
    page = without_strong(page_html(admin_client, edition))
    assert "Version 1: 1 reader. Readers who have none yet get version 1" in page
    assert "Save and resume sending" in page
    assert "Save and approve" not in page
    assert "Skip…" not in page


def test_an_edition_can_be_stopped_from_the_overview(admin_client, edition):
    assert url("stop", edition) in admin_client.get(reverse("admin:index")).content.decode()


def test_stopping_needs_a_post(admin_client, edition):
    assert admin_client.get(url("stop", edition)).status_code == 405
    edition.refresh_from_db()
    assert edition.status == "sending"


def test_a_view_permission_cannot_stop_an_edition(staff_client, edition):
    viewer = staff_client("digest.view_edition")

    assert "Stop sending" not in page_html(viewer, edition)
    assert "Stop sending" not in viewer.get(reverse("admin:index")).content.decode()
    assert viewer.post(url("stop", edition)).status_code == 403


def test_a_finished_edition_is_not_stopped_and_says_so(admin_client, edition):
    factories.force_update(Edition.objects.all(), status="sent", sent_at=now())

    assert "It is not being sent: it is sent." in messages_of(post(admin_client, "stop", edition))


# --- Correct and resume ---------------------------------------------------------------------------


def test_an_unchanged_edition_resumes_with_the_remaining_readers(admin_client, stopped, queued):
    page = without_strong(save(admin_client, stopped, _send="").content.decode())
    assert "It continues unchanged." in page
    assert "The 2 readers who have none yet get it." in page
    assert "1 reader has version 1; they get nothing more" in page

    response = post(
        admin_client, "send", stopped, seen=page.split('name="seen" value="')[1].split('"')[0]
    )

    assert "on its way" in messages_of(response)
    assert (stopped.status, stopped.revision) == ("approved", 1)
    assert queued == [("digest.tasks.release", {"edition_id": stopped.pk})]
    start.start_delivery(edition_id=stopped.pk, now=now())
    stopped.refresh_from_db()
    assert stopped.status == "sending"


def test_a_corrected_edition_resumes_as_the_next_version(admin_client, stopped):
    response = save(admin_client, stopped, _send="", **{"items-0-headline": "Put right"})
    page = without_strong(response.content.decode())
    assert "it continues as version 2" in page

    post(admin_client, "send", stopped, seen=page.split('name="seen" value="')[1].split('"')[0])
    start.start_delivery(edition_id=stopped.pk, now=now())

    stopped.refresh_from_db()
    assert stopped.revision == 2
    assert "Version 1: 1 reader; version 2: 0 readers" in without_strong(
        page_html(admin_client, stopped)
    )


def test_a_stopped_edition_whose_approval_is_withdrawn_is_held_again(admin_client, stopped):
    Edition.objects.filter(pk=stopped.pk).update(sends_at=now() + timedelta(hours=1))
    approve(edition_id=stopped.pk, now=now())
    stopped.refresh_from_db()

    told = messages_of(save(admin_client, stopped, _withdraw=""))
    assert "held, because its sending has begun" in told
    assert (stopped.status, stopped.reason) == ("held", "stopped")


def test_an_edition_approved_after_its_send_time_is_released_immediately(admin_client, queued):
    draft = factories.edition(
        factories.newsletter(), sends_at=now(), deadline_at=now() + timedelta(hours=1)
    )
    save(admin_client, draft, _approve="")

    assert queued == [("digest.tasks.release", {"edition_id": draft.pk})]


# --- An unusual number of readers -----------------------------------------------------------------


@pytest.fixture
def unusual(settings, monkeypatch):
    """Return a draft for six readers of a newsletter that usually has two."""
    monkeypatch.setattr(audience, "MIN_READERS", 5)
    newsletter = factories.newsletter()
    for days in range(3):
        earlier = factories.edition(newsletter, stories=0, audience=2)
        when = now() - timedelta(days=days + 1)
        factories.force_update(
            Edition.objects.filter(pk=earlier.pk), status="sent", sending_at=when, sent_at=when
        )
    for _ in range(6):
        factories.subscription(newsletter)
    return factories.edition(
        newsletter, preheader="x", sends_at=now(), deadline_at=now() + timedelta(hours=1)
    )


def test_the_confirmation_page_shows_the_usual_number_of_readers(
    admin_client, unusual, monkeypatch
):
    monkeypatch.setattr(audience, "MIN_READERS", 50)

    assert "6 readers of" in without_strong(page_html(admin_client, unusual, "send"))
    assert "(usually about 2)" in page_html(admin_client, unusual, "send")


def test_an_editor_accepts_an_unusual_number_of_readers_by_sending(admin_client, unusual):
    page = page_html(admin_client, unusual, "send")
    assert "An unusual number of readers." in page
    assert "Yes, send to 6 readers" in page

    seen = page.split('name="seen" value="')[1].split('"')[0]
    post(admin_client, "send", unusual, seen=seen, readers="6")

    assert unusual.audience_accepted == 6
    start.start_delivery(edition_id=unusual.pk, now=now())
    unusual.refresh_from_db()
    assert (unusual.status, unusual.audience) == ("sending", 6)


def test_an_edition_held_for_an_unusual_number_goes_out_once_an_editor_accepts_it(
    admin_client, unusual
):
    approve(edition_id=unusual.pk, now=now() - timedelta(minutes=1))
    with pytest.raises(start.NotStarted):
        start.start_delivery(edition_id=unusual.pk, now=now())
    unusual.refresh_from_db()
    page = page_html(admin_client, unusual)
    assert "It would go to 6 readers" in page
    assert "Yes, send to 6 readers" in page
    assert "Send now…" not in page

    save(admin_client, unusual, _approve="", audience="6")

    assert unusual.status == "approved"
    start.start_delivery(edition_id=unusual.pk, now=now())
    unusual.refresh_from_db()
    assert (unusual.status, unusual.audience) == ("sending", 6)


@pytest.mark.parametrize("number", ["", "²", "-1", "9" * 30, "x"])
def test_an_invalid_number_of_readers_accepts_nothing(admin_client, unusual, number):
    save(admin_client, unusual, _approve="", audience=number)

    assert unusual.audience_accepted is None


# --- Resend failed deliveries ---------------------------------------------------------------------


@pytest.fixture
def failed(edition):
    """Return a sent edition: one delivery was refused, and one address does not exist."""
    factories.force_update(Edition.objects.filter(pk=edition.pk), status="sent", sent_at=now())
    for address, reason in (("reader1", "refused"), ("reader2", "bad-address")):
        rows = Delivery.objects.filter(subscription__subscriber__email=f"{address}@example.com")
        factories.force_update(rows, status="failed", reason=reason, finished_at=now())
    suppress(email="reader2@example.com", reason="bounce", now=now())
    edition.refresh_from_db()
    return edition


def test_failed_deliveries_are_resent_after_one_confirmation(admin_client, failed, queued):
    assert "Send the failed ones again…" in page_html(admin_client, failed)
    page = without_strong(page_html(admin_client, failed, "resend"))
    assert "1 reader of" in page
    assert "refused by the receiving server 1." in page
    assert "1 more failed and is left out" in page
    assert failed.status == "sent"

    response = post(admin_client, "resend", failed)

    assert "On its way again to 1 reader." in messages_of(response)
    assert failed.status == "sending"
    assert queued == [failed.pk]


def test_a_resend_past_the_deadline_needs_a_number_of_hours(admin_client, failed, queued):
    Edition.objects.update(deadline_at=now() - timedelta(hours=1))

    refused = post(admin_client, "resend", failed)
    assert refused.context["form"].errors["hours"]
    assert (failed.status, queued) == ("sent", [])

    post(admin_client, "resend", failed, hours="2")
    assert failed.status == "sending"
    assert timedelta(hours=1.9) < failed.deadline_at - now() < timedelta(hours=2)


def test_uncertain_deliveries_are_resent_only_if_the_editor_asks_for_it(admin_client, failed):
    rows = Delivery.objects.filter(subscription__subscriber__email="reader0@example.com")
    factories.force_update(rows, status="uncertain", uncertain_at=now(), finished_at=now())
    assert "Also the 1 reader whose outcome is unknown" in page_html(admin_client, failed, "resend")

    assert "to 2 readers" in messages_of(post(admin_client, "resend", failed, uncertain="on"))


def test_an_edition_without_failed_deliveries_offers_no_resend(admin_client, edition):
    factories.force_update(Edition.objects.all(), status="sent", sent_at=now())
    Delivery.objects.filter(status="pending").delete()

    assert "Send the failed ones again…" not in page_html(admin_client, edition)
    assert "no delivery of it has failed" in post(admin_client, "resend", edition).content.decode()


@pytest.mark.parametrize("name", ["correct", "resend"])
def test_a_view_permission_neither_corrects_nor_resends(staff_client, failed, name):
    viewer = staff_client("digest.view_edition")

    assert viewer.post(url(name, failed), {"note": "x"}).status_code == 403
    assert viewer.get(url(name, failed)).status_code == 403


# --- End a stopped edition ------------------------------------------------------------------------


def test_a_stopped_edition_can_be_ended_before_its_deadline(admin_client, edition):
    post(admin_client, "stop", edition)
    assert "End it here…" in page_html(admin_client, edition)
    assert "The <strong>2 readers</strong> who have none yet do not get it." in (
        admin_client.get(url("end", edition)).content.decode()
    )

    response = admin_client.post(url("end", edition), follow=True)
    assert "Ended." in messages_of(response)
    edition.refresh_from_db()
    assert edition.status == "sent"
    left = Delivery.objects.filter(edition=edition).exclude(status="sent")
    assert set(left.values_list("status", "reason")) == {("skipped", "ended")}


def test_an_edition_ended_before_its_first_message_counts_as_skipped(admin_client, edition):
    factories.force_update(
        Delivery.objects.filter(status="sent"), status="pending", finished_at=None
    )
    post(admin_client, "stop", edition)
    admin_client.post(url("end", edition))

    edition.refresh_from_db()
    assert (edition.status, edition.reason) == ("skipped", "by-editor")


def test_an_edition_that_is_being_sent_cannot_be_ended(admin_client, edition):
    assert "It was not stopped: it is sending." in messages_of(
        admin_client.post(url("end", edition), follow=True)
    )
    edition.refresh_from_db()
    assert edition.status == "sending"
