"""Start the tests' own PostgreSQL and Redis before Django's settings are read.

This is a pytest plugin that pyproject.toml loads, because pytest-django reads the settings before
any conftest.py. The servers keep their data in var/test, apart from a developer's
data. Every xdist worker has a database and a Redis number of its own.
"""

import os
import re
import sys
from typing import Any

import psycopg
import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.support.paths import ROOT

os.environ["DAYBREAK_VAR"] = str(ROOT / "var" / "test")
from config.devserver import local

for name in ("DATABASE_URL", "REDIS_URL", "SITE_URL", "SECRET_KEY", "FETCH_ALLOW_HOSTS"):
    os.environ.pop(name, None)
os.environ["DEBUG"] = "true"
# No server listens on this port: tests that send mail take the `relay` fixture.
os.environ["EMAIL_RELAYS"] = "smtp://127.0.0.1:9"
os.environ["MAIL_DOMAIN"] = "mail.example.com"

# pytest rewrites the asserts of 200 files, which takes each of xdist's workers four seconds.
# Container images often set PYTHONDONTWRITEBYTECODE, and then the next run does it again.
sys.dont_write_bytecode = False

_xdist_worker = os.environ.get("PYTEST_XDIST_WORKER", "")
if not _xdist_worker:
    local.ensure_services()
    with psycopg.connect(
        host=local.database_settings()["HOST"],
        user="postgres",
        dbname="postgres",
        autocommit=True,
    ) as connection:
        # No test data needs to survive a power failure.
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")

_number = int(re.sub(r"\D", "", _xdist_worker) or -1) + 1
os.environ["REDIS_URL"] = f"unix://{local.redis_socket()}?db={_number + 1}"


@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return the number of workers for `-n auto`: two per core, since tests wait much of the time.

    Redis has sixteen databases, and each worker needs its own.
    """
    return min(2 * len(os.sched_getaffinity(0)), 12)


class Scheduling(LoadScopeScheduling):
    """Give each test to the least busy worker. Keep the fault tests together, and first.

    The fault tests share a clock and a PostgreSQL that they kill. So only one worker has to start
    these.
    """

    def _split_scope(self, nodeid: str) -> str:
        folder, _, file = nodeid.partition("::")[0].rpartition("/")
        if not folder.endswith("tests/faults"):
            return nodeid
        return file if file == "test_bad_relays.py" else folder


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    return Scheduling(config, log)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    if not _xdist_worker:
        from tests.support.worker import kill_left_behind  # which needs Django's settings

        kill_left_behind()
        local.stop_services()
