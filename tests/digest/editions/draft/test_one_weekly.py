"""A newsletter has at most one active weekly schedule, whatever code writes it."""

import pytest
from django.db import IntegrityError, connection
from django.db.migrations.executor import MigrationExecutor

from digest.models import Schedule
from tests import factories

pytestmark = pytest.mark.django_db
BEFORE = "0008_deliveries_without_foreign_keys"


def weekly(newsletter, **fields):
    return factories.schedule(newsletter, **{"cadence": "weekly", "weekdays": [6]} | fields)


def test_the_database_refuses_a_second_active_weekly_schedule():
    newsletter = factories.newsletter()
    weekly(newsletter)

    with pytest.raises(IntegrityError, match="schedule_one_weekly_active"):
        weekly(newsletter, weekdays=[5])


def test_inactive_daily_and_other_newsletters_schedules_are_not_limited():
    newsletter = factories.newsletter()
    weekly(newsletter)
    weekly(newsletter, is_active=False)
    weekly(factories.newsletter())
    for _ in range(2):
        factories.schedule(newsletter, weekdays=[6])

    assert Schedule.objects.count() == 5


def test_the_migration_keeps_the_first_weekly_schedule_that_makes_editions_active():
    with connection.cursor() as cursor:
        # PostgreSQL alters no table while checks of its rows are deferred to the commit.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    newest = MigrationExecutor(connection).loader.graph.leaf_nodes("digest")
    MigrationExecutor(connection).migrate([("digest", BEFORE)])
    newsletter, other = factories.newsletter(), factories.newsletter()
    daily = factories.schedule(newsletter)
    weekly(newsletter, weekdays=[])
    first, _, only = weekly(newsletter), weekly(newsletter), weekly(other)
    without_days = weekly(factories.newsletter(), weekdays=[])

    MigrationExecutor(connection).migrate(newest)

    active = set(Schedule.objects.filter(is_active=True).values_list("pk", flat=True))
    assert active == {daily.pk, first.pk, only.pk, without_days.pk}
    assert Schedule.objects.count() == 6
