"""Handle the signals of the subscribers app."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.dispatch import receiver

from digest.delivery.planning import reader_clock
from digest.delivery.planning.erasure import clear_late_replies, clear_replies, deliveries_to
from digest.delivery.planning.start import drop_reader
from digest.editions.draft.rhythm import rhythms
from subscribers.preferences.rhythm import Rhythm
from subscribers.signals import (
    data_export_requested,
    reading_hour_changed,
    rhythm_requested,
    subscriber_erased,
    subscription_ended,
)


@receiver(subscription_ended)
def drop_planned_deliveries(*, subscription_id: int, now: datetime, **_: Any) -> None:
    drop_reader(subscription_id=subscription_id, now=now)


@receiver(subscriber_erased)
def erase_server_replies(*, subscription_ids: list[int], now: datetime, **_: Any) -> None:
    clear_replies(subscription_ids=subscription_ids)
    transaction.on_commit(partial(clear_late_replies, subscription_ids=subscription_ids, now=now))


@receiver(data_export_requested)
def export_deliveries(*, subscriber_id: int, **_: Any) -> dict[str, Any]:
    return {"deliveries": deliveries_to(subscriber_id=subscriber_id)}


@receiver(reading_hour_changed)
def retime_planned_deliveries(*, subscriber_id: int, now: datetime, **_: Any) -> None:
    reader_clock.retime(subscriber_id=subscriber_id, now=now)


@receiver(rhythm_requested)
def provide_rhythms(*, newsletter_ids: list[int], **_: Any) -> dict[int, Rhythm]:
    return rhythms(newsletter_ids=newsletter_ids)
