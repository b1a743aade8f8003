"""Each migration can be undone, and none keeps readers waiting while it reads a large table."""

from __future__ import annotations

import json
import re
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlparse
from django.contrib.postgres.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    NotInTransactionMixin,
    ValidateConstraint,
)
from django.db import connection, migrations, models
from django.db.migrations.exceptions import IrreversibleError
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import RunPython
from django.db.migrations.state import ProjectState

OWN = {"digest", "subscribers"}
# Tables whose rows editors and operators make, or some for each edition: to read such a table takes
# a moment. Every other table is taken for a large one. A table that is gone stays in the list, for
# the sake of the migrations that it is in.
SMALL = {
    "digest_edition",
    "digest_editionitem",
    "digest_editionlogentry",
    "digest_feed",
    "digest_frozen",
    "digest_schedule",
    "digest_sectionrule",
    "digest_sieverule",
    "subscribers_apitoken",
    "subscribers_growthmark",
    "subscribers_importjob",
    "subscribers_newsletter",
    "subscribers_section",
    "subscribers_webhook",
}
# What squawk finds although it does no harm, by migration and rule, with the reason. An example:
# {"subscribers.0003_longer_names": {"changing-column-type": "varchar(200) instead of 120"}}
ALLOWED: dict[str, dict[str, str]] = {}
# squawk finds what holds a lock while it reads or writes a table. Some of its rules are about other
# things:
NOT_OURS = (
    # docs/upgrading.md has the previous version stopped before a migration.
    "ban-drop-column",
    "ban-drop-constraint",
    "ban-drop-default",
    "ban-drop-function",
    "ban-drop-not-null",
    "ban-drop-table",
    "renaming-column",
    "renaming-object",
    "renaming-table",
    # It has the operator set the timeout for the whole command. To drop an index takes a moment.
    "require-concurrent-index-deletion",
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
# Statements that squawk has no rule for. On a large table they take long and lock what they change.
MOVES = re.compile(r"(UPDATE|DELETE|INSERT|MERGE|WITH|DO|LOCK|CLUSTER|VACUUM|REINDEX)\b", re.I)
TABLE = re.compile(
    r"\b(?:TABLE|ON|UPDATE|FROM|INTO|JOIN)\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?(?:ONLY\s+)?"
    r'(?:"?public"?\.)?"?(\w+)',
    re.IGNORECASE,
)
NEW_TABLE = re.compile(r'CREATE TABLE (?:"?public"?\.)?"?(\w+)"? \(', re.IGNORECASE)
# The name, type and definition of everything in the schema, one row each.
SCHEMA = """
SELECT 'column', attrelid::regclass::text, attname,
       concat_ws(' ', format_type(atttypid, atttypmod), nullif(attcollation, 0)::regcollation,
                 CASE WHEN attnotnull THEN 'NOT NULL' END, pg_get_expr(adbin, adrelid), reloptions)
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
SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) || tgenabled::text
  FROM pg_trigger WHERE NOT tgisinternal
UNION ALL
SELECT 'function', '', proname, pg_get_functiondef(oid)
  FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prokind <> 'a'
"""


def schema() -> set[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(SCHEMA)
        return set(cursor.fetchall())


def own_migrations() -> Iterator[tuple[migrations.Migration, ProjectState]]:
    """Yield each migration of ours with the state that it begins with."""
    loader = MigrationLoader(None)
    for key in sorted(loader.graph.nodes):
        if key[0] in OWN:
            yield loader.graph.nodes[key], loader.project_state(key, at_end=False)


def own_operations(migration) -> Iterator[migrations.operations.base.Operation]:
    """Yield the operations of a migration, and those that only the database sees."""
    for operation in migration.operations:
        yield operation
        if isinstance(operation, migrations.SeparateDatabaseAndState):
            yield from operation.database_operations


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


READERS = "ALTER TABLE subscribers_subscriber"
UNIQUE_INDEX = "CREATE UNIQUE INDEX CONCURRENTLY readers ON subscribers_subscriber (email_key, id)"
# What CONTRIBUTING.md has under “A migration”, each of one or two migrations.
RECIPES = [
    [
        [
            AddConstraintNotValid(
                "subscriber", models.CheckConstraint(condition=~models.Q(name="?"), name="known")
            ),
            ValidateConstraint("subscriber", "known"),
        ]
    ],
    [
        [
            migrations.RunSQL(
                f"{READERS} ADD CONSTRAINT own FOREIGN KEY (id) REFERENCES subscribers_subscriber"
                " NOT VALID",
                f"{READERS} DROP CONSTRAINT own",
            ),
            migrations.RunSQL(f"{READERS} VALIDATE CONSTRAINT own", migrations.RunSQL.noop),
        ]
    ],
    [
        [migrations.RunSQL(UNIQUE_INDEX, "DROP INDEX CONCURRENTLY readers")],
        [
            migrations.RunSQL(
                f"{READERS} ADD CONSTRAINT readers UNIQUE USING INDEX readers",
                [f"{READERS} DROP CONSTRAINT readers", UNIQUE_INDEX],
            )
        ],
    ],
]


def test_what_contributing_recommends_for_a_large_table_can_be_undone(empty_database):
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())

    for operations in (operations for recipe in RECIPES for operations in recipe):
        undo_and_redo(executor, *next_migration(*operations, atomic=False))


# --- Safe on a large table ------------------------------------------------------------------------


def statements(migration, state: ProjectState, *, undo: bool) -> list[str]:
    """Return the SQL of a migration or its undo, except for small and for new tables."""
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        change = migration.unapply if undo else migration.apply
        change(state.clone(), editor, collect_sql=True)
    found = [one for sql in editor.collected_sql for one in sqlparse.split(sql)]
    # IF NOT EXISTS may leave an existing table as it is, so only the plain statement counts.
    new = {created[1] for sql in found if (created := NEW_TABLE.match(code(sql)))}
    return [
        sql
        for sql in found
        if not code(sql).startswith("CREATE TABLE")
        and (not tables(sql) or not tables(sql) <= SMALL | new)
    ]


def code(sql: str) -> str:
    return str(sqlparse.format(sql, strip_comments=True)).strip()


def tables(sql: str) -> set[str]:
    """Return the tables that a statement changes or reads. A foreign key's target is not read."""
    return set(TABLE.findall(code(sql)))


def blocking(migration, state: ProjectState) -> list[str]:
    """Return the rules that the migration or its undo breaks, each with the statement."""
    return [
        rule
        for undo in (False, True)
        for rule in broken_rules(migration, statements(migration, state, undo=undo))
    ]


def broken_rules(migration, found: list[str]) -> list[str]:
    moves = [f"moves-data in “{sql}”" for sql in found if MOVES.match(code(sql))]
    text = "\n".join(f"{sql.rstrip(';')}\n;" for sql in found if code(sql))
    run = subprocess.run(
        [
            Path(sysconfig.get_path("scripts"), "squawk"),
            *("--reporter", "json", "--pg-version", "15", "--exclude", ",".join(NOT_OURS)),
            *(["--assume-in-transaction"] if migration.atomic else ["--no-assume-in-transaction"]),
            *("--stdin-filepath", f"{migration.name}.sql"),
        ],
        input=text,
        capture_output=True,
        text=True,
    )
    assert run.returncode in {0, 1}, run.stderr
    lines = text.splitlines()
    return moves + [
        f"{broken['rule_name']} in “{lines[broken['line']]}”: {broken['message']}"
        for broken in json.loads(run.stdout)
        if broken["rule_name"] not in ALLOWED.get(str(migration), {})
    ]


@pytest.mark.subprocess
@pytest.mark.django_db(transaction=True)
def test_no_migration_locks_a_large_table_while_it_reads_it():
    found = {str(migration): blocking(migration, state) for migration, state in own_migrations()}

    assert len(found) >= 3
    broken = [f"{name}: {rule}" for name, rules in found.items() for rule in rules]
    assert not broken, "\n".join(["see CONTRIBUTING.md, A migration:", *broken])


KIND = models.Q(kind__in=["signup"])
INDEX = models.Index(fields=["name"], name="by_name")
BLOCKING = [
    ("require-concurrent-index-creation", migrations.AddIndex("subscriber", INDEX)),
    (
        "require-concurrent-index-creation",
        migrations.RunSQL(
            "UPDATE subscribers_newsletter SET name = '';\n"
            "CREATE INDEX ON subscribers_subscriber (name);"
        ),
    ),
    (
        "require-concurrent-index-creation",
        migrations.RunSQL("-- on subscribers_newsletter\nCREATE INDEX ON digest_delivery (lane)"),
    ),
    (
        "require-concurrent-index-creation",
        migrations.RunSQL(
            "CREATE TABLE public.visits (id int); CREATE INDEX ON public.digest_delivery (lane)"
        ),
    ),
    (
        "require-concurrent-index-creation",
        migrations.RunSQL(
            "CREATE TABLE IF NOT EXISTS digest_delivery (id int);"
            "CREATE INDEX ON digest_delivery (lane)"
        ),
    ),
    (
        "require-concurrent-index-creation",
        migrations.RunSQL(
            "CREATE TABLE lanes AS SELECT DISTINCT lane FROM digest_delivery;"
            "CREATE INDEX ON digest_delivery (lane)"
        ),
    ),
    (
        "constraint-missing-not-valid",
        migrations.AddConstraint(
            "consent", models.CheckConstraint(condition=KIND, name="consent_kind")
        ),
    ),
    (
        "disallowed-unique-constraint",
        migrations.AddConstraint(
            "subscriber", models.UniqueConstraint(fields=["name"], name="subscriber_name")
        ),
    ),
    (
        "adding-foreign-key-constraint",
        migrations.AddField(
            "consent",
            "newsletter",
            models.ForeignKey("subscribers.newsletter", models.CASCADE, null=True, db_index=False),
        ),
    ),
    (
        "changing-column-type",
        migrations.AlterField("subscriber", "name", models.CharField(max_length=20)),
    ),
    (
        "adding-field-with-default",
        migrations.RunSQL(
            "ALTER TABLE subscribers_consent ADD COLUMN by uuid DEFAULT gen_random_uuid()"
        ),
    ),
    (
        "adding-not-nullable-field",
        migrations.RunSQL("ALTER TABLE subscribers_subscriber ALTER erased_at SET NOT NULL"),
    ),
    # Its undo has no value for the rows that are there.
    ("adding-required-field", migrations.RemoveField("consent", "wording")),
    ("moves-data", migrations.RunSQL("UPDATE subscribers_subscriber SET name = ''")),
    ("moves-data", migrations.RunSQL("DO $$ BEGIN DELETE FROM digest_delivery; END $$")),
]


@pytest.mark.subprocess
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("rule", "operation"), BLOCKING)
def test_a_migration_that_locks_a_large_table_is_found(rule, operation):
    if isinstance(operation, migrations.RunSQL):
        operation.reverse_sql = migrations.RunSQL.noop

    assert rule in "\n".join(blocking(*next_migration(operation)))


