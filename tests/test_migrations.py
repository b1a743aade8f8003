"""No migration blocks sign-ups while it reads a table of millions of rows."""

import pytest
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import AddConstraint, AddIndex, CreateModel, RunSQL
from django.db.models import CheckConstraint

GROWING = {"subscriber", "subscription", "consent", "suppression", "delivery", "story"}
# The first ledger had hardly any rows when its index was changed.
ALLOWED = {("digest", "0002_revisions_relays_and_audiences")}


def own_migrations():
    migrations = MigrationLoader(None).disk_migrations.items()
    return [
        (key, migration) for key, migration in migrations if key[0] in {"digest", "subscribers"}
    ]


def blocking_operations(migration):
    """Yield the operations that read a growing table while nobody can write to it."""
    created_here = {
        operation.name_lower
        for operation in migration.operations
        if isinstance(operation, CreateModel)
    }
    for operation in migration.operations:
        # The concurrent operations of django.contrib.postgres are subclasses.
        kind = type(operation)
        blocks = kind is AddIndex or (
            kind is AddConstraint and isinstance(operation.constraint, CheckConstraint)
        )
        if blocks and operation.model_name_lower in GROWING - created_here:
            yield operation.describe()


def test_indexes_and_checks_of_growing_tables_do_not_block_writes():
    blocking = {
        key: list(blocking_operations(migration))
        for key, migration in own_migrations()
        if key not in ALLOWED
    }

    assert {key: operations for key, operations in blocking.items() if operations} == {}


def test_a_migration_with_a_concurrent_index_is_not_atomic():
    concurrent = [
        migration
        for _, migration in own_migrations()
        if any(isinstance(operation, AddIndexConcurrently) for operation in migration.operations)
    ]

    assert concurrent
    assert not any(migration.atomic for migration in concurrent)


def is_valid(index):
    with connection.cursor() as cursor:
        cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = %s::regclass", [index])
        return cursor.fetchone()[0]


@pytest.mark.django_db(transaction=True)
def test_an_index_whose_creation_was_interrupted_is_rebuilt():
    migration = MigrationLoader(None).disk_migrations[
        "subscribers", "0011_indexes_for_many_readers"
    ]
    indexes = ["subscription_moved", "consent_by_time", "consent_to_fade"]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE pg_index SET indisvalid = FALSE WHERE indexrelid = ANY(%s::regclass[])",
            [indexes],
        )

    for operation in migration.operations:
        if isinstance(operation, RunSQL):
            with connection.schema_editor(atomic=False) as editor:
                operation.database_forwards("subscribers", editor, None, None)

    assert [is_valid(index) for index in indexes] == [True, True, True]
