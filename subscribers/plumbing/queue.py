"""Enqueue tasks in such a way that a missing broker delays them and raises no error."""

from __future__ import annotations

import logging
from contextlib import suppress
from functools import partial
from typing import Any

from celery import Signature, Task, current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from subscribers.plumbing import shared_redis

logger = logging.getLogger(__name__)

# Seconds after which a task that no worker took may be enqueued again; about as long as a tick.
DEDUP_SECONDS = 20


def enqueue(task: Task | Signature, **kwargs: Any) -> None:
    """Enqueue `task` once the transaction commits.

    The database holds what is due, and a beat tick finds it by query. So a broker that cannot be
    reached delays the work by one tick. That is logged, and nothing is raised.
    """
    transaction.on_commit(partial(_send, task, kwargs))


def enqueue_named(name: str, **kwargs: Any) -> None:
    """Do as `enqueue` for a task in a layer above the caller's, which cannot be imported there."""
    enqueue(current_app.signature(name), **kwargs)


def enqueue_once(name: str) -> None:
    """Enqueue the task of this name once the transaction commits, unless it is enqueued already.

    The task has no arguments. It begins with `acknowledge(name)` and then finds its work by query.
    So a thousand rows stored in a second are one message to the broker, not a thousand.
    """
    transaction.on_commit(partial(_send_once, name))


def acknowledge(name: str) -> None:
    """Record that the task has begun: whoever stores work from now on enqueues it again."""
    with suppress(shared_redis.RedisUnavailable):
        shared_redis.run(lambda redis: redis.delete(_dedup_key(name)))


def _send_once(name: str) -> None:
    try:
        is_first = shared_redis.run(
            lambda redis: redis.set(_dedup_key(name), 1, nx=True, ex=DEDUP_SECONDS)
        )
    except shared_redis.RedisUnavailable as error:
        logger.warning("%s waits for the next tick, Redis is unavailable: %s", name, error)
        return
    if is_first and not _send(current_app.signature(name), {}):
        acknowledge(name)


def _dedup_key(name: str) -> str:
    return f"subscribers:enqueued:{name}"


def enqueue_now(task: Task, **kwargs: Any) -> bool:
    """Enqueue `task` now; return whether a broker took it.

    It is for a task that continues the work itself if no broker takes the next one.
    """
    return _send(task, kwargs)


def _send(task: Task | Signature, kwargs: dict[str, Any]) -> bool:
    try:
        task.apply_async(kwargs=kwargs, retry=False)
    except OperationalError as error:
        logger.warning(
            "%s waits for the next tick, the broker is unavailable: %s", task.name, error
        )
        return False
    return True
