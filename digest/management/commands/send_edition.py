"""Send an approved edition from the command line, or one test of any edition."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import click
from celery import current_app
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.timezone import now
from kombu.exceptions import OperationalError

from digest import tasks
from digest.delivery.planning.finish import close_late
from digest.delivery.planning.start import NotStarted, start_delivery
from digest.delivery.progress.report import DeliveryTally, GroupTally, by_domain, tally
from digest.delivery.progress.watch import Snapshot, snapshot
from digest.delivery.progress.wording import per_second
from digest.delivery.send_test import TestNotSent, send_test
from digest.editions.decide import audience
from digest.editions.decide.early import uses_up_slot
from digest.models import Cadence, Delivery, Edition
from subscribers.addresses.address import BadAddress, normalise
from subscribers.plumbing.queue import enqueue

# In seconds: how often the counts are read, which costs little because progress.watch caches them;
# how often a line is written if there is no terminal; and how long there may be no progress before
# the workers are asked whether they are still running.
POLL_SECONDS, LINE_SECONDS, STALL_SECONDS = 0.5, 5.0, 10.0
# How often the workers are asked before the start, and how long none may answer while it is sent.
ASK_TIMES, SILENCE_SECONDS = 3, 120.0
# How many domains with trouble the summary names, and the exit status of an interrupted program.
MAX_DOMAINS, EXIT_INTERRUPTED = 5, 130


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
        began, sent_before = time.monotonic(), tally(edition_id).sent
        early = _slot_that_is_used_up(edition_id)
        # An edition that is under way is watched on: "nothing was sent" would be wrong.
        if (
            wait
            and not Edition.objects.filter(pk=edition_id, status=Edition.Status.SENDING).exists()
        ):
            _require_worker()
        _require_readers(edition_id)
        try:
            start_delivery(edition_id=edition_id, now=now())
        except NotStarted as error:
            raise CommandError(f"Not sent. {error}") from None
        enqueue(tasks.plan_readers, edition_id=edition_id)
        if early:
            self.stderr.write(early)
        if not wait:
            total = _snapshot(edition_id).total
            self.stdout.write(f"Sending to {total:,} readers; the workers do the rest.")
            return
        try:
            last = self._watch(edition_id)
        except KeyboardInterrupt:
            raise CommandError(
                "No longer watching; the workers go on sending.", returncode=EXIT_INTERRUPTED
            ) from None
        self._summarise(last, edition_id, time.monotonic() - began, sent_before)

    # --- While it is sent ---

    def _watch(self, edition_id: int) -> Snapshot:
        """Show the progress until the edition is no longer sending; return the last snapshot."""
        if not self.stdout.isatty():
            return _follow(edition_id, self._write_line)
        with click.progressbar(
            length=1,
            label="Sending",
            show_eta=False,
            item_show_func=_bar_text,
            update_min_steps=0,  # redraw also if only the text has changed
        ) as bar:
            return _follow(edition_id, lambda found: _draw(bar, found))

    def _write_line(self, found: Snapshot) -> None:
        if time.monotonic() - getattr(self, "_written_at", -LINE_SECONDS) >= LINE_SECONDS:
            self._written_at = time.monotonic()
            self.stdout.write(f"{found.done:,} of {found.total:,}. {found.line}".rstrip())
            self.stdout.flush()

    # --- At the end ---

    def _summarise(self, last: Snapshot, edition_id: int, seconds: float, sent_before: int) -> None:
        edition = Edition.objects.get(pk=edition_id)
        counts, relays = last.tally, last.report.relays
        self._write_groups("relay", relays if len(relays) > 1 else ())
        if counts.failed or counts.uncertain or counts.deferred or counts.throttled:
            domains = [group for group in by_domain(edition_id) if group.problem_count]
            domains.sort(key=lambda group: group.problem_count, reverse=True)
            self._write_groups("domain", domains[:MAX_DOMAINS])
        for reason, number in sorted(counts.reasons.items(), key=lambda item: -item[1]):
            self.stdout.write(f"{number:,} {Delivery.Reason(reason).label}")
        if counts.sent_again:
            self.stdout.write(f"{counts.sent_again:,} of the sent ones may have arrived twice.")
        self.stdout.write(_summary(counts, seconds, counts.sent - sent_before))
        if edition.status != Edition.Status.SENT:
            raise CommandError(
                f"The edition is {edition.get_status_display()}: {edition.get_reason_display()}. "
                f"{edition.reason_detail}".strip()
            )

    def _write_groups(self, kind: str, groups: Sequence[GroupTally]) -> None:
        for group in groups:
            refusal = f" · last refusal: {group.refusal}" if group.refusal else ""
            self.stdout.write(
                f"{kind} {group.name or 'others'}: sent {group.sent:,}, failed {group.failed:,}, "
                f"waiting {group.waiting:,}, uncertain {group.uncertain:,}{refusal}"
            )


def _summary(counts: DeliveryTally, seconds: float, sent: int) -> str:
    """Return the last line; `sent` counts what was sent while the command watched."""
    waiting = f"still waiting {counts.waiting:,}, " if counts.waiting else ""
    rate = f", {per_second(sent / seconds)}" if sent and seconds >= 1 else ""
    return (
        f"sent {counts.sent:,}, failed {counts.failed:,}, skipped {counts.skipped:,}, {waiting}"
        f"uncertain {counts.uncertain:,} in {seconds:.1f} s{rate}"
    )


def _draw(bar: Any, found: Snapshot) -> None:
    bar.length = max(found.total, 1)
    bar.update(found.done - bar.pos, found)


def _bar_text(found: Snapshot | None) -> str:
    """Return the text behind the progress bar."""
    return f"{found.done:,}/{found.total:,}  {found.line}" if found else ""


def _snapshot(edition_id: int) -> Snapshot:
    edition = Edition.objects.select_related("newsletter").get(pk=edition_id)
    return snapshot(edition, now=now())


def _follow(edition_id: int, show: Callable[[Snapshot], None]) -> Snapshot:
    done, moved_at = -1, time.monotonic()
    silent_since: float | None = None
    while True:
        edition = Edition.objects.select_related("newsletter").get(pk=edition_id)
        found = snapshot(edition, now=now())
        show(found)
        if edition.status != Edition.Status.SENDING:
            return found
        if found.done != done:
            done, moved_at, silent_since = found.done, time.monotonic(), None
        elif time.monotonic() - moved_at > STALL_SECONDS:
            # Perhaps no beat is running that would start lanes or close it at its deadline.
            tasks.start_lanes(edition_id)
            close_late(now=now())
            moved_at = time.monotonic()
            # A worker that hands over to the next lane, or a busy host, may not answer in time.
            answers = _worker_answers_while_sending()
            silent_since = None if answers else silent_since or moved_at
            if silent_since is not None and moved_at - silent_since > SILENCE_SECONDS:
                raise CommandError(
                    f"No worker has answered for {SILENCE_SECONDS:.0f} seconds. {found.done:,} of "
                    f"{found.total:,} readers are done; the others get it once a worker runs."
                )
        time.sleep(POLL_SECONDS)


def _require_readers(edition_id: int) -> None:
    """Refuse an approved edition without readers: sending it would only use up its stories."""
    edition = Edition.objects.select_related("newsletter").get(pk=edition_id)
    if edition.status == Edition.Status.APPROVED and not audience.readers(edition).exists():
        kind = "weekly" if edition.cadence == Cadence.WEEKLY else "confirmed"
        raise CommandError(f"Not sent. {edition.newsletter} has no {kind} reader yet.")


def _slot_that_is_used_up(edition_id: int) -> str:
    """Say which later day has no edition if this one is sent now; empty if none."""
    editions = Edition.objects.select_related("newsletter", "schedule__newsletter")
    edition = editions.get(pk=edition_id)
    if not uses_up_slot(edition, now=now()):
        return ""
    return (
        f"It is the edition of {edition.slot_date:%A, %-d %B %Y}: its schedule has no other on "
        "that day."
    )


def _require_worker() -> None:
    """Fail if no worker serves the queue: only workers send, so the wait would never end."""
    try:
        answers = any(_worker_answers() for _ in range(ASK_TIMES))
    except (OperationalError, OSError) as error:
        raise CommandError(f"The broker cannot be reached: {error}") from None
    if not answers:
        raise CommandError(
            f"No Celery worker answers for the queue “{_queue()}”, so nothing was sent. "
            "Start one (make run, or celery -A config worker) and send again."
        )


def _worker_answers_while_sending() -> bool:
    """Whether a worker answers; a broker that is away for a moment is no more than silence."""
    try:
        return _worker_answers()
    except (OperationalError, OSError):
        return False


def _worker_answers() -> bool:
    found = current_app.control.inspect(timeout=2).active_queues() or {}
    return any(queue["name"] == _queue() for queues in found.values() for queue in queues)


def _queue() -> str:
    return str(current_app.amqp.router.route({}, tasks.send_lane.name)["queue"].name)
