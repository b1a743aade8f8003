"""An edition's page and its history say what was so, what is so now, and who did it."""

import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils.timezone import now

from digest.admin.edition import decisions, under_way
from digest.delivery.planning import finish
from digest.delivery.planning.start import start_delivery
from digest.editions.decide import approve, stop
from digest.editions.decide.release import Release, release
from digest.editions.draft.missed import record_missed
from digest.models import Delivery, Edition
from tests import factories
from tests.digest.admin.edition.test_actions import post
from tests.digest.admin.edition.test_page import change_url, save

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_workers(monkeypatch):
    monkeypatch.setattr(decisions, "enqueue", lambda *args, **kwargs: None)
    monkeypatch.setattr(under_way, "start_lanes", lambda edition_id: None)


@pytest.fixture
def edition():
    newsletter = factories.newsletter(timezone="Europe/London")
    factories.subscription(newsletter)
    return factories.edition(
        newsletter,
        schedule=factories.schedule(newsletter, unapproved="send", min_stories=1),
        preheader="And more.",
        slot_date=now().date(),
        sends_at=now() - timedelta(minutes=1),
        deadline_at=now() + timedelta(hours=5),
    )


def page_of(admin_client, edition):
    return admin_client.get(change_url(edition)).content.decode()


def history(admin_client, edition):
    url = reverse("admin:digest_edition_history", args=[edition.pk])
    return admin_client.get(url).content.decode()


def by_itself(admin_client, edition):
    """Return the automatic steps that the history shows, without their times."""
    page = history(admin_client, edition)
    assert "have a change history" not in page
    found = re.findall(r"<li>[^<]+: <strong>([^<]+)</strong>([^<]+)</li>", page)
    return ["".join(step) for step in found]


def steps(edition):
    entries = LogEntry.objects.filter(object_id=str(edition.pk)).order_by("pk")
    return [(entry.user.username, entry.get_change_message()) for entry in entries]


# --- Why it is held -------------------------------------------------------------------------------


def test_a_cause_that_is_gone_is_told_as_what_was(admin_client, edition):
    factories.propose(edition, note="word " * 25_000)
    assert release(edition_id=edition.pk, now=now()) is Release.HELD
    edition.refresh_from_db()
    page = page_of(admin_client, edition)
    assert "Why: failed its preflight checks: The mail has " in page
    assert "It was held because" not in page

    page = save(admin_client, edition, note="Short.").content.decode()

    assert "It was held because of this: failed its preflight checks: The mail has " in page
    assert "the checks find nothing now" in page
    assert "Why:" not in page
    assert "The mail has" not in admin_client.get("/admin/").content.decode()


def test_another_cause_than_then_is_told_as_what_is_found_now(admin_client, edition):
    factories.propose(edition, note="word " * 25_000)
    release(edition_id=edition.pk, now=now())
    edition.refresh_from_db()

    page = save(admin_client, edition, note="Short.", subject="").content.decode()

    assert "what the checks find now stands below" in page
    assert "The edition has no subject." in page


# --- Send again -----------------------------------------------------------------------------------


@pytest.mark.parametrize("is_suppressed", [False, True])
def test_sending_again_is_offered_only_if_somebody_would_get_it(
    admin_client, edition, is_suppressed
):
    reader = edition.newsletter.subscriptions.get()
    Delivery.objects.create(
        edition=edition, subscription=reader, status="failed", reason="bad-address"
    )
    if is_suppressed:
        factories.suppression(reader.subscriber.email)
    factories.publish(edition)

    url = reverse("admin:digest_edition_resend", args=[edition.pk])
    assert (url in page_of(admin_client, edition)) == (not is_suppressed)
    page = admin_client.get(url).content.decode()
    assert ('name="confirm"' in page) == (not is_suppressed)
    assert ("Nobody is left to send it to." in page) == is_suppressed


# --- History --------------------------------------------------------------------------------------


