"""Set what holds for every test: its marks, its fixtures, and what it leaves behind."""

from __future__ import annotations

import gc
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import override_settings
from hypothesis import settings as hypothesis_settings

pytest_plugins = [
    "tests.servers.receiver",
    "tests.servers.relay",
    "tests.servers.web",
    "tests.support.api_clients",
    "tests.support.browser",
    "tests.support.database",
    "tests.support.no_redis",
    "tests.support.staff",
    "tests.support.worker",
]

# How long an example takes says more about the machine than about the code.
hypothesis_settings.register_profile("daybreak", deadline=None)
hypothesis_settings.load_profile("daybreak")

# `make test-fast` leaves out tests with these marks. Only such tests may start processes.
SLOW_MARKS = {"browser", "worker", "faults", "subprocess", "fuzzing"}


def pytest_itemcollected(item: pytest.Item) -> None:
    """Add the marks that follow from a test's fixtures or its folder."""
    if "worker" in getattr(item, "fixturenames", ()):
        item.add_marker("worker")
    if item.nodeid.startswith("tests/faults/"):
        item.add_marker("faults")


@pytest.fixture(autouse=True)
def _require_a_mark_for_processes(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fail a test that starts a process without such a mark, to keep `make test-fast` fast."""

    def refuse(self: object, *args: Any, **kwargs: Any) -> None:
        pytest.fail(f"mark the test that starts {args or kwargs} as one of {sorted(SLOW_MARKS)}")

    if not SLOW_MARKS & {mark.name for mark in request.node.iter_markers()}:
        monkeypatch.setattr(subprocess.Popen, "__init__", refuse)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run slow tests first, so that no xdist worker is busy at the end while the others wait."""
    items.sort(key=lambda item: not SLOW_MARKS & {mark.name for mark in item.iter_markers()})


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Exempt the code's own objects from garbage collection, which would take 10 % of the time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _fast_password_hasher() -> Iterator[None]:
    """Replace the password hasher, which takes half a second of a core on purpose.

    Most tests of the admin make an editor. Daybreak processes that tests start keep the real
    hasher.
    """
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    yield
    cache.clear()
