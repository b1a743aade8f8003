"""A Redis that cannot be reached."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache

from subscribers.plumbing import shared_redis


def take_redis_away(settings: Any, folder: Path) -> None:
    """Let nothing in this process reach Redis, with pytest-django's `settings`.

    `folder` has no socket in it.
    """
    settings.REDIS_URL = f"unix://{folder}/nobody.sock"
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": settings.REDIS_URL}}


@pytest.fixture
def no_redis(settings: Any, tmp_path: Path) -> Iterator[None]:
    """Let this test reach no Redis, and begin without anything stored in this process."""
    take_redis_away(settings, tmp_path)
    cache.clear()
    shared_redis.reset_redis_for_tests()
    yield
    cache.clear()
    shared_redis.reset_redis_for_tests()
