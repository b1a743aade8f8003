"""Give each worker a copy of one migrated database, and empty it after a test that commits."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache

import psycopg
from django.core.management import call_command
from django.db import OperationalError, connection, transaction

# What `migrate` makes is the same for every test.
MADE_BY_MIGRATE = {"django_migrations", "django_content_type", "auth_permission"}
LOCK = "SELECT pg_advisory_lock(hashtextextended('tests.database', 0))"


@contextmanager
def copied() -> Iterator[None]:
    """Inside, Django works on a copy of this run's migrated database.

    To migrate takes ten times as long as to copy what was migrated, so the first of the workers
    does it for all.
    """
    here = connection.settings_dict
    product, copy = here["NAME"], here["TEST"]["NAME"] or f"test_{here['NAME']}"
    template = f"migrated_{os.environ.get('PYTEST_XDIST_TESTRUNUID', os.getpid())}"
    with _server() as server:
        # Until the connection ends.
        server.execute(LOCK)
        if not server.execute("SELECT FROM pg_database WHERE datname = %s", [template]).fetchall():
            _migrate(server, template)
        _drop(server, copy)
        server.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{template}"')
    _use(copy)
    try:
        yield
    finally:
        _use(product)
        with _server() as server:
            _drop(server, copy)


def _migrate(server: psycopg.Connection, template: str) -> None:
    """Make the database, under its name only once it is whole."""
    left = "SELECT datname FROM pg_database WHERE starts_with(datname, 'migrated')"
    for (name,) in server.execute(left).fetchall():
        _drop(server, name)
    server.execute("CREATE DATABASE migrated_half")
    _use("migrated_half")
    call_command("migrate", verbosity=0)
    hold_to_moves()
    connection.close()
    server.execute(f'ALTER DATABASE migrated_half RENAME TO "{template}"')


def _server() -> psycopg.Connection:
    here = connection.settings_dict
    return psycopg.connect(host=here["HOST"], user=here["USER"], dbname="postgres", autocommit=True)


def _drop(server: psycopg.Connection, name: str) -> None:
    server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _use(name: str) -> None:
    """From now on Django works on this database, in every thread: they share the dictionary."""
    connection.close()
    connection.settings_dict["NAME"] = name


def hold_to_moves() -> None:
    """Hold every change of state, in every test, to its model's MOVES table.

    By a trigger, so that the workers' processes and plain SQL are held to it as well.
    """
    from digest.models import Delivery, Edition
    from subscribers.models import Subscription

    with connection.cursor() as cursor:
        for model in (Subscription, Edition, Delivery):
            table = model._meta.db_table
            moves = [f"{old}>{new}" for old, found in model.MOVES.items() for new in found]
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
    """Delete every row that a test can have made, once those still writing have finished.

    Of some forty tables a test fills five, and to truncate them all, as Django does, takes a
    second and more on a busy machine. The live server may be finishing a request whose answer the
    browser has, and a worker a task that the test did not wait for: they are waited for, and where
    they and this lock each other out, PostgreSQL ends one of both.
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
        # Neither foreign keys nor the guard of the consent ledger look on.
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