@pytest.mark.subprocess
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "migration",
    [
        lambda: next_migration(AddIndexConcurrently("subscriber", INDEX), atomic=False),
        lambda: next_migration(
            AddConstraintNotValid("consent", models.CheckConstraint(condition=KIND, name="kind")),
            migrations.AddField("consent", "by", models.TextField(db_default="")),
        ),
        lambda: next_migration(
            migrations.AddIndex("newsletter", INDEX),
            migrations.AlterField("newsletter", "name", models.TextField()),
        ),
        lambda: next_migration(
            migrations.CreateModel("Visit", [("id", models.BigAutoField(primary_key=True))]),
            migrations.AddIndex("visit", models.Index(fields=["id"], name="visit_by_id")),
        ),
        lambda: next_migration(
            migrations.AddField("section", "of", models.ManyToManyField("subscribers.subscriber"))
        ),
    ],
    ids=["concurrently", "not valid", "small table", "new table", "new table between two"],
)
def test_a_migration_that_locks_nobody_out_passes(migration):
    assert blocking(*migration()) == []


def mixed(migration) -> str:
    """Return what is wrong about the operations of one migration together, or ""."""
    operations = list(own_operations(migration))
    kinds = [kind for kind in (RunPython, NotInTransactionMixin) if any_is(kind, operations)]
    if not kinds:
        return ""
    if len(operations) > 1 and not all(isinstance(one, RunPython) for one in operations):
        return "A move of data, and each index that is made concurrently, has its own migration."
    # In one transaction the rows that it has changed would stay locked until it ends.
    return "It needs atomic = False, and a transaction for each batch." if migration.atomic else ""


