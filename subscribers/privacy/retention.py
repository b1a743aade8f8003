"""Purge data that there is no reason to keep any longer, some rows at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models import Q
from redis.exceptions import RedisError

from subscribers.consent import guard, suppression
from subscribers.models import AddressChange, Consent, RequestedMail, Subscription
from subscribers.privacy import erasure, inactive
from subscribers.signup import pending
from subscribers.transfer import files, jobs
from subscribers.webhooks.erasure import purge_undelivered

logger = logging.getLogger(__name__)

# Seconds between two runs. Expired data waits no longer than that.
INTERVAL_SECONDS = 600
# Rows of one step. They take a small part of a second, so nobody waits for their locks.
ROWS_PER_STEP = 2000
READERS_PER_STEP = 50
FILES_PER_STEP = 10
# The age at which a file without an import is deleted. An upload gets its import long before that.
ORPHAN_AGE = timedelta(days=1)

# The condition of the index consent_to_fade.
_NOT_ANONYMISED = Q(ip_address__isnull=False) | ~Q(user_agent="")


def is_due() -> bool:
    """Tell whether a run is due. Without Redis it always is, since a run costs little."""
    try:
        return bool(cache.add("retention", 1, timeout=INTERVAL_SECONDS))
    except RedisError:
        return True


def purge(*, now: datetime) -> bool:
    """Run each step once; return whether a step reached its limit, so that there may be more.

    If one step meets a fault of ours, the other steps still run.
    """
    busy = False
    for step in STEPS:
        try:
            busy = step(now=now) or busy
        except Exception:
            logger.exception("A step of the retention failed: %s", step.__name__)
    return busy


def anonymise(*, now: datetime) -> bool:
    """Empty the network address and the client's name in consent records that are old enough.

    The rest of the record, above all the sentence that was seen, stays as long as the reader does.
    """
    cutoff = _cutoff(settings.RETENTION_NETWORK_DAYS, now)
    if cutoff is None:
        return False
    with guard.anonymising():
        old = (
            Consent.objects.select_for_update(skip_locked=True)
            .filter(_NOT_ANONYMISED, created_at__lt=cutoff)
            .order_by("created_at")
            .values_list("pk", flat=True)[:ROWS_PER_STEP]
        )
        anonymised = Consent.objects.filter(pk__in=list(old)).update(ip_address=None, user_agent="")
    _log(anonymised, "consent records are anonymised")
    return anonymised == ROWS_PER_STEP


def erase_inactive(*, now: datetime) -> bool:
    """Erase readers who left everything long ago; a hash keeps imports from writing to them."""
    cutoff = _cutoff(settings.RETENTION_INACTIVE_DAYS, now)
    if cutoff is None:
        return False
    batch = inactive.find_batch(
        before=cutoff, max_rows=ROWS_PER_STEP, max_readers=READERS_PER_STEP, now=now
    )
    left = inactive.left_before(cutoff)
    for subscriber_id in batch.readers:
        with transaction.atomic():
            suppression.block_imports()
            # The reader may be signing up again at this moment.
            found = Subscription.objects.filter(subscriber=subscriber_id).order_by("pk")
            theirs = found.select_for_update()
            if len(theirs) == len(theirs.filter(left)):
                erasure.erase(subscriber_id=subscriber_id, now=now, why="left long ago")
    _log(len(batch.readers), "readers who left long ago are erased")
    return inactive.save_position(batch.position) and batch.has_more


def purge_import_files(*, now: datetime) -> bool:
    """Delete the files of old imports, and files that belong to no import.

    The files hold more than was imported, and the evidence is kept elsewhere.
    """
    cutoff = _cutoff(settings.RETENTION_IMPORT_DAYS, now)
    purged = jobs.purge_uploads(before=cutoff, limit=FILES_PER_STEP) if cutoff else 0
    orphans = files.purge_orphans(before=now - ORPHAN_AGE, limit=FILES_PER_STEP)
    _log(purged, "files of imports are deleted")
    _log(orphans, "files that belonged to no import are deleted")
    return FILES_PER_STEP in (purged, orphans)


def purge_requested_mail(*, now: datetime) -> bool:
    """Delete old requests for a link or for a change of address.

    The ledger has their outcome. A requested mail names the address that was entered, whether it
    is a reader's or not. `requested_mail.purge_requests` deletes settled ones after a day, and
    changes after 14 days, whatever the setting says.
    """
    cutoff = _cutoff(settings.RETENTION_REQUEST_DAYS, now)
    if cutoff is None:
        return False
    deleted = 0
    for found in (
        RequestedMail.objects.filter(asked_at__lt=cutoff, change=None),
        AddressChange.objects.filter(created_at__lt=cutoff),
    ):
        ids = list(found.values_list("pk", flat=True)[:ROWS_PER_STEP])
        found.model.objects.filter(pk__in=ids).delete()
        deleted = max(deleted, len(ids))
    _log(deleted, "requests for a link or a change of address are deleted")
    return deleted == ROWS_PER_STEP


# A step returns whether it reached its limit, so that there may be more.
STEPS: list[Callable[..., bool]] = [
    pending.erase_unconfirmed,
    anonymise,
    erase_inactive,
    purge_import_files,
    purge_requested_mail,
    purge_undelivered,
]


def _cutoff(days: int, now: datetime) -> datetime | None:
    """Return the time before which data is old enough, or None: 0 days keep it permanently."""
    return now - timedelta(days=days) if days else None


def _log(count: int, what: str) -> None:
    if count:
        logger.info("Retention: %s %s", count, what)
