"""A house of the tests' own, emptied for each, and the seeds by which chance is repeated."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis

from tests.conftest import ROOT
from tests.delivery.faults.house import House, SinkProcess

# CI takes one; `make faults SEEDS=10` takes more.
SEEDS = int(os.environ.get("FAULT_SEEDS") or 1)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "chance" in metafunc.fixturenames:
        metafunc.parametrize("chance", range(SEEDS), indirect=True, ids=lambda n: f"seed{n}")


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """The same for the same test and seed."""
    return random.Random(f"{request.node.originalname} {request.param}")  # noqa: S311


@pytest.fixture(scope="session")
def _house(request: pytest.FixtureRequest) -> Iterator[House]:
    sink = SinkProcess()
    name = os.environ.get("PYTEST_XDIST_WORKER", "alone")
    house = House(ROOT / "var" / f"faults-{name}", sink)
    unblocked = request.getfixturevalue("django_db_blocker").unblock
    try:
        with unblocked():
            house.move_in()
        house.start_clock()
        yield house
    finally:
        house.move_out()
        sink.stop()


@pytest.fixture
def house(_house: House, django_db_blocker: Any) -> Iterator[House]:
    """Empty, with a clock and an honest relay."""
    logs = set(_house.var.glob("celery-*.log"))
    with django_db_blocker.unblock(), _house.database():
        _house.empty()
        _house.sink.reset()
        yield _house
        _house.stop_workers()
        with Redis(unix_socket_path=_house.redis_socket) as redis:
            redis.flushall()
    for log in set(_house.var.glob("celery-*.log")) - logs:
        assert "is not in MOVES" not in log.read_text(errors="replace"), log
