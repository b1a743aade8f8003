"""Readers with unusual names and addresses get mail or a reason, and never stop the others."""

import pytest

from digest.delivery.lane.lane import End
from digest.models import Edition, Frozen
from tests import factories
from tests.digest.delivery.conftest import rows
from tests.servers.smtp import ScriptedServer, running

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "name",
    [
        "O\x92Brien",
        "Ada\nBcc: x@y",
        "Zoë 🚢",
        "آدا",
        '"Ada" <x@y>',
        "a" * 120,
        "Ada, Countess of Lovelace",
        "=?utf-8?q?x?=",
    ],
)
def test_a_reader_of_any_name_gets_the_message(edition, start_sending, run_lane, relay, name):
    subscription = factories.subscription(edition.newsletter, "ada@example.com")
    type(subscription.subscriber).objects.update(name=name)
    start_sending()
    run_lane()

    (mail,) = relay.received
    (to,) = mail.message["To"].addresses
    assert to.addr_spec == "ada@example.com"
    assert not mail.message.defects


@pytest.mark.parametrize(
    ("address", "outcome"),
    [
        ("jörg@example.com", ("failed", "refused")),
        ("info@bücher.example", ("sent", "")),
        ("info@xn--bcher-kva.example", ("sent", "")),
        ("o'hara+news@example.com", ("sent", "")),
    ],
)
def test_an_unusual_address_does_not_stop_the_others(
    edition, start_sending, run_lane, settings, address, outcome
):
    factories.subscription(edition.newsletter, address)
    factories.subscription(edition.newsletter, "next@example.com")
    start_sending()
    with running(ScriptedServer()) as server:
        settings.EMAIL_RELAYS = [server.relay]
        run_lane()

    assert rows(edition) == {address: outcome, "next@example.com": ("sent", "")}


def test_a_message_that_cannot_be_built_holds_the_edition_and_loses_nobody(
    edition, start_sending, run_lane, relay
):
    for name in ("one", "two"):
        factories.subscription(edition.newsletter, f"{name}@example.com")
    start_sending()
    Frozen.objects.update(
        html_segments=[{"placeholder": "UNHEARD_OF", "section": None, "story": None}]
    )

    assert run_lane() is End.HELD
    held = Edition.objects.get(pk=edition.pk)
    assert (held.status, held.reason) == ("held", "not-sendable")
    assert "UNHEARD_OF" in held.reason_detail
    assert set(rows(edition).values()) == {("pending", "")}
