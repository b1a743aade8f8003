"""Lanes in threads of this process, where a fault kills nobody and needs no worker."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

from django.conf import settings
from django.db import connection
from django.utils.timezone import now

from digest.delivery import lane, plan
from digest.delivery.recover import recover
from digest.models import Edition

# Seconds between two looks of the clock, and of a lane that found nothing to do.
TICK = 0.05


@contextmanager
def running(edition: Edition) -> Iterator[None]:
    """Plan the edition, and inside send it: a lane for each connection of its relay, and a clock.

    As workers do it with the product's ticks, but sooner: a lane that has ended is followed by
    another one at once.
    """
    plan.start(edition_id=edition.pk, now=now())
    plan.plan_audience(edition_id=edition.pk, now=now())
    over = threading.Event()

    def send() -> None:
        lane.run(edition_id=edition.pk, lane=str(uuid4()), clock=now)

    def tick() -> None:
        recover(now=now())

    def repeat(work: Callable[[], object]) -> None:
        try:
            while not over.is_set():
                work()
                over.wait(TICK)
        finally:
            connection.close()

    (relay,) = settings.EMAIL_RELAYS
    threads = [
        threading.Thread(target=repeat, args=[work], daemon=True)
        for work in [tick, *[send] * relay.connections]
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in threads)