def test_the_history_names_who_approved_withdrew_skipped_and_reopened(admin_client, edition):
    Edition.objects.filter(pk=edition.pk).update(sends_at=now() + timedelta(hours=2))
    edition.refresh_from_db()

    save(admin_client, edition, _approve="")
    save(admin_client, edition, subject="Another")
    save(admin_client, edition, _approve="")
    save(admin_client, edition, _withdraw="")
    post(admin_client, "skip", edition, detail="A holiday")
    post(admin_client, "reopen", edition)
    post(admin_client, "send", edition, seen=approve.fingerprint(edition))
    factories.force_update(
        Edition.objects.filter(pk=edition.pk), status="sending", sending_at=now()
    )
    post(admin_client, "stop", edition)

    told = [
        "Approved.", "The edit withdrew the approval.", "Approved.", "Withdrew the approval.",
        "Skipped: A holiday", "Reopened: a draft again.", "Approved. Sent now.",
        "Stopped sending.",
    ]  # fmt: skip
    found = steps(edition)
    assert [what for _, what in found if what in told] == told
    assert {who for who, _ in found} == {"editor"}
    page = history(admin_client, edition)
    assert all(what in page for what in told)


@pytest.mark.django_db(transaction=True)
def test_a_post_to_the_history_shows_it(admin_client, edition):
    url = reverse("admin:digest_edition_history", args=[edition.pk])

    assert admin_client.post(url).status_code == 200


def test_looking_at_an_edition_leaves_no_trace_in_its_history(admin_client, edition):
    save(admin_client, edition, _preview="")
    save(admin_client, edition, _test="")

    assert steps(edition) == []


def test_an_edition_that_is_about_to_start_can_only_be_stopped(admin_client, edition):
    offered = 'name="_withdraw"', 'name="_send"', 'name="_skip"'
    Edition.objects.filter(pk=edition.pk).update(sends_at=now() + timedelta(hours=1))
    approve.approve(edition_id=edition.pk, actor="a command", now=now())
    assert all(button in page_of(admin_client, edition) for button in offered)

    Edition.objects.filter(pk=edition.pk).update(sends_at=now())
    page = page_of(admin_client, edition)

    assert "A worker is about to start." in page
    assert not any(button in page for button in offered)
    assert reverse("admin:digest_edition_stop", args=[edition.pk]) in page


def test_the_history_has_what_the_schedule_did(admin_client, edition):
    factories.propose(edition)
    moment = now()
    assert release(edition_id=edition.pk, now=moment) is Release.SEND
    start_delivery(edition_id=edition.pk, now=moment)
    stop.stop_sending(edition_id=edition.pk, detail="A typo", actor="a command", now=moment)
    finish.close_late(now=edition.deadline_at)

    assert by_itself(admin_client, edition) == [
        "Drafted, by the schedule",
        "Approved as it was proposed, since nobody had approved or changed it, by the autopilot",
        "Sending began, for 1 reader, by the autopilot",
        "Stopped: A typo, by a command",
        "Cut short at its deadline: 1 reader did not get it, by the autopilot",
        "Skipped, past its deadline: No message had gone out by then., by the autopilot",
    ]


def test_the_history_has_why_an_edition_is_held(admin_client, edition):
    factories.propose(edition, subject="")
    release(edition_id=edition.pk, now=now())
    held = "Held, failed its preflight checks: The edition has no subject., by the autopilot"
    assert by_itself(admin_client, edition) == ["Drafted, by the schedule", held]

    # It stays there when the edition's own row has forgotten it.
    Edition.objects.filter(pk=edition.pk).update(subject="A subject")
    approve.approve(edition_id=edition.pk, actor="a command", now=now())
    assert by_itself(admin_client, edition)[1:] == [held, "Approved, by a command"]


def test_the_history_has_a_missed_slot(admin_client):
    newsletter = factories.newsletter(timezone="Europe/London")
    factories.subscription(newsletter)
    factories.schedule(newsletter)
    pk, *_ = record_missed(now=now() + timedelta(days=2))

    last = by_itself(admin_client, Edition.objects.get(pk=pk))[-1]

    assert last == "Missed: Nothing ran in time to draft it., by the autopilot"
