"""Act on news from the subscribers app."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.dispatch import receiver

from digest.delivery.plan import drop_reader
from subscribers.signals import subscription_ended


@receiver(subscription_ended)
def stop_what_was_planned(*, subscription_id: int, now: datetime, **_: Any) -> None:
    drop_reader(subscription_id=subscription_id, now=now)
