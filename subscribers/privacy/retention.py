"""What is purged, and when: the one table of it, and the work, some rows at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import transaction
from django.db.models import Q, QuerySet

from subscribers.consent import guard, suppression
from subscribers.models import (
    AddressChange,
    ApiReceipt,
    Consent,
    RequestedMail,
    Subscription,
    WebhookDelivery,
)
from subscribers.privacy import erasure, inactive
from subscribers.signup import pending
from subscribers.transfer import files, jobs
from subscribers.webhooks.erasure import undelivered_about_erased

logger = logging.getLogger(__name__)

# Seconds between two runs. Expired data waits no longer than that.
INTERVAL_SECONDS = 600
# Rows of one step. They take a small part of a second, so nobody waits for their locks.
ROWS_PER_STEP = 2000
READERS_PER_STEP = 50
FILES_PER_STEP = 10

# The condition of the index consent_to_anonymise.
_NOT_ANONYMISED = Q(ip_address__isnull=False) | ~Q(user_agent="")

# A step takes `before` and `now`, and purges some of the data that is older than `before`.
# It returns how much that was, and whether there may be more.
Step = Callable[..., tuple[int, bool]]


@dataclass(frozen=True)
class RetentionRule:
    """One kind of data, the step that purges it, and the age at which it is purged."""

    what: str
    # The setting with the number of days, of which 0 keeps the data permanently; or the number.
    days: str | int
    step: Step

    def cutoff(self, now: datetime) -> datetime | None:
        """Return the time before which the data is old enough, or None: it is kept permanently."""
        days = getattr(settings, self.days) if isinstance(self.days, str) else self.days
        return now - timedelta(days=days) if days else None


def is_due() -> bool:
    """Tell whether a run is due; from then on none is due for INTERVAL_SECONDS."""
    return bool(cache.add("retention", 1, timeout=INTERVAL_SECONDS))


def purge(*, now: datetime) -> bool:
    """Take one step of each rule; return whether one reached its limit, so there may be more.

    If one step meets a fault of ours, the other steps are still taken.
    """
    busy = False
    for rule in RULES:
        try:
            busy = _take_step(rule, now=now) or busy
        except Exception:
            logger.exception("A step of the retention failed: %s", rule.what)
    return busy


def _take_step(rule: RetentionRule, *, now: datetime) -> bool:
    if (before := rule.cutoff(now)) is None:
        return False
    count, has_more = rule.step(before=before, now=now)
    if count:
        logger.info("Purged %s: %s", rule.what, count)
    return has_more


def _rows(find: Callable[[datetime], QuerySet[Any]]) -> Step:
    """Return the step that deletes the rows which `find` gives for a time."""

    def step(*, before: datetime, now: datetime) -> tuple[int, bool]:
        rows = find(before)
        # The model's own order would make PostgreSQL read the rows that are kept as well.
        ids = list(rows.order_by().values_list("pk", flat=True)[:ROWS_PER_STEP])
        rows.filter(pk__in=ids).delete()
        return len(ids), len(ids) == ROWS_PER_STEP

    return step


def _anonymise(*, before: datetime, now: datetime) -> tuple[int, bool]:
    """Empty the network address and the client's name in consent records.

    The rest of the record, above all the sentence that was seen, stays as long as the reader does.
    """
    with guard.anonymising():
        old = (
            Consent.objects.select_for_update(skip_locked=True)
            .filter(_NOT_ANONYMISED, created_at__lt=before)
            .order_by("created_at")
            .values_list("pk", flat=True)[:ROWS_PER_STEP]
        )
        count = Consent.objects.filter(pk__in=list(old)).update(ip_address=None, user_agent="")
    return count, count == ROWS_PER_STEP


def _erase_inactive(*, before: datetime, now: datetime) -> tuple[int, bool]:
    """Erase readers who left everything long ago; a hash keeps imports from writing to them."""
    batch = inactive.find_batch(
        before=before, max_rows=ROWS_PER_STEP, max_readers=READERS_PER_STEP, now=now
    )
    left = inactive.left_before(before)
    for subscriber_id in batch.readers:
        with transaction.atomic():
            suppression.block_imports()
            # The reader may be signing up again at this moment.
            found = Subscription.objects.filter(subscriber=subscriber_id).order_by("pk")
            theirs = found.select_for_update()
            if len(theirs) == len(theirs.filter(left)):
                erasure.erase(subscriber_id=subscriber_id, now=now, why="left long ago")
    return len(batch.readers), inactive.save_position(batch.position) and batch.has_more


def _files(purge: Callable[..., int]) -> Step:
    """Return the step that calls `purge` for some files."""

    def step(*, before: datetime, now: datetime) -> tuple[int, bool]:
        count = purge(before=before, limit=FILES_PER_STEP)
        return count, count == FILES_PER_STEP

    return step


# docs/privacy.md has the same rows, with the reasons.
RULES = (
    RetentionRule("sign-ups that nobody confirmed", "PENDING_DAYS", pending.erase_unconfirmed),
    RetentionRule(
        "network addresses and browsers in consent records", "RETENTION_NETWORK_DAYS", _anonymise
    ),
    RetentionRule("readers who left every newsletter", "RETENTION_INACTIVE_DAYS", _erase_inactive),
    RetentionRule(
        "uploaded lists and their refused rows",
        "RETENTION_IMPORT_DAYS",
        _files(jobs.purge_uploads),
    ),
    RetentionRule("uploaded lists without an import", 1, _files(files.purge_orphans)),
    RetentionRule(
        "requests for a link",
        1,
        _rows(lambda day: RequestedMail.objects.filter(due_at=None, change=None, asked_at__lt=day)),
    ),
    RetentionRule(
        "requests for a change of address",
        14,
        _rows(lambda day: AddressChange.objects.filter(created_at__lt=day)),
    ),
    RetentionRule(
        "events for webhooks",
        "RETENTION_WEBHOOK_DAYS",
        _rows(lambda day: WebhookDelivery.objects.filter(created_at__lt=day)),
    ),
    RetentionRule("undelivered events about erased readers", 30, _rows(undelivered_about_erased)),
    RetentionRule(
        "answers to repeated requests to the API",
        1,
        _rows(lambda day: ApiReceipt.objects.filter(created_at__lt=day)),
    ),
    RetentionRule(
        "wrong passwords of staff",
        1,
        _rows(lambda day: AccessAttempt.objects.filter(attempt_time__lt=day)),
    ),
    RetentionRule(
        # config.login.throttle.KNOWN_FOR
        "log-ins of staff",
        30,
        _rows(lambda day: AccessLog.objects.filter(attempt_time__lt=day)),
    ),
    RetentionRule(
        "expired sessions of staff",
        1,
        _rows(lambda day: Session.objects.filter(expire_date__lt=day)),
    ),
)
