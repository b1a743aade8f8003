"""The commands that draft, approve and send: clear messages and correct exit statuses."""

import io
import itertools
import re
import sys
from datetime import timedelta

import pytest
from celery.app.control import Inspect
from django.core.management import CommandError, call_command
from django.utils.timezone import now
from kombu.exceptions import OperationalError

from digest import tasks
from digest.delivery.lane import lane
from digest.delivery.planning import start
from digest.delivery.progress.watch import snapshot
from digest.editions.decide.approve import approve
from digest.management.commands import send_edition
from digest.models import Delivery, Edition
from digest.tasks import tick
from tests import factories
from tests.digest.delivery.conftest import status
from tests.factories import NOW
from tests.support.waiting import wait_for

pytestmark = pytest.mark.django_db


def current_edition(**fields):
    """Make an edition that is neither early nor late by the real clock."""
    return factories.edition(
        factories.newsletter(), sends_at=now(), deadline_at=now() + timedelta(hours=1), **fields
    )


def test_draft_prints_the_same_id_for_the_same_slot(capsys):
    newsletter = factories.newsletter()
    for _ in range(2):
        call_command("draft_edition", newsletter.slug, "--date", "2999-01-01")

    first, second = capsys.readouterr().out.split()
    assert first == second == str(Edition.objects.get().pk)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["draft_edition", "nothing"], "There is no newsletter “nothing”"),
        (["draft_edition", "daily", "--date", "tomorrow"], "“tomorrow” is not a date"),
        (["draft_edition", "daily", "--date", "2020-01-01"], "1 January 2020 is over"),
        (["approve_edition", "999999"], "There is no edition 999999"),
        (["send_edition", "999999"], "There is no edition 999999"),
    ],
)
def test_an_impossible_command_fails_with_a_plain_message(arguments, message):
    factories.newsletter(slug="daily")

    with pytest.raises(CommandError, match=message):
        call_command(*arguments)


def test_approve_edition_prints_when_the_edition_goes_out(capsys):
    later = now() + timedelta(hours=2)
    edition = factories.edition(
        factories.newsletter(), sends_at=later, deadline_at=later + timedelta(hours=1)
    )
    call_command("approve_edition", edition.pk)

    assert status(edition) == Edition.Status.APPROVED
    assert f"It goes out at {edition.sends_at:%H:%M on %-d %B %Y} (UTC)" in capsys.readouterr().out


def test_an_edition_approved_after_its_send_time_goes_out_immediately(capsys):
    call_command("approve_edition", current_edition().pk)

    assert "it goes out now" in capsys.readouterr().out


def test_approve_edition_names_the_problems_that_prevent_approval():
    edition = current_edition(subject="")

    with pytest.raises(CommandError, match=r"Not approved\. The edition has no subject\."):
        call_command("approve_edition", edition.pk)


def test_an_unapproved_edition_is_not_sent():
    edition = current_edition()

    with pytest.raises(CommandError, match=r"Not sent\. The edition is draft, not approved\."):
        call_command("send_edition", edition.pk)
    assert not Delivery.objects.exists()


def test_a_test_copy_goes_to_one_address_and_to_no_reader(relay, capsys):
    edition = current_edition()
    factories.subscription(edition.newsletter)
    call_command("send_edition", edition.pk, "--to", "Ed@Example.com")

    (mail,) = relay.received
    assert mail.rcpt_to == "Ed@example.com"
    assert "A test is on its way" in capsys.readouterr().out
    assert status(edition) == Edition.Status.DRAFT
    assert not Delivery.objects.exists()


def test_a_test_copy_that_the_relay_refuses_is_an_error(relay):
    relay.replies["ed@example.com"] = "550 5.7.1 not from here"

    with pytest.raises(CommandError, match=r"No test was sent. 550 5\.7\.1 not from here"):
        call_command("send_edition", current_edition().pk, "--to", "ed@example.com")


def test_a_test_copy_needs_a_valid_address(relay):
    with pytest.raises(CommandError, match="No test was sent"):
        call_command("send_edition", current_edition().pk, "--to", "nonsense")


