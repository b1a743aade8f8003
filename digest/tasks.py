"""Find the work that is due, and run the digest's stages as Celery tasks."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Sequence
from uuid import uuid4

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from django.utils.timezone import now

from digest.delivery.lane import lane
from digest.delivery.lane.recover import recover
from digest.delivery.pacing import connection_slots
from digest.delivery.planning import due, finish, reader_clock, start
from digest.editions.decide import notify, remind
from digest.editions.decide import release as releases
from digest.editions.draft import draft, links, missed, refresh, slots
from digest.events import grouping, vectors
from digest.feeds import ingest
from digest.feeds.polling import due as polling
from digest.feeds.polling import hubs
from digest.models import Edition, Schedule
from subscribers.plumbing.queue import acknowledge, enqueue, enqueue_now, enqueue_once

logger = logging.getLogger(__name__)


@shared_task
def tick() -> None:
    """Find all due work by query and enqueue it, so that losing the queue loses no work.

    The steps are independent: an unexpected error in one does not stop the others.
    """
    at = now()
    for step in (
        _recover, _deliver, _release, _notify, _draft, _refresh, _fetch, _ask_hubs, _embed,
        _group,
    ):  # fmt: skip
        try:
            step(at)
        except Exception:
            logger.exception("A tick's step failed: %s", step.__name__.strip("_"))


def _recover(at: datetime.datetime) -> None:
    if lost := recover(now=at):
        logger.warning("%s deliveries are uncertain: their lanes stopped responding", lost)
    reader_clock.skip_late(now=at)
    finish.close_late(now=at)


def _deliver(at: datetime.datetime) -> None:
    for edition_id in start.half_planned():
        enqueue(plan_readers, edition_id=edition_id)
    for edition_id in due.due_sendings(now=at):
        # While all connection slots are taken, or no relay is available, no lane could finish it.
        if not finish.finish_if_done(edition_id=edition_id, now=at):
            start_lanes(edition_id)


def _release(at: datetime.datetime) -> None:
    for edition_id in releases.due_editions(now=at):
        enqueue(release, edition_id=edition_id)


def _notify(at: datetime.datetime) -> None:
    for edition_id in notify.due_notices(now=at):
        enqueue(notify_editors, edition_id=edition_id)
    for edition_id in remind.due_draft_notices(now=at):
        enqueue(tell_of_draft, edition_id=edition_id)
    for edition_id in remind.due_reminders(now=at):
        enqueue(remind_editors, edition_id=edition_id)


def _draft(at: datetime.datetime) -> None:
    for slot in slots.due_slots(now=at):
        enqueue(draft_slot, schedule_id=slot.schedule_id, date=slot.date.isoformat())
    missed.record_missed(now=at)


def _refresh(at: datetime.datetime) -> None:
    for story_id in links.due_links(now=at):
        enqueue(look_at_link, story_id=story_id)
    for edition_id in refresh.due_refreshes(now=at):
        enqueue(refresh_draft, edition_id=edition_id)


def _fetch(at: datetime.datetime) -> None:
    # Quiet feeds wait for hours, but not past a draft that may print what they have.
    soon = slots.drafting_soon(now=at, within=polling.BEFORE_DRAFT)
    polling.make_due_before_draft(soon, now=at)
    for feed_id, *then in polling.due_chains(now=at):
        enqueue(fetch_feed, feed_id=feed_id, then=then)


def _embed(at: datetime.datetime) -> None:
    if vectors.waiting(now=at).exists():
        enqueue_once(embed_titles.name)
    vectors.purge(now=at)


def _ask_hubs(at: datetime.datetime) -> None:
    for subscription_id in hubs.due_requests(now=at):
        enqueue(ask_hub, subscription_id=subscription_id)


def _group(at: datetime.datetime) -> None:
    for newsletter_id in grouping.due_newsletters(now=at):
        enqueue(group_stories, newsletter_id=newsletter_id)


# Seconds after which a waiting task expires. A tick has enqueued the same work again by then, so
# that a queue without workers does not fill up.
_EXPIRES_AFTER = 60
# Hostile markup in a feed can keep the parser busy for minutes; the fetch is cut off after this. A
# library in C that does not return to Python is cut off with its process.
_FETCH_SECONDS = 120
# A lane ends after half a minute. While there is no broker to hand over to, one task runs lane
# after lane.
_LANES_SECONDS = 86_400


@shared_task(expires=_EXPIRES_AFTER, soft_time_limit=_FETCH_SECONDS, time_limit=_FETCH_SECONDS + 30)
def fetch_feed(*, feed_id: int, then: Sequence[int] = ()) -> None:
    """Fetch a feed if it is its host's turn, and have the others (`then`) fetched after it."""
    rest = list(then)
    try:
        rest = ingest.fetch_chain(feed_ids=[feed_id, *then], now=now())
    except SoftTimeLimitExceeded:
        ingest.record_timeout(feed_id=feed_id, seconds=_FETCH_SECONDS, now=now())
    finally:
        # An unexpected error in one feed does not stop the others of its host.
        if rest:
            enqueue(fetch_feed, feed_id=rest[0], then=rest[1:])


