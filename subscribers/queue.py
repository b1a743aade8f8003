"""Hand a task to the broker in such a way that no broker means later, never an error."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from celery import Signature, Task, current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def enqueue(task: Task | Signature, **kwargs: Any) -> None:
    """Enqueue `task` once the transaction commits.

    The database holds what is due and a beat tick finds it by query, so a broker that cannot be
    reached delays the work by one tick; that is logged and nothing is raised.
    """
    transaction.on_commit(partial(_send, task, kwargs))


def enqueue_named(name: str, **kwargs: Any) -> None:
    """As `enqueue`, for a task whose module stands above the caller's and cannot be imported."""
    enqueue(current_app.signature(name), **kwargs)


def hand_over(task: Task, **kwargs: Any) -> bool:
    """Enqueue `task` now, for a task that goes on itself where no broker takes the next one."""
    return _send(task, kwargs)


def _send(task: Task | Signature, kwargs: dict[str, Any]) -> bool:
    try:
        task.apply_async(kwargs=kwargs, retry=False)
    except OperationalError as error:
        logger.warning("%s waits for the next tick, no broker: %s", task.name, error)
        return False
    return True
