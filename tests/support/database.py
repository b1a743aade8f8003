"""Give each worker a copy of one migrated database, and empty it after a test that commits."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import OperationalError, connection, transaction
from django.test import TransactionTestCase

# `migrate` fills these tables, and no test changes them.
MADE_BY_MIGRATE = {"django_migrations", "django_content_type", "auth_permission"}
LOCK = "SELECT pg_advisory_lock(hashtextextended('tests.database', 0))"


@contextmanager
def migrated_copy() -> Iterator[None]:
    """Let Django work on a copy of this run's migrated database.

    A migration takes ten times as long as a copy of its result, so the first worker migrates for
    all of them.
    """
    config = connection.settings_dict
    own_name, copy = config["NAME"], config["TEST"]["NAME"] or f"test_{config['NAME']}"
    template = _template()
    with _server() as server:
        # The lock is held until the connection ends.
        server.execute(LOCK)
        if not server.execute("SELECT FROM pg_database WHERE datname = %s", [template]).fetchall():
            _migrate(server, template)
        _drop(server, copy)
        server.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{template}"')
    _use(copy)
    try:
        yield
    finally:
        _use(own_name)
        with _server() as server:
            _drop(server, copy)


@pytest.fixture
def empty_database(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Let Django work on a database without a table, for tests of migrations."""
    with django_db_blocker.unblock(), _spare_database("template1"):
        yield


@pytest.fixture
def spare_database(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Let Django work on another migrated database, which the test may leave in pieces."""
    with django_db_blocker.unblock(), _spare_database(_template()):
        yield


@contextmanager
def _spare_database(template: str) -> Iterator[None]:
    own_name = connection.settings_dict["NAME"]
    name = f"spare_for_{own_name}"
    with _server() as server:
        _drop(server, name)
        server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        _use(name)
        try:
            yield
        finally:
            _use(own_name)
            _drop(server, name)


def _migrate(server: psycopg.Connection, template: str) -> None:
    """Make the migrated database. It gets its name only when it is complete."""
    find_old = "SELECT datname FROM pg_database WHERE starts_with(datname, 'migrated')"
    for (name,) in server.execute(find_old).fetchall():
        _drop(server, name)
    server.execute("CREATE DATABASE migrated_half")
    _use("migrated_half")
    call_command("migrate", verbosity=0)
    enforce_moves()
    connection.close()
    server.execute(f'ALTER DATABASE migrated_half RENAME TO "{template}"')


def _template() -> str:
    """Return the name of this run's migrated database."""
    return f"migrated_{os.environ.get('PYTEST_XDIST_TESTRUNUID', os.getpid())}"


def _server() -> psycopg.Connection:
    config = connection.settings_dict
    return psycopg.connect(
        host=config["HOST"], user=config["USER"], dbname="postgres", autocommit=True
    )


def _drop(server: psycopg.Connection, name: str) -> None:
    server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _use(name: str) -> None:
    """Let Django work on this database, in every thread: the threads share the dictionary."""
    connection.close()
    connection.settings_dict["NAME"] = name


def sessions() -> set[int]:
    """Return the PostgreSQL processes that serve other connections to this test's database.

    The one of a killed client may still commit what that client sent last. So a test that kills a
    process and reads what it left waits until its sessions are gone.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        return {pid for (pid,) in cursor.fetchall()}


def enforce_moves() -> None:
    """Refuse, in every test, a change of state that its model's MOVES table does not allow.

    A trigger does it, so that the rule covers worker processes and plain SQL as well.
    """
    from digest.models import Delivery, Edition
    from subscribers.models import Subscription

    with connection.cursor() as cursor:
        for model in (Subscription, Edition, Delivery):
            table = model._meta.db_table
            moves = [f"{old}>{new}" for old, states in model.MOVES.items() for new in states]
            allowed = ", ".join(f"'{move}'" for move in moves)
            cursor.execute(f"""
                CREATE OR REPLACE FUNCTION {table}_moves() RETURNS trigger AS $$
                BEGIN
                    IF OLD.status || '>' || NEW.status NOT IN ({allowed}) THEN
                        RAISE EXCEPTION '{table}: % to % is not in MOVES', OLD.status, NEW.status;
                    END IF;
                    RETURN NEW;
                END $$ LANGUAGE plpgsql;
                CREATE OR REPLACE TRIGGER moves BEFORE UPDATE ON {table} FOR EACH ROW
                WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION {table}_moves();
            """)


def empty() -> None:
    """Delete every row that a test can have made, after other processes have finished writing.

    A test fills five of some forty tables. Truncating them all, as Django does, takes a second or
    more on a busy machine.

    The live server may still be finishing a request whose response the browser has. A worker may
    still be running a task that the test did not wait for. The table lock waits for both. In a
    deadlock with one of them PostgreSQL ends either side, so the deletion is tried again.
    """
    for _ in range(4):
        with suppress(OperationalError):
            return _delete_all()
        connection.close()
        time.sleep(0.1)
    return _delete_all()


def _delete_all() -> None:
    tables = _tables()
    with transaction.atomic(), connection.cursor() as cursor:
        # This switches off foreign keys and the trigger that protects the consent ledger.
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("SET LOCAL lock_timeout = '20s'")
        cursor.execute(f"LOCK TABLE {', '.join(tables)} IN SHARE ROW EXCLUSIVE MODE")
        filled = [f"SELECT '{table}' WHERE EXISTS (SELECT FROM {table})" for table in tables]
        cursor.execute(" UNION ALL ".join(filled))
        for (table,) in cursor.fetchall():
            cursor.execute(f"DELETE FROM {table}")


@cache
def _tables() -> list[str]:
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return sorted(set(names) - MADE_BY_MIGRATE)


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_modify_db_settings: None, django_db_blocker: Any
) -> Iterator[None]:
    """Replace pytest-django's fixture, which migrates a database for each worker."""
    with django_db_blocker.unblock(), migrated_copy():
        yield


@pytest.fixture(scope="session", autouse=True)
def _empty_database_by_delete() -> Iterator[None]:
    """Delete the rows after a test that commits, instead of Django's `flush`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda self: empty())
        yield
