"""Each migration can be undone, and none keeps readers waiting while it reads a large table."""

from __future__ import annotations

import json
import re
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently
from django.db import connection, migrations, models
from django.db.migrations.exceptions import IrreversibleError
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import RunPython
from django.db.migrations.state import ProjectState

OWN = {"digest", "subscribers"}
# The tables with the rows that editors and operators make by hand, or one per edition: to read
# such a table takes a moment. Every other table is taken for a large one.
SMALL = {
    "digest_edition",
    "digest_editionitem",
    "digest_feed",
    "digest_frozen",
    "digest_schedule",
    "subscribers_apitoken",
    "subscribers_growthmark",
    "subscribers_importjob",
    "subscribers_newsletter",
    "subscribers_section",
    "subscribers_webhook",
}
# squawk finds what holds a lock while it reads or writes a table. Some of its rules are about other
# things:
NOT_OURS = (
    # docs/upgrading.md has the previous version stopped before a migration.
    "adding-required-field",
    "ban-drop-column",
    "ban-drop-default",
    "ban-drop-not-null",
    "ban-drop-table",
    "renaming-column",
    "renaming-table",
    # It has the operator set the timeout for the whole command.
    "require-lock-timeout",
    "require-statement-timeout",
    # Types and statements are Django's choice.
    "prefer-bigint-over-int",
    "prefer-bigint-over-smallint",
    "prefer-identity",
    "prefer-robust-stmts",
    "prefer-text-field",
    "prefer-timestamptz",
)
# The name, type and definition of everything in the schema, one row each.
SCHEMA = """
SELECT 'column', attrelid::regclass::text, attname,
       format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END
       || COALESCE(' DEFAULT ' || pg_get_expr(adbin, adrelid), '')
  FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
  LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
 WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped
UNION ALL
SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
  FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
UNION ALL
SELECT 'index', indrelid::regclass::text, indexrelid::regclass::text,
       pg_get_indexdef(indexrelid) || CASE WHEN indisvalid THEN '' ELSE ' INVALID' END
  FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
 WHERE relnamespace = 'public'::regnamespace
UNION ALL
SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(oid)
  FROM pg_trigger WHERE NOT tgisinternal
UNION ALL
SELECT 'function', '', proname, pg_get_functiondef(oid)
  FROM pg_proc WHERE pronamespace = 'public'::regnamespace
"""


def schema() -> set[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(SCHEMA)
        return set(cursor.fetchall())


def own_migrations() -> Iterator[tuple[migrations.Migration, ProjectState]]:
    """Yield each migration of ours with the state that it begins with."""
    loader = MigrationLoader(None)
    for key, migration in sorted(loader.disk_migrations.items()):
        if migration.app_label in OWN:
            yield migration, loader.project_state(key, at_end=False)


def next_migration(
    *operations: migrations.operations.base.Operation, atomic: bool = True
) -> tuple[migrations.Migration, ProjectState]:
    """Return a migration that comes after ours."""
    made = migrations.Migration("next", "subscribers")
    made.operations, made.atomic = list(operations), atomic
    return made, MigrationLoader(None).project_state()


# --- Reversible -----------------------------------------------------------------------------------


def undo_and_redo(executor: MigrationExecutor, migration, state: ProjectState) -> None:
    """Apply, undo and apply a migration; fail unless the schema follows."""
    before = schema()
    executor.apply_migration(state.clone(), migration)
    after = schema()
    executor.unapply_migration(state.clone(), migration)
    assert schema() == before, f"{migration} leaves something behind when it is undone"
    executor.apply_migration(state.clone(), migration)
    assert schema() == after, f"{migration} does less when it is applied again"


def test_each_migration_can_be_undone_and_applied_again(empty_database):
    executor = MigrationExecutor(connection)
    executor.recorder.ensure_schema()
    undone = set()
    for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes()):
        state = executor.loader.project_state((migration.app_label, migration.name), at_end=False)
        if migration.app_label in OWN:
            undo_and_redo(executor, migration, state)
            undone.add(migration.app_label)
        else:
            executor.apply_migration(state, migration)

    assert undone == OWN
    assert {name for kind, _, name, _ in schema() if kind == "trigger"} == {
        "consent_append_only",
        "consent_no_truncate",
    }


@pytest.mark.parametrize(
    ("operation", "error"),
    [
        (migrations.RunSQL("CREATE TABLE public.left_behind (id bigint)"), IrreversibleError),
        (
            migrations.RunSQL(
                "CREATE TABLE public.left_behind (id bigint)", migrations.RunSQL.noop
            ),
            AssertionError,
        ),
    ],
)
def test_a_migration_that_cannot_be_undone_is_found(empty_database, operation, error):
    executor = MigrationExecutor(connection)
    executor.recorder.ensure_schema()
    migration, _ = next_migration(operation)

    with pytest.raises(error):
        undo_and_redo(executor, migration, ProjectState())


