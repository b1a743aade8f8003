"""An edition from before planning in batches counts as planned, for the readers it had."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from digest.delivery.planning import start
from digest.delivery.planning.resend import resend_failed
from digest.models import Delivery, Edition
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db
BEFORE = "0002_revisions_relays_and_audiences"


def migrate():
    """Migrate back and forward again, with the rows of this test."""
    with connection.cursor() as cursor:
        # PostgreSQL alters no table while constraint checks of its rows wait for the commit.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    newest = MigrationExecutor(connection).loader.graph.leaf_nodes("digest")
    MigrationExecutor(connection).migrate([("digest", BEFORE)])
    MigrationExecutor(connection).migrate(newest)


@pytest.fixture
def earlier_edition():
    """Make editions as 0002 left them, each with two readers, one of whom failed."""

    def make(status, **fields):
        edition = factories.edition(factories.newsletter())
        for name in ("sent", "failed"):
            Delivery.objects.create(
                edition=edition,
                subscription=factories.subscription(edition.newsletter),
                status=name,
                reason="refused" if name == "failed" else "",
            )
        factories.force_update(
            Edition.objects.filter(pk=edition.pk),
            **{"status": status, "reason": "refused", "approved_hash": "x", "sending_at": NOW}
            | fields,
        )
        return edition

    return make


def planning_of(edition):
    return Edition.objects.values_list("planned_at", "audience").get(pk=edition.pk)


def test_a_started_edition_counts_as_planned_after_the_migration(earlier_edition):
    later = NOW + timedelta(minutes=9)
    sent = earlier_edition("sent", sent_at=later)
    under_way = [earlier_edition(status) for status in ("sending", "held", "approved", "skipped")]
    migrate()

    assert planning_of(sent) == (later, 2)
    assert [planning_of(edition) for edition in under_way] == [(NOW, 2)] * 4


def test_an_edition_not_started_or_started_since_stays_unchanged(earlier_edition):
    draft = earlier_edition("draft", sending_at=None)
    half_planned = earlier_edition("sending", audience=70_000)
    done = earlier_edition("sent", audience=3, planned_at=NOW - timedelta(1))
    no_rows = earlier_edition("sent", sent_at=NOW)
    Delivery.objects.filter(edition=no_rows).delete()
    migrate()

    assert planning_of(draft) == (None, None)
    assert planning_of(half_planned) == (None, 70_000)
    assert planning_of(done) == (NOW - timedelta(1), 3)
    assert planning_of(no_rows) == (NOW, None)


def test_an_old_edition_is_resent_to_its_own_readers_only(earlier_edition):
    old = earlier_edition("sent", sent_at=NOW)
    migrate()
    factories.subscription(old.newsletter, "since@example.com")

    late = NOW + timedelta(days=30)
    resend_failed(edition_id=old.pk, new_deadline=late + timedelta(hours=2), now=late)
    start.plan_audience(edition_id=old.pk, now=late)

    assert old.pk not in start.half_planned()
    assert Delivery.objects.filter(edition=old).count() == 2
