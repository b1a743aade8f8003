"""The address of a bounce proves that the mail was ours, and names its edition and reader."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.rendering.identifiers import InvalidVerp, message_id, parse_verp, verp_sender

ids = st.integers(min_value=0, max_value=2**63 - 1)


@given(ids, ids)
def test_a_bounce_address_names_its_edition_and_reader(edition_id, subscription_id):
    sender = verp_sender(edition_id, subscription_id)

    assert parse_verp(sender) == (edition_id, subscription_id)
    assert parse_verp(f"<{sender.upper()}>") == (edition_id, subscription_id)
    assert len(sender.partition("@")[0]) <= 64


@pytest.mark.parametrize(
    "address",
    ["", "bounces", "bounces+1-2@mail.example.com", "bounces+!-2-x@mail.example.com",
     "bounces+1-2-0000000000000000@mail.example.com", "postmaster@mail.example.com",
     "bounces+1-2-\udc80@mail.example.com", "bounces+١-٢-é@mail.example.com"],
)  # fmt: skip
def test_a_forged_or_foreign_address_is_refused(address):
    with pytest.raises(InvalidVerp):
        parse_verp(address)


def test_a_sender_changed_in_one_place_is_refused():
    sender = verp_sender(12, 34)
    for changed in (
        sender.replace("+c-", "+d-"),
        sender.replace("mail.example.com", "mail.example.org"),
        sender.replace("bounces+", "other+"),
        sender.replace("+c-", "+0c-"),
    ):
        assert changed != sender
        with pytest.raises(InvalidVerp):
            parse_verp(changed)


def test_ten_thousand_message_ids_are_unique_and_stable(settings):
    message_ids = [
        message_id(edition_id=edition, subscription_id=reader)
        for edition in range(1, 101)
        for reader in range(1, 101)
    ]

    assert len(set(message_ids)) == 10_000
    assert message_ids[0] == message_id(edition_id=1, subscription_id=1)
    assert all(value.endswith(f"@{settings.MAIL_DOMAIN}>") for value in message_ids)
