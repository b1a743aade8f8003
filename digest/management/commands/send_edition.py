"""Send an approved edition from the command line, or one test of any edition."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import click
from celery import current_app
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.timezone import now
from kombu.exceptions import OperationalError

from digest import tasks
from digest.delivery.plan import NotStarted, close_late, start
from digest.delivery.proof import TestNotSent, send_test
from digest.delivery.report import Tally, tally
from digest.models import Edition
from subscribers.addresses import BadAddress, normalise
from subscribers.models import Subscription
from subscribers.queue import enqueue

# Seconds between looks, between lines where there is no terminal, and without any progress
# before the workers are asked whether they are still there.
LOOK, LINE, PATIENCE = 0.25, 5.0, 10.0


class Command(BaseCommand):
    help = "Send an approved edition to its readers now, or one test copy to an address."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("edition", metavar="ID", type=int, help="the edition's id")
        parser.add_argument(
            "--to", metavar="ADDRESS", help="send one test copy there and nothing else"
        )
        parser.add_argument(
            "--wait", action="store_true", help="show the progress until every reader is done"
        )

    def handle(self, *, edition: int, to: str | None, wait: bool, **options: Any) -> None:
        if not Edition.objects.filter(pk=edition).exists():
            raise CommandError(f"There is no edition {edition}.")
        if to:
            self._test(edition, to)
        else:
            self._send(edition, wait=wait)

    def _test(self, edition_id: int, to: str) -> None:
        try:
            address = normalise(to)
            send_test(edition_id=edition_id, to=address, now=now())
        except (BadAddress, TestNotSent) as error:
            raise CommandError(f"No test was sent. {error}") from None
        self.stdout.write(f"A test is on its way to {address}.")

    def _send(self, edition_id: int, *, wait: bool) -> None:
        began = time.monotonic()
        if wait:
            _insist_on_a_worker()
        _insist_on_readers(edition_id)
        try:
            start(edition_id=edition_id, now=now())
        except NotStarted as error:
            raise CommandError(f"Not sent. {error}") from None
        enqueue(tasks.plan_readers, edition_id=edition_id)
        total = Edition.objects.get(pk=edition_id).audience or 0
        if not wait:
            self.stdout.write(f"Sending to {total} readers; the workers do the rest.")
            return
        try:
            done = self._watch(edition_id, total)
        except KeyboardInterrupt:
            raise CommandError("No longer watching; the workers go on sending.") from None
        self._close(edition_id, done, time.monotonic() - began)

    def _watch(self, edition_id: int, total: int) -> Tally:
        """Follow the rows until the edition is no longer sending."""
        if not self.stdout.isatty():
            return _follow(edition_id, self._line)
        with click.progressbar(length=total, label="Sending", show_pos=True) as bar:
            return _follow(edition_id, lambda found: bar.update(found.settled - bar.pos))

    def _line(self, found: Tally) -> None:
        if time.monotonic() - getattr(self, "_said_at", 0) > LINE:
            self._said_at = time.monotonic()
            self.stdout.write(f"{found.settled} of {found.total}")
            self.stdout.flush()

    def _close(self, edition_id: int, done: Tally, seconds: float) -> None:
        edition = Edition.objects.get(pk=edition_id)
        if done.sent_again:
            self.stdout.write(f"{done.sent_again} of the sent ones may have arrived twice.")
        self.stdout.write(
            f"sent {done.sent}, failed {done.failed}, skipped {done.skipped}, "
            f"uncertain {done.uncertain} in {seconds:.1f} s"
        )
        if edition.status != Edition.Status.SENT:
            raise CommandError(
                f"The edition is {edition.get_status_display()}: {edition.get_reason_display()}. "
                f"{edition.reason_detail}".strip()
            )


def _follow(edition_id: int, show: Callable[[Tally], None]) -> Tally:
    settled, moved_at = -1, time.monotonic()
    while True:
        is_sending = Edition.objects.filter(pk=edition_id, status=Edition.Status.SENDING).exists()
        found = tally(edition_id)
        show(found)
        if not is_sending:
            return found
        if found.settled != settled:
            settled, moved_at = found.settled, time.monotonic()
        elif time.monotonic() - moved_at > PATIENCE:
            _insist_on_a_worker()
            # In case no beat runs that would take it up, or close it at its deadline.
            tasks.send_lanes(edition_id)
            close_late(now=now())
            moved_at = time.monotonic()
        time.sleep(LOOK)


def _insist_on_readers(edition_id: int) -> None:
    """An approved edition sent to nobody would only use up its stories."""
    edition = Edition.objects.select_related("newsletter").get(pk=edition_id)
    readers = Subscription.objects.filter(
        newsletter=edition.newsletter, status=Subscription.Status.ACTIVE
    )
    if edition.status == Edition.Status.APPROVED and not readers.exists():
        raise CommandError(f"Not sent. {edition.newsletter} has no confirmed reader yet.")


def _insist_on_a_worker() -> None:
    """Nobody sends but the workers; waiting for none would be waiting for ever."""
    try:
        queues = current_app.control.inspect(timeout=2).active_queues() or {}
    except (OperationalError, OSError) as error:
        raise CommandError(f"The broker cannot be reached: {error}") from None
    wanted = current_app.amqp.router.route({}, tasks.send_lane.name)["queue"].name
    if not any(queue["name"] == wanted for found in queues.values() for queue in found):
        raise CommandError(
            f"No Celery worker answers for the queue “{wanted}”, so nothing would be sent. "
            "Start one (make run, or celery -A config worker) and send again."
        )
