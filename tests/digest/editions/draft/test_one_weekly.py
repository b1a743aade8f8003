"""A newsletter has at most one active weekly schedule, whatever code writes it."""

import pytest
from django.db import IntegrityError

from digest.models import Schedule
from tests import factories

pytestmark = pytest.mark.django_db


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