# --- Safe on a large table ------------------------------------------------------------------------


def statements(migration, state: ProjectState) -> list[str]:
    """Return the SQL of a migration, without what concerns small and new tables alone."""
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        migration.apply(state.clone(), editor, collect_sql=True)
    new = set(re.findall(r'CREATE TABLE "?(\w+)', "\n".join(editor.collected_sql)))
    tables = {model._meta.db_table for model in apps.get_models()} | new
    return [sql for sql in editor.collected_sql if first_of(tables, sql) not in SMALL | new]


def first_of(tables: set[str], sql: str) -> str | None:
    """Return the table that the statement changes: it names no other before."""
    return next((word for word in re.findall(r"\w+", sql) if word in tables), None)


def blocking(migration, state: ProjectState) -> list[str]:
    """Return the rules of squawk that the migration breaks, each with its explanation."""
    run = subprocess.run(
        [
            Path(sysconfig.get_path("scripts"), "squawk"),
            *("--reporter", "json", "--pg-version", "15", "--exclude", ",".join(NOT_OURS)),
            *(["--assume-in-transaction"] if migration.atomic else ["--no-assume-in-transaction"]),
            *("--stdin-filepath", f"{migration.name}.sql"),
        ],
        input="\n".join(statements(migration, state)),
        capture_output=True,
        text=True,
    )
    assert run.returncode in {0, 1}, run.stderr
    return [f"{broken['rule_name']}: {broken['message']}" for broken in json.loads(run.stdout)]


@pytest.mark.subprocess
@pytest.mark.django_db(transaction=True)
def test_no_migration_locks_a_large_table_while_it_reads_it():
    found = {str(migration): blocking(migration, state) for migration, state in own_migrations()}

    assert len(found) >= 3
    assert {name: rules for name, rules in found.items() if rules} == {}


KIND = models.Q(kind__in=["signup"])
BLOCKING = {
    "require-concurrent-index-creation": migrations.AddIndex(
        "subscriber", models.Index(fields=["name"], name="subscriber_name")
    ),
    "constraint-missing-not-valid": migrations.AddConstraint(
        "consent", models.CheckConstraint(condition=KIND, name="consent_kind")
    ),
    "disallowed-unique-constraint": migrations.AddConstraint(
        "subscriber", models.UniqueConstraint(fields=["name"], name="subscriber_name")
    ),
    "adding-foreign-key-constraint": migrations.AddField(
        "consent",
        "newsletter",
        models.ForeignKey("subscribers.newsletter", models.CASCADE, null=True, db_index=False),
    ),
    "changing-column-type": migrations.AlterField("consent", "wording_version", models.TextField()),
    "adding-field-with-default": migrations.RunSQL(
        "ALTER TABLE subscribers_consent ADD COLUMN by uuid DEFAULT gen_random_uuid()"
    ),
    "adding-not-nullable-field": migrations.RunSQL(
        "ALTER TABLE subscribers_subscriber ALTER COLUMN erased_at SET NOT NULL"
    ),
}


@pytest.mark.subprocess
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("rule", BLOCKING)
def test_a_migration_that_locks_a_large_table_is_found(rule):
    assert rule in "\n".join(blocking(*next_migration(BLOCKING[rule])))


@pytest.mark.subprocess
@pytest.mark.django_db(transaction=True)
def test_what_locks_nobody_out_and_what_concerns_a_small_table_passes():
    name = models.Index(fields=["name"], name="by_name")
    safe = [
        next_migration(AddIndexConcurrently("subscriber", name), atomic=False),
        next_migration(
            AddConstraintNotValid(
                "consent", models.CheckConstraint(condition=KIND, name="consent_kind")
            ),
            migrations.AddField("consent", "by", models.TextField(db_default="")),
        ),
        next_migration(migrations.AddIndex("newsletter", name)),
        next_migration(
            migrations.CreateModel("Visit", [("id", models.BigAutoField(primary_key=True))]),
            migrations.AddIndex("visit", models.Index(fields=["id"], name="visit_by_id")),
        ),
    ]

    assert [blocking(*migration) for migration in safe] == [[], [], [], []]


def test_the_small_tables_exist():
    assert {model._meta.db_table for model in apps.get_models()} >= SMALL


def test_a_migration_that_moves_data_does_nothing_else_and_commits_in_steps():
    """In one transaction the rows that it has changed would stay locked until it ends."""
    moves = [
        migration
        for migration, _ in own_migrations()
        if any(isinstance(operation, RunPython) for operation in migration.operations)
    ]

    for migration in moves:
        assert not migration.atomic, f"{migration} holds its locks until it ends"
        assert all(isinstance(operation, RunPython) for operation in migration.operations)
