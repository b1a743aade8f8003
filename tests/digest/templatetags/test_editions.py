"""Template tags give a newsletter's next and latest edition."""

from datetime import time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from digest.models import Edition
from digest.templatetags.editions import latest_edition, next_edition
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def test_the_next_edition_is_given_in_the_newsletters_time_zone():
    newsletter = factories.newsletter(timezone="Asia/Kathmandu")
    factories.schedule(newsletter, local_time=time(7))
    factories.schedule(newsletter, local_time=time(6), name="Off", is_active=False)
    factories.schedule(newsletter, local_time=time(5), name="Empty", weekdays=[])

    when = next_edition(newsletter)

    assert (when.hour, when.minute) == (7, 0)
    assert when.tzinfo == ZoneInfo("Asia/Kathmandu")
    assert timedelta(0) < when - timezone.now() <= timedelta(days=1)


def test_a_newsletter_without_a_schedule_has_no_next_edition():
    assert next_edition(factories.newsletter()) is None


def test_the_latest_edition_is_the_last_one_sent(django_assert_num_queries):
    newsletter = factories.newsletter()
    assert latest_edition(newsletter) is None
    for days in (3, 1, 2):
        factories.publish(factories.edition(newsletter), sent_at=NOW - timedelta(days=days))
    factories.edition(newsletter)

    with django_assert_num_queries(2):
        edition = latest_edition(newsletter)
        headlines = [(item.shown_headline, item.section) for item in edition.items.all()]

    assert edition.sent_at == NOW - timedelta(days=1)
    assert len(headlines) == 3


def test_the_next_edition_is_not_one_that_went_out_early():
    newsletter = factories.newsletter()
    schedule = factories.schedule(newsletter, local_time=time(7, 0))
    first = next_edition(newsletter)
    factories.edition(
        newsletter, schedule=schedule, slot_date=first.date(), status=Edition.Status.SENT
    )

    assert next_edition(newsletter) == first + timedelta(days=1)
