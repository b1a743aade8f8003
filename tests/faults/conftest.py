"""A Daybreak deployment for these tests, emptied for each, and their random seeds."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis

from tests.faults.deployment import Deployment, SinkProcess
from tests.support.paths import ROOT

# CI uses one seed; `make faults SEEDS=10` uses ten.
SEEDS = int(os.environ.get("FAULT_SEEDS") or 1)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "rng" in metafunc.fixturenames:
        metafunc.parametrize("rng", range(SEEDS), indirect=True, ids=lambda n: f"seed{n}")


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """Return a random generator that is the same for the same test and seed."""
    return random.Random(f"{request.node.originalname} {request.param}")  # noqa: S311


@pytest.fixture(scope="session")
def _deployment(request: pytest.FixtureRequest) -> Iterator[Deployment]:
    sink = SinkProcess()
    name = os.environ.get("PYTEST_XDIST_WORKER", "alone")
    deployment = Deployment(ROOT / "var" / f"faults-{name}", sink)
    unblocked = request.getfixturevalue("django_db_blocker").unblock
    try:
        with unblocked():
            deployment.set_up()
        deployment.start_clock()
        yield deployment
    finally:
        deployment.tear_down()
        sink.stop()


@pytest.fixture
def deployment(_deployment: Deployment, django_db_blocker: Any) -> Iterator[Deployment]:
    """Return the deployment, empty, with a clock and with a relay that has no faults."""
    logs = set(_deployment.var.glob("celery-*.log"))
    with django_db_blocker.unblock(), _deployment.database():
        _deployment.empty()
        _deployment.sink.reset()
        yield _deployment
        _deployment.stop_workers()
        with Redis(unix_socket_path=_deployment.redis_socket) as redis:
            redis.flushall()
    for log in set(_deployment.var.glob("celery-*.log")) - logs:
        assert "is not in MOVES" not in log.read_text(errors="replace"), log
