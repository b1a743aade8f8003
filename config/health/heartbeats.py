"""Keep in Redis when beat, and a worker of each queue, had its last heartbeat.

Beat has one when it starts, and whenever the broker has taken a task from it, which is every 30
seconds. A worker has one for each queue that it takes tasks from, along with the heartbeat that
Celery sends. So a busy worker counts as alive: none of this waits in its queues.

Redis counts the seconds since the last one, by the time that a key has left. No clock of a host is
compared with another's.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from celery import current_app, signals
from django.conf import settings

from subscribers.plumbing import shared_redis

BEAT = "beat"
# Seconds without a heartbeat that count as dead: beat's comes every 30, a worker's every 10.
ALIVE_SECONDS = 75
# Seconds for which the time of the last one is known.
KEPT_SECONDS = 3600
# Seconds between two heartbeats of a worker. Celery sends one every two.
_INTERVAL = 10.0


class _WorkerHeart:
    """Records a worker's heartbeats; one for each process."""

    def __init__(self) -> None:
        self._last = -_INTERVAL

    def on_heartbeat_sent(self, **_: Any) -> None:
        now = time.monotonic()
        if now - self._last >= _INTERVAL:
            self._last = now
            record(*map(queue_name, current_app.amqp.queues.consume_from))


_worker_heart = _WorkerHeart()


def connect() -> None:
    """Record the heartbeats of this Celery app's workers and beat.

    Celery looks for receivers of its signal only when a worker starts.
    """
    signals.heartbeat_sent.connect(_worker_heart.on_heartbeat_sent)
    signals.beat_init.connect(_watch_beat)


def _watch_beat(**_: Any) -> None:
    # The first task is published half a minute after the start.
    record(BEAT)
    signals.after_task_publish.connect(_beat_published)


def _beat_published(**_: Any) -> None:
    record(BEAT)


def queue_name(queue: str) -> str:
    """Return the name of the heartbeats of a queue's workers."""
    return f"queue:{queue}"


def expected() -> list[str]:
    """Return who has to be alive: beat, and a worker for each queue that has tasks."""
    routed = {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()}
    return [BEAT, *map(queue_name, sorted(routed | {settings.CELERY_TASK_DEFAULT_QUEUE}))]


def record(*names: str) -> None:
    """Record a heartbeat of each of these. Without Redis nothing happens."""

    def write(redis: Any) -> None:
        pipeline = redis.pipeline(transaction=False)
        for name in names:
            pipeline.set(_key(name), "", ex=KEPT_SECONDS)
        pipeline.execute()

    with suppress(shared_redis.RedisUnavailable):
        shared_redis.run(write)


def ages() -> dict[str, float | None]:
    """Return the seconds since each expected heartbeat; None for none in the last hour.

    Raises:
        RedisUnavailable: nobody knows, because it does not answer or store anything.
    """
    names = expected()

    def read(redis: Any) -> list[int]:
        pipeline = redis.pipeline(transaction=False)
        for name in names:
            pipeline.pttl(_key(name))
        # A Redis that is full or read-only answers, and keeps no heartbeat.
        pipeline.set("config:health:asked", "", ex=KEPT_SECONDS)
        return list(pipeline.execute())[:-1]

    left = shared_redis.run(read)
    return {
        name: KEPT_SECONDS - milliseconds / 1000 if milliseconds >= 0 else None
        for name, milliseconds in zip(names, left, strict=True)
    }


def _key(name: str) -> str:
    return f"config:heartbeat:{name}"
