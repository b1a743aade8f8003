"""The commands that stop an edition, accept an audience and resend to failed readers."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils.timezone import now

from digest.delivery.planning import start
from digest.editions.decide import audience
from digest.editions.decide.approve import approve
from digest.management.commands import resend_failed
from digest.models import Delivery, Edition
from tests import factories
from tests.digest.delivery.conftest import status

pytestmark = pytest.mark.django_db


@pytest.fixture
def under_way():
    """Return an edition that is being sent to six readers."""
    edition = factories.edition(
        factories.newsletter(), sends_at=now(), deadline_at=now() + timedelta(hours=1)
    )
    for _ in range(6):
        factories.subscription(edition.newsletter)
    approve(edition_id=edition.pk, now=now())
    start.start_delivery(edition_id=edition.pk, now=now())
    start.plan_audience(edition_id=edition.pk, now=now())
    return edition


def test_stop_edition_prints_how_to_resume(under_way, capsys):
    call_command("stop_edition", under_way.pk, "--why", "The lead is wrong")

    assert f"manage.py approve_edition {under_way.pk}" in capsys.readouterr().out
    held = Edition.objects.get(pk=under_way.pk)
    assert (held.status, held.reason_detail) == ("held", "The lead is wrong")


def test_an_edition_that_is_not_being_sent_cannot_be_stopped():
    edition = factories.edition(factories.newsletter())

    with pytest.raises(CommandError, match=r"Not stopped\. It is not being sent: it is draft"):
        call_command("stop_edition", edition.pk)


@pytest.mark.parametrize("command", ["stop_edition", "resend_failed"])
def test_the_error_names_an_edition_that_does_not_exist(command):
    with pytest.raises(CommandError, match="There is no edition 999999"):
        call_command(command, 999999)


def test_an_unusual_audience_is_accepted_by_its_number(settings, monkeypatch):
    monkeypatch.setattr(audience, "MIN_READERS", 5)
    newsletter = factories.newsletter()
    for _ in range(3):
        earlier = factories.edition(newsletter, stories=0, audience=2)
        factories.force_update(
            Edition.objects.filter(pk=earlier.pk), status="sent", sending_at=now(), sent_at=now()
        )
    for _ in range(6):
        factories.subscription(newsletter)
    edition = factories.edition(newsletter, sends_at=now(), deadline_at=now() + timedelta(hours=1))
    Edition.objects.filter(pk=edition.pk).update(status="held", reason="audience")

    with pytest.raises(CommandError, match=r"6 readers.*accept it with --audience"):
        call_command("approve_edition", edition.pk)
    with pytest.raises(CommandError, match="-6 is not a number of readers"):
        call_command("approve_edition", edition.pk, audience=-6)
    call_command("approve_edition", edition.pk, "--audience", "6")

    start.start_delivery(edition_id=edition.pk, now=now())
    assert status(edition) == "sending"


@pytest.fixture
def failed(under_way, monkeypatch):
    rows = Delivery.objects.filter(edition=under_way)
    factories.force_update(rows, status="sent", finished_at=now())
    one = rows.first()
    factories.force_update(rows.filter(pk=one.pk), status="failed", reason="refused")
    factories.force_update(Edition.objects.filter(pk=under_way.pk), status="sent", sent_at=now())
    lanes = []
    monkeypatch.setattr(resend_failed, "start_lanes", lanes.append)
    return under_way, lanes


def test_resend_failed_prints_how_many_are_due_and_enqueues_the_lanes(failed, capsys):
    edition, lanes = failed
    call_command("resend_failed", edition.pk)

    assert "Due again: 1 that had failed, 0 uncertain." in capsys.readouterr().out
    assert status(edition) == "sending"
    assert lanes == [edition.pk]


def test_resend_failed_past_the_deadline_is_refused_with_the_option_to_add(failed):
    edition, lanes = failed
    Edition.objects.filter(pk=edition.pk).update(deadline_at=now())

    with pytest.raises(CommandError, match=r"has passed.*For example: --hours 2"):
        call_command("resend_failed", edition.pk)
    assert (status(edition), lanes) == ("sent", [])

    call_command("resend_failed", edition.pk, "--hours", "2")
    assert status(edition) == "sending"


@pytest.mark.parametrize("hours", ["nan", "1e12"])
def test_hours_that_are_no_possible_time_are_refused(failed, hours):
    with pytest.raises(CommandError, match="is not possible"):
        call_command("resend_failed", failed[0].pk, "--hours", hours)