def any_is(kind, operations) -> bool:
    return any(isinstance(operation, kind) for operation in operations)


def test_moves_of_data_and_concurrent_indexes_stand_alone():
    assert {str(one): mixed(one) for one, _ in own_migrations() if mixed(one)} == {}


MOVE = RunPython(RunPython.noop, RunPython.noop)
CONCURRENT = AddIndexConcurrently("subscriber", INDEX)
FIELD = migrations.AddField("newsletter", "motto", models.TextField(null=True))


@pytest.mark.parametrize(
    ("operations", "atomic", "fault"),
    [
        ([MOVE], False, ""),
        ([MOVE, MOVE], False, ""),
        ([MOVE], True, "atomic = False"),
        ([FIELD, MOVE], False, "its own migration"),
        ([CONCURRENT], False, ""),
        # What it did before would stay if the index is interrupted, and fail when it is repeated.
        ([FIELD, CONCURRENT], False, "its own migration"),
        ([CONCURRENT, CONCURRENT], False, "its own migration"),
        ([migrations.SeparateDatabaseAndState([CONCURRENT]), FIELD], False, "its own migration"),
        ([migrations.SeparateDatabaseAndState([MOVE])], True, "its own migration"),
        ([FIELD, FIELD], True, ""),
    ],
)
def test_a_migration_that_mixes_them_is_found(operations, atomic, fault):
    migration = migrations.Migration("next", "subscribers")
    migration.operations, migration.atomic = operations, atomic

    assert fault in mixed(migration)
    assert bool(fault) == bool(mixed(migration))