def test_send_edition_with_wait_is_refused_without_a_worker(monkeypatch):
    # The worker process of the test session may be running for other tests, and would answer.
    monkeypatch.setattr(Inspect, "active_queues", lambda self: None)
    edition = approve(edition_id=current_edition().pk, now=NOW)

    with pytest.raises(CommandError, match="No Celery worker answers"):
        call_command("send_edition", edition.pk, "--wait")
    assert status(edition) == Edition.Status.APPROVED


def test_a_worker_that_answers_late_is_asked_again(monkeypatch):
    answers = iter([None, {"lanes@host": [{"name": "delivery"}]}])
    monkeypatch.setattr(Inspect, "active_queues", lambda self: next(answers))
    edition = current_edition()

    # It goes on to the next question: whether the newsletter has readers.
    approve(edition_id=edition.pk, now=NOW)
    with pytest.raises(CommandError, match="has no confirmed reader yet"):
        call_command("send_edition", edition.pk, "--wait")


@pytest.mark.parametrize("answers_again", [True, False])
def test_an_edition_under_way_is_watched_on_while_no_worker_answers(monkeypatch, answers_again):
    clock, asked = itertools.count(step=4), []
    edition = current_edition()
    factories.subscription(edition.newsletter)
    approve(edition_id=edition.pk, now=NOW)
    start.start_delivery(edition_id=edition.pk, now=now())
    start.plan_audience(edition_id=edition.pk, now=now())

    def active_queues(inspect):
        asked.append(inspect)
        if answers_again and len(asked) == 3:
            finish()
        if len(asked) == 2:
            raise OperationalError("the broker is away")

    def finish():
        factories.force_update(Delivery.objects.all(), status="sent", finished_at=now())
        factories.force_update(Edition.objects.all(), status="sent")

    monkeypatch.setattr(Inspect, "active_queues", active_queues)
    monkeypatch.setattr(send_edition.tasks, "start_lanes", lambda edition_id: None)
    monkeypatch.setattr(send_edition.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(send_edition.time, "sleep", lambda seconds: None)

    if answers_again:
        assert send_edition._follow(edition.pk, lambda found: None).done == 1
    else:
        with pytest.raises(CommandError, match=r"0 of 1 readers are done; the others get it once"):
            send_edition._follow(edition.pk, lambda found: None)
        assert len(asked) > 3


def test_an_edition_under_way_is_watched_although_no_worker_answers(monkeypatch, capsys):
    edition = current_edition()
    factories.subscription(edition.newsletter)
    approve(edition_id=edition.pk, now=NOW)
    start.start_delivery(edition_id=edition.pk, now=now())
    start.plan_audience(edition_id=edition.pk, now=now())
    monkeypatch.setattr(Inspect, "active_queues", lambda self: None)
    monkeypatch.setattr(send_edition, "_follow", lambda *args: send_edition._snapshot(edition.pk))

    with pytest.raises(CommandError, match="The edition is sending"):
        call_command("send_edition", edition.pk, "--wait")
    assert "sent 0, failed 0" in capsys.readouterr().out


@pytest.mark.django_db(transaction=True)
def test_send_edition_with_wait_ends_with_a_summary(worker, relay, capsys):
    edition = current_edition()
    for n in range(30):
        factories.subscription(edition.newsletter, f"r{n}@example.com")
    relay.replies["r7@example.com"] = "550 5.1.1 no such user"
    call_command("approve_edition", edition.pk)
    call_command("send_edition", edition.pk, "--wait")

    *_, domain, reason, last = capsys.readouterr().out.splitlines()
    assert domain == (
        "domain example.com: sent 29, failed 1, waiting 0, uncertain 0"
        " · last refusal: 550 5.1.1 no such user"
    )
    assert reason == "1 the address does not exist"
    assert re.match(r"sent 29, failed 1, skipped 0, uncertain 0 in \d+\.\d s", last)


@pytest.mark.django_db(transaction=True)
def test_a_terminal_shows_a_progress_bar_with_the_readers(worker, relay, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    edition = current_edition()
    for n in range(3):
        factories.subscription(edition.newsletter, f"r{n}@example.com")
    call_command("approve_edition", edition.pk)
    call_command("send_edition", edition.pk, "--wait", stdout=terminal)

    shown = terminal.getvalue()
    assert "Sending  [" in shown
    assert "3/3" in shown
    assert "100%" in shown


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def no_worker_sends(monkeypatch):
    """Pretend that there are workers, and that they have not begun."""
    monkeypatch.setattr(send_edition, "_require_worker", lambda: None)
    monkeypatch.setattr(tasks, "start_lanes", lambda edition_id: None)
    monkeypatch.setattr(send_edition, "enqueue", lambda task, **ids: None)
    monkeypatch.setattr(send_edition, "POLL_SECONDS", 0)


def test_an_interrupted_wait_leaves_the_edition_to_the_workers(no_worker_sends, monkeypatch):
    def interrupted(*args, **options):
        raise KeyboardInterrupt

    edition = current_edition()
    factories.subscription(edition.newsletter)
    approve(edition_id=edition.pk, now=NOW)
    monkeypatch.setattr(send_edition, "snapshot", interrupted)

    with pytest.raises(CommandError, match="the workers go on sending") as error:
        call_command("send_edition", edition.pk, "--wait")
    assert error.value.returncode == 130
    assert status(edition) == Edition.Status.SENDING


def test_a_line_is_written_every_five_seconds_without_a_terminal(
    no_worker_sends, monkeypatch, capsys
):
    edition = current_edition()
    factories.subscription(edition.newsletter)
    approve(edition_id=edition.pk, now=NOW)
    snapshots = itertools.count(1)

    def held_at_the_fifth(found, **options):
        if next(snapshots) == 5:
            start.hold_sending(
                edition_id=edition.pk, reason="refused", detail="550 5.7.1", now=now()
            )
        return snapshot(found, **options)

    monkeypatch.setattr(send_edition, "snapshot", held_at_the_fifth)

    with pytest.raises(CommandError, match="relay refuses our mail"):
        call_command("send_edition", edition.pk, "--wait")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("0 of 1. ")
    assert lines[1].startswith("sent 0, failed 0, skipped 0, uncertain 0 in ")


@pytest.mark.django_db(transaction=True)
def test_send_edition_with_wait_fails_if_the_relay_refuses_the_edition(worker, relay, capsys):
    edition = current_edition()
    factories.subscription(edition.newsletter, "r1@example.com")
    relay.replies["r1@example.com"] = "550 5.7.1 not from here"
    call_command("approve_edition", edition.pk)

    with pytest.raises(CommandError, match=r"relay refuses our mail\. 550 5\.7\.1 not"):
        call_command("send_edition", edition.pk, "--wait")
    assert "sent 0, failed 0, skipped 0, still waiting 1, uncertain 0 in" in capsys.readouterr().out


@pytest.mark.django_db(transaction=True)
def test_a_tick_resumes_a_delivery_whose_lanes_were_lost_with_the_queue(worker, relay):
    edition = current_edition()
    factories.subscription(edition.newsletter, "r1@example.com")
    approve(edition_id=edition.pk, now=NOW)
    start.start_delivery(edition_id=edition.pk, now=now())

    tick.delay()

    relay.wait_for_mail("r1@example.com")
    wait_for(lambda: status(edition) == Edition.Status.SENT, what="the edition's end")
    assert lane.run_lane(edition_id=edition.pk, lane="late", clock=now) is lane.End.DONE


def test_an_edition_without_a_confirmed_reader_is_not_sent():
    edition = current_edition()
    approve(edition_id=edition.pk, now=now())

    with pytest.raises(CommandError, match="no confirmed reader yet"):
        call_command("send_edition", str(edition.pk))

    edition.refresh_from_db()
    assert edition.status == Edition.Status.APPROVED


def test_a_test_copy_is_marked_in_its_subject(relay):
    call_command("send_edition", str(current_edition().pk), "--to", "editor@example.com")

    assert relay.wait_for_mail("editor@example.com").message["Subject"].startswith("[Test] ")
