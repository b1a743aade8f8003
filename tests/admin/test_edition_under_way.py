"""An edition that has readers: stop it, correct it, go on, send it again."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils.timezone import now

from digest.admin import edition_actions, edition_under_way
from digest.delivery import plan
from digest.editions.approve import approve
from digest.models import Delivery, Edition
from subscribers.suppression import suppress
from tests import factories
from tests.admin.test_edition_actions import post, url
from tests.admin.test_edition_page import page_of, save, told

pytestmark = pytest.mark.django_db


@pytest.fixture
def edition():
    """On its way: of three readers one has it."""
    newsletter = factories.newsletter(timezone="Europe/London")
    found = [factories.subscription(newsletter, f"reader{n}@example.com") for n in range(3)]
    edition = factories.edition(
        newsletter,
        preheader="And more.",
        sends_at=now() - timedelta(minutes=5),
        deadline_at=now() + timedelta(hours=3),
    )
    approve(edition_id=edition.pk, now=now())
    plan.start_delivery(edition_id=edition.pk, now=now())
    plan.plan_audience(edition_id=edition.pk, now=now())
    first = Delivery.objects.filter(edition=edition, subscription=found[0])
    factories.put(first, status="sent", revision=1, finished_at=now())
    edition.refresh_from_db()
    return edition


@pytest.fixture
def stopped(desk, edition):
    post(desk, "stop", edition)
    return edition


@pytest.fixture(autouse=True)
def queued(monkeypatch):
    """What was handed to the broker: names of tasks, and editions whose lanes were enqueued."""
    handed = []
    monkeypatch.setattr(
        edition_actions, "enqueue", lambda task, **kwargs: handed.append((task.name, kwargs))
    )
    monkeypatch.setattr(edition_under_way, "start_lanes", handed.append)
    return handed


def shown(desk, edition, name=None):
    answer = desk.get(url(name, edition) if name else page_of(edition))
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def text(page):
    return page.replace("<strong>", "").replace("</strong>", "")


# --- Stop -----------------------------------------------------------------------------------------


def test_one_click_stops_it_and_the_page_says_how_to_go_on(desk, edition, editor):
    assert "Stop sending" in shown(desk, edition)

    answer = post(desk, "stop", edition)

    assert (edition.status, edition.reason) == ("held", "stopped")
    assert edition.reason_detail == str(editor)
    assert "Stopped." in told(answer)
    page = text(shown(desk, edition))
    assert "Version 1: 1 reader. Those who have none yet get version 1" in page
    assert "Save and go on sending" in page
    assert "Save and approve" not in page
    assert "Skip…" not in page


def test_it_can_be_stopped_from_the_overview(desk, edition):
    assert url("stop", edition) in desk.get(reverse("admin:index")).content.decode()


def test_stopping_is_a_post(desk, edition):
    assert desk.get(url("stop", edition)).status_code == 405
    edition.refresh_from_db()
    assert edition.status == "sending"


def test_who_may_only_look_cannot_stop_it(staff, edition):
    viewer = staff("digest.view_edition")

    assert "Stop sending" not in shown(viewer, edition)
    assert "Stop sending" not in viewer.get(reverse("admin:index")).content.decode()
    assert viewer.post(url("stop", edition)).status_code == 403


def test_what_was_finished_meanwhile_is_not_stopped_and_says_so(desk, edition):
    factories.put(Edition.objects.all(), status="sent", sent_at=now())

    assert "It is not on its way: it is sent." in told(post(desk, "stop", edition))


# --- Correct and go on ----------------------------------------------------------------------------


def test_unchanged_it_goes_on_with_those_who_are_left(desk, stopped, queued):
    page = text(save(desk, stopped, _send="").content.decode())
    assert "as it was, unchanged" in page
    assert "The 2 readers who have none yet get it." in page
    assert "1 reader has version 1; they get nothing more" in page

    answer = post(desk, "send", stopped, seen=page.split('name="seen" value="')[1].split('"')[0])

    assert "on its way" in told(answer)
    assert (stopped.status, stopped.revision) == ("approved", 1)
    assert queued == [("digest.tasks.release", {"edition_id": stopped.pk})]
    plan.start_delivery(edition_id=stopped.pk, now=now())
    stopped.refresh_from_db()
    assert stopped.status == "sending"


def test_corrected_it_goes_on_as_the_next_version(desk, stopped):
    answer = save(desk, stopped, _send="", **{"items-0-headline": "Put right"})
    page = text(answer.content.decode())
    assert "it goes on as version 2" in page

    post(desk, "send", stopped, seen=page.split('name="seen" value="')[1].split('"')[0])
    plan.start_delivery(edition_id=stopped.pk, now=now())

    stopped.refresh_from_db()
    assert stopped.revision == 2
    assert "Version 1: 1 reader; version 2: 0 readers" in text(shown(desk, stopped))


def test_its_approval_can_be_withdrawn_and_it_is_held_again(desk, stopped):
    Edition.objects.filter(pk=stopped.pk).update(sends_at=now() + timedelta(hours=1))
    approve(edition_id=stopped.pk, now=now())
    stopped.refresh_from_db()

    assert "held: readers have it already" in told(save(desk, stopped, _withdraw=""))
    assert (stopped.status, stopped.reason) == ("held", "stopped")


def test_an_approval_after_the_send_time_is_released_at_once(desk, queued):
    draft = factories.edition(
        factories.newsletter(), sends_at=now(), deadline_at=now() + timedelta(hours=1)
    )
    save(desk, draft, _approve="")

    assert queued == [("digest.tasks.release", {"edition_id": draft.pk})]


# --- An unusual number of readers -----------------------------------------------------------------


@pytest.fixture
def unusual(settings):
    """A draft for six readers where two are usual."""
    settings.AUDIENCE_GUARD_FROM = 5
    newsletter = factories.newsletter()
    for days in range(3):
        earlier = factories.edition(newsletter, stories=0, audience=2)
        when = now() - timedelta(days=days + 1)
        factories.put(
            Edition.objects.filter(pk=earlier.pk), status="sent", sending_at=when, sent_at=when
        )
    for _ in range(6):
        factories.subscription(newsletter)
    return factories.edition(
        newsletter, preheader="x", sends_at=now(), deadline_at=now() + timedelta(hours=1)
    )


def test_before_one_sends_one_sees_how_many_are_usual(desk, unusual, settings):
    settings.AUDIENCE_GUARD_FROM = 50

    assert "6 readers of" in text(shown(desk, unusual, "send"))
    assert "(usually about 2)" in shown(desk, unusual, "send")


def test_sending_to_an_unusual_number_is_a_yes_to_it(desk, unusual):
    page = shown(desk, unusual, "send")
    assert "An unusual number of readers." in page
    assert "Yes, send to 6 readers" in page

    seen = page.split('name="seen" value="')[1].split('"')[0]
    post(desk, "send", unusual, seen=seen, readers="6")

    assert unusual.audience_accepted == 6
    plan.start_delivery(edition_id=unusual.pk, now=now())
    unusual.refresh_from_db()
    assert (unusual.status, unusual.audience) == ("sending", 6)


def test_one_held_for_it_goes_out_once_an_editor_says_yes(desk, unusual):
    approve(edition_id=unusual.pk, now=now() - timedelta(minutes=1))
    with pytest.raises(plan.NotStarted):
        plan.start_delivery(edition_id=unusual.pk, now=now())
    unusual.refresh_from_db()
    page = shown(desk, unusual)
    assert "It would go to 6 readers" in page
    assert "Yes, send to 6 readers" in page
    assert "Send now…" not in page

    save(desk, unusual, _approve="", audience="6")

    assert unusual.status == "approved"
    plan.start_delivery(edition_id=unusual.pk, now=now())
    unusual.refresh_from_db()
    assert (unusual.status, unusual.audience) == ("sending", 6)


@pytest.mark.parametrize("number", ["", "²", "-1", "9" * 30, "x"])
def test_a_number_that_is_none_is_no_yes(desk, unusual, number):
    save(desk, unusual, _approve="", audience=number)

    assert unusual.audience_accepted is None


# --- Send the failed ones again -------------------------------------------------------------------


@pytest.fixture
def failed(edition):
    """Sent; one reader was refused, one does not exist."""
    factories.put(Edition.objects.filter(pk=edition.pk), status="sent", sent_at=now())
    for address, reason in (("reader1", "refused"), ("reader2", "bad-address")):
        rows = Delivery.objects.filter(subscription__subscriber__email=f"{address}@example.com")
        factories.put(rows, status="failed", reason=reason, finished_at=now())
    suppress(email="reader2@example.com", reason="bounce", now=now())
    edition.refresh_from_db()
    return edition


def test_the_failed_ones_are_sent_again_after_one_question(desk, failed, queued):
    assert "Send the failed ones again…" in shown(desk, failed)
    page = text(shown(desk, failed, "again"))
    assert "1 reader of" in page
    assert "refused by the receiving server 1." in page
    assert "1 more failed and is left out" in page
    assert failed.status == "sent"

    answer = post(desk, "again", failed)

    assert "On its way again to 1 reader." in told(answer)
    assert failed.status == "sending"
    assert queued == [failed.pk]


def test_past_the_deadline_one_has_to_say_for_how_long(desk, failed, queued):
    Edition.objects.update(deadline_at=now() - timedelta(hours=1))

    refused = post(desk, "again", failed)
    assert refused.context["form"].errors["hours"]
    assert (failed.status, queued) == ("sent", [])

    post(desk, "again", failed, hours="2")
    assert failed.status == "sending"
    assert timedelta(hours=1.9) < failed.deadline_at - now() < timedelta(hours=2)


def test_the_uncertain_are_sent_to_on_explicit_wish(desk, failed):
    rows = Delivery.objects.filter(subscription__subscriber__email="reader0@example.com")
    factories.put(rows, status="uncertain", uncertain_at=now(), finished_at=now())
    assert "Also the 1 whose answer was lost" in shown(desk, failed, "again")

    assert "to 2 readers" in told(post(desk, "again", failed, uncertain="on"))


def test_where_nobody_failed_nobody_is_asked(desk, edition):
    factories.put(Edition.objects.all(), status="sent", sent_at=now())
    Delivery.objects.filter(status="pending").delete()

    assert "Send the failed ones again…" not in shown(desk, edition)
    assert "no delivery of it has failed" in post(desk, "again", edition).content.decode()


@pytest.mark.parametrize("name", ["correct", "again"])
def test_who_may_only_look_does_neither(staff, failed, name):
    viewer = staff("digest.view_edition")

    assert viewer.post(url(name, failed), {"note": "x"}).status_code == 403
    assert viewer.get(url(name, failed)).status_code == 403


# --- End a stopped one ----------------------------------------------------------------------------


def test_a_stopped_edition_can_be_ended_before_its_deadline(desk, edition):
    post(desk, "stop", edition)
    assert "End it here…" in shown(desk, edition)
    assert "The <strong>2 readers</strong> who have none yet do not get it." in (
        desk.get(url("end", edition)).content.decode()
    )

    answer = desk.post(url("end", edition), follow=True)
    assert "Ended." in told(answer)
    edition.refresh_from_db()
    assert edition.status == "sent"
    left = Delivery.objects.filter(edition=edition).exclude(status="sent")
    assert set(left.values_list("status", "reason")) == {("skipped", "ended")}


def test_an_edition_ended_before_anybody_got_it_was_skipped_by_an_editor(desk, edition):
    factories.put(Delivery.objects.filter(status="sent"), status="pending", finished_at=None)
    post(desk, "stop", edition)
    desk.post(url("end", edition))

    edition.refresh_from_db()
    assert (edition.status, edition.reason) == ("skipped", "by-editor")


def test_what_goes_on_cannot_be_ended(desk, edition):
    assert "It was not stopped: it is sending." in told(desk.post(url("end", edition), follow=True))
    edition.refresh_from_db()
    assert edition.status == "sending"
