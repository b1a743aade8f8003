"""A migration keeps nobody from signing up while it reads a table of millions."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import AddConstraint, AddIndex, CreateModel
from django.db.models import CheckConstraint

GROWING = {"subscriber", "subscription", "consent", "suppression", "delivery", "story"}
# The first ledger had no readers to speak of when its index was changed.
ALLOWED = {("digest", "0002_revisions_relays_and_audiences")}


def ours():
    migrations = MigrationLoader(None).disk_migrations.items()
    return [(key, one) for key, one in migrations if key[0] in {"digest", "subscribers"}]


def locks(migration):
    """What reads a table that grows, while nobody can write to it."""
    made_here = {one.name_lower for one in migration.operations if isinstance(one, CreateModel)}
    for one in migration.operations:
        is_check = isinstance(one, AddConstraint) and isinstance(one.constraint, CheckConstraint)
        # Those of django.contrib.postgres are subclasses.
        if (type(one) is AddIndex or (is_check and type(one) is AddConstraint)) and (
            one.model_name_lower in GROWING - made_here
        ):
            yield one.describe()


def test_indexes_and_checks_of_growing_tables_are_made_while_readers_sign_up():
    found = {key: list(locks(one)) for key, one in ours() if key not in ALLOWED}

    assert {key: said for key, said in found.items() if said} == {}


def test_what_is_made_concurrently_is_in_no_transaction():
    concurrent = [
        one
        for _, one in ours()
        if any(isinstance(operation, AddIndexConcurrently) for operation in one.operations)
    ]

    assert concurrent
    assert not any(one.atomic for one in concurrent)
