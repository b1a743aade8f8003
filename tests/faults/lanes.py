"""Lanes in threads of this process, for faults that kill no process and need no worker."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

from django.conf import settings
from django.db import connection
from django.utils.timezone import now

from digest.delivery.lane import lane
from digest.delivery.lane.recover import recover
from digest.delivery.planning import start
from digest.models import Edition

# Seconds between two ticks of the clock, and between the end of a lane and the next lane.
TICK = 0.05


@contextmanager
def running(edition: Edition) -> Iterator[None]:
    """Plan the edition, and send it inside the block.

    There is a lane for each connection of its relay, and a clock. Workers do the same with the
    product's ticks, but here a lane that has ended is followed by another one much sooner.
    """
    start.start_delivery(edition_id=edition.pk, now=now())
    start.plan_audience(edition_id=edition.pk, now=now())
    over = threading.Event()

    def send() -> None:
        lane.run_lane(edition_id=edition.pk, lane=str(uuid4()), clock=now)

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
