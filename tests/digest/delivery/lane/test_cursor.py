"""The cursor keeps every outcome until a statement has recorded it."""

import pytest
from django.db import OperationalError

from digest.delivery.lane import cursor
from digest.delivery.lane.claim import Claimant, RowOutcome
from digest.models import Delivery
from tests.digest.delivery.conftest import row
from tests.factories import NOW

pytestmark = pytest.mark.django_db


class FailingClaim:
    """A claim whose statement fails only when its answer is read, for example after a deadlock."""

    def __init__(self, *args, **kwargs):
        """Claim nothing."""

    def window(self):
        raise OperationalError("deadlock detected")


@pytest.fixture
def claiming(edition, readers, start_sending):
    """A cursor that has claimed the edition's two readers, and their rows."""
    subscriptions = readers(2)
    start_sending()
    claiming = cursor.ClaimCursor(Claimant(edition.pk, 1, "lane-1", "a"), clock=lambda: NOW)
    assert len(claiming.next(limit=2).rows) == 2
    return claiming, [row(subscription) for subscription in subscriptions]


def test_outcomes_of_a_claim_that_failed_are_recorded_with_those_that_came_later(
    claiming, monkeypatch
):
    claiming, (first, second) = claiming
    claiming.keep(RowOutcome(first.pk, Delivery.Status.SENT))
    monkeypatch.setattr(cursor, "PendingClaim", FailingClaim)
    claiming.claim_ahead(limit=2)
    claiming.keep(RowOutcome(second.pk, Delivery.Status.SENT))

    claiming.record()

    assert set(Delivery.objects.values_list("status", flat=True)) == {"sent"}
    assert not claiming.has_outcomes


def test_outcomes_that_could_not_be_recorded_are_kept(claiming, monkeypatch):
    claiming, (first, second) = claiming
    claiming.keep(RowOutcome(first.pk, Delivery.Status.SENT))
    claiming.release([second.pk])

    def unavailable(**kwargs):
        raise OperationalError("the connection is closed")

    with monkeypatch.context() as patch:
        patch.setattr(cursor, "record", unavailable)
        with pytest.raises(OperationalError):
            claiming.record()
    claiming.record()

    assert set(Delivery.objects.values_list("status", flat=True)) == {"sent", "pending"}