@shared_task(expires=_EXPIRES_AFTER)
def embed_titles() -> None:
    """Make the vectors of one batch of titles; enqueue this again if there are more."""
    acknowledge(embed_titles.name)
    if vectors.embed_titles(now=now()):
        enqueue_once(embed_titles.name)


@shared_task(expires=_EXPIRES_AFTER)
def ask_hub(*, subscription_id: int) -> None:
    hubs.request(subscription_id=subscription_id, now=now())


@shared_task(expires=_EXPIRES_AFTER)
def group_stories(*, newsletter_id: int) -> None:
    grouping.group_stories(newsletter_id=newsletter_id, now=now())


@shared_task(expires=_EXPIRES_AFTER)
def draft_slot(*, schedule_id: int, date: str) -> None:
    schedule = Schedule.objects.select_related("newsletter").get(pk=schedule_id)
    _group_before_draft(schedule.newsletter_id, from_scratch=True)
    draft.draft_edition(
        newsletter=schedule.newsletter,
        schedule=schedule,
        date=datetime.date.fromisoformat(date),
        now=now(),
    )


def _group_before_draft(newsletter_id: int, *, from_scratch: bool) -> None:
    """Group what arrived in the last minutes: it may report what the draft prints already."""
    try:
        grouping.group_stories(newsletter_id=newsletter_id, now=now(), from_scratch=from_scratch)
    except Exception:
        logger.exception("Stories are not grouped before a draft, which is made all the same")


@shared_task
def release(*, edition_id: int) -> None:
    """Send, hold or skip an edition whose send time has come."""
    decision = releases.release(edition_id=edition_id, now=now())
    if decision is releases.Release.SEND:
        start_sending(edition_id=edition_id)
    elif decision in {releases.Release.HELD, releases.Release.SKIPPED}:
        enqueue(notify_editors, edition_id=edition_id)


@shared_task
def start_sending(*, edition_id: int) -> None:
    try:
        start.start_delivery(edition_id=edition_id, now=now())
    except start.NotStarted:
        # The edition's row says why, and a notice to the editors is due.
        enqueue(notify_editors, edition_id=edition_id)
    else:
        plan_readers(edition_id=edition_id)


@shared_task
def plan_readers(*, edition_id: int) -> None:
    """Plan one batch of readers, enqueue the next one, and start lanes for what is planned."""
    if start.plan_batch(edition_id=edition_id, now=now()):
        enqueue(plan_readers, edition_id=edition_id)
    start_lanes(edition_id)


@shared_task(expires=_EXPIRES_AFTER, time_limit=_LANES_SECONDS)
def send_lane(*, edition_id: int) -> None:
    end = lane.End.MORE
    while end is lane.End.MORE:
        # Each run gets a new lane name, because a task that the broker delivers again is not the
        # lane that died.
        end = lane.run_lane(edition_id=edition_id, lane=str(uuid4()), clock=now)
        if end in {lane.End.MORE, lane.End.STOPPED}:
            edition_id = due.next_in_turn(edition_id, now=now())
            if enqueue_now(send_lane, edition_id=edition_id):
                break
    if end is lane.End.HELD:
        enqueue(notify_editors, edition_id=edition_id)


@shared_task
def notify_editors(*, edition_id: int) -> None:
    notify.notify_editors(edition_id=edition_id, now=now())


@shared_task(expires=_EXPIRES_AFTER)
def refresh_draft(*, edition_id: int) -> None:
    newsletter_id = Edition.objects.values_list("newsletter", flat=True).get(pk=edition_id)
    # Also what has not settled yet: it would be taken for something new.
    if newsletter_id in grouping.due_newsletters(now=now() + grouping.SETTLED_AFTER):
        _group_before_draft(newsletter_id, from_scratch=False)
    refresh.refresh(edition_id=edition_id, now=now())


@shared_task(expires=_EXPIRES_AFTER)
def look_at_link(*, story_id: int) -> None:
    links.look_at_link(story_id=story_id, now=now())


@shared_task(expires=_EXPIRES_AFTER)
def tell_of_draft(*, edition_id: int) -> None:
    remind.tell_of_draft(edition_id=edition_id, now=now())


@shared_task(expires=_EXPIRES_AFTER)
def remind_editors(*, edition_id: int) -> None:
    remind.remind(edition_id=edition_id, now=now())


def start_lanes(edition_id: int) -> None:
    """Enqueue a lane for each free connection slot; a surplus lane ends immediately."""
    for _ in range(connection_slots.available()):
        enqueue(send_lane, edition_id=edition_id)
