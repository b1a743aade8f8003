"""A reader changes their address, to which both addresses have to agree first."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from subscribers import signed_links
from subscribers.addresses.address import BadAddress
from subscribers.consent import suppression
from subscribers.models import AddressChange, Consent, RequestedMail, Subscriber
from subscribers.preferences import address_change, requested_mail
from subscribers.privacy import retention
from subscribers.signup import confirmation_mail
from tests import factories
from tests.factories import NOW
from tests.subscribers.preferences.conftest import link, recorded_changes
from tests.support.suppression import suppressed_among

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=6)


def request_change(subscription, email="new@example.org", now=NOW):
    return address_change.request_change(subscription_id=subscription.pk, email=email, now=now)


def send_all(now=NOW):
    for mail_id in requested_mail.due_ids(now=now):
        requested_mail.send_if_due(mail_id, now=now)
    return {message.to[0]: message for message in mail.outbox}


def agree(change, side, now=NOW):
    return address_change.agree(
        token=signed_links.address_change_token(change.pk, side, now=now), now=now
    )


def url(change, side, now=None):
    return reverse(
        "address-change",
        args=[signed_links.address_change_token(change.pk, side, now=now or timezone.now())],
    )


# --- The request --------------------------------------------------------------------------------


def test_both_addresses_get_a_mail_and_nothing_changes_yet(send, active):
    page = send(active, "move", email="New@Example.org").content.decode()

    assert "You asked for" in page
    mails = send_all(timezone.now())
    assert set(mails) == {"ann@example.com", "New@example.org"}
    assert Subscriber.objects.get().email == "ann@example.com"
    wanted = {"email_wanted": {"from": "ann@example.com", "to": "New@example.org"}}
    assert recorded_changes(active) == [wanted]


def test_the_mails_contain_neither_address(active):
    request_change(active, "win-a-prize@evil.example")

    for message in send_all().values():
        text = message.body + message.alternatives[0].content + message.subject
        assert "win-a-prize" not in text
        assert "ann@example.com" not in text


@pytest.mark.parametrize("email", ["ann@example.com", "ANN@example.com"])
def test_the_same_address_is_no_change(send, active, email):
    page = send(active, "move", email=email).content.decode()

    assert "write to already" in page
    assert not AddressChange.objects.exists()


def test_an_invalid_address_is_explained_and_a_typo_is_offered_a_correction(send, active):
    assert 'id="address-error"' in send(active, "move", email="new@example").content.decode()
    page = send(active, "move", email="new@gmial.com").content.decode()
    assert 'name="use" value="new@gmail.com"' in page

    send(active, "move", email="new@gmial.com", use="new@gmail.com")

    assert AddressChange.objects.get().email == "new@gmail.com"


def test_a_known_and_an_unknown_new_address_get_the_same_answer(client, active):
    factories.subscription(active.newsletter, "known@example.org")

    answers = []
    for email in ("known@example.org", "never@example.org"):
        answer = client.post(link(active), {"do": "move", "email": email}, follow=True)
        answers.append(answer.content.decode().replace(email, "…"))
        requested = RequestedMail.objects.get(email_key=email)
        assert requested.due_at
    assert answers[0] == answers[1]


def test_only_the_latest_request_counts(active):
    first = request_change(active)
    second = request_change(active, "other@example.org")

    first.refresh_from_db()
    assert (first.status, second.status) == ("dropped", "open")
    with pytest.raises(signed_links.ExpiredToken):
        agree(first, "new")


def test_a_repeated_request_sends_mails_only_once_in_five_minutes(active):
    change = request_change(active)
    assert request_change(active) == change
    assert RequestedMail.objects.count() == 2
    assert request_change(active, now=LATER) == change
    assert RequestedMail.objects.count() == 4


def test_a_reader_has_five_requests_a_day(send, active):
    for number in range(address_change.CHANGES_PER_DAY):
        request_change(active, f"new{number}@example.org")
    with pytest.raises(address_change.TooManyChanges):
        request_change(active, "one-more@example.org")
    request_change(active, "one-more@example.org", now=NOW + timedelta(hours=25))


@pytest.mark.parametrize("address", ["victim@example.org", "vic.tim+{n}@gmail.com"])
def test_many_readers_cannot_flood_one_mailbox(newsletter, address):
    readers = [factories.subscription(newsletter) for _ in range(10)]

    for n, reader in enumerate(readers):
        request_change(reader, address.format(n=n))
    send_all()

    to_victim = [message for message in mail.outbox if message.to[0].startswith("vic")]
    assert len(to_victim) == 3
    assert RequestedMail.objects.filter(outcome="too-often").count() == 7


def test_the_readers_own_mailbox_gets_five_mails_a_day_for_one_change(active):
    for minutes in range(0, 24 * 60, 6):
        request_change(active, now=NOW + timedelta(minutes=minutes))

    asked = RequestedMail.objects.exclude(outcome="too-often")
    assert asked.filter(kind="old-address").count() == 5
    assert asked.filter(kind="new-address").count() == 3


def test_a_suppressed_new_address_gets_nothing(active):
    suppression.suppress(email="new@example.org", reason="complaint", now=NOW)
    request_change(active)

    assert set(send_all()) == {"ann@example.com"}


def test_the_request_can_be_cancelled_on_the_page(send, active):
    change = request_change(active)

    page = send(active, "stay").content.decode()

    change.refresh_from_db()
    assert change.status == "dropped"
    assert 'id="address-email"' in page


# --- The agreement ------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [("old", "new"), ("new", "old")])
def test_the_address_changes_once_both_sides_have_agreed(active, order):
    change = request_change(active)

    assert not agree(change, order[0]).done
    assert Subscriber.objects.get().email == "ann@example.com"
    assert agree(change, order[1]).done

    reader = Subscriber.objects.get()
    assert (reader.email, reader.email_key) == ("new@example.org", "new@example.org")
    assert recorded_changes(active)[-1] == {
        "email": {"from": "ann@example.com", "to": "new@example.org"}
    }
    assert Consent.objects.latest("pk").wording == (
        "Yes, send these newsletters to new@example.org from now on."
    )


def test_one_side_that_agrees_twice_is_not_enough(active):
    change = request_change(active)

    for _ in range(2):
        assert not agree(change, "old").done
    assert Subscriber.objects.get().email == "ann@example.com"


def test_the_change_is_recorded_for_every_newsletter_of_the_reader(active, other):
    change = request_change(active)
    agree(change, "old")
    agree(change, "new")

    for subscription in (active, other):
        assert "email" in recorded_changes(subscription)[-1]


def test_a_confirmation_link_in_the_former_mailbox_is_expired(client, active):
    evening = factories.newsletter(name="The Evening", slug="evening")
    waiting = factories.second_subscription(
        active.subscriber, evening, status="pending", confirmed_at=None
    )
    now = timezone.now()
    old_link = reverse("confirm", args=[signed_links.confirm_token(waiting, now=now)])
    change = request_change(active, now=now)
    agree(change, "old", now=now)
    agree(change, "new", now=now)

    for answer in (client.get(old_link), client.post(old_link)):
        assert answer.status_code == 410
        assert "/preferences/" not in answer.content.decode()
    waiting.refresh_from_db()
    assert waiting.status == "pending"

    client.post(old_link, {"fresh": "1"})
    confirmation_mail.send_if_due(waiting.pk, now=timezone.now())

    (message,) = mail.outbox
    assert message.to == ["new@example.org"]
    path = re.search(r"/confirm/[^/\s]+/", message.body)[0]
    client.post(path)
    waiting.refresh_from_db()
    assert waiting.status == "active"


def test_the_link_in_each_mail_names_the_change_and_the_side(client, active):
    change = request_change(active)

    for email, message in send_all().items():
        path = re.search(r"/address/\S+", message.body)[0]
        read = signed_links.read_address_change(path.split("/")[2], now=NOW)
        assert read == (change.pk, "new" if email == "new@example.org" else "old")


def test_looking_at_a_link_changes_nothing(client, active):
    change = request_change(active)
    before = AddressChange.objects.values().get()

    for side in ("old", "new"):
        assert client.get(url(change, side)).status_code == 200
        assert client.head(url(change, side)).status_code == 200
    assert AddressChange.objects.values().get() == before


def test_the_new_side_is_not_told_the_old_address(client, active):
    change = request_change(active)

    assert "ann@example.com" in client.get(url(change, "old")).content.decode()
    for answer in (client.get(url(change, "new")), client.post(url(change, "new"))):
        assert "ann@example.com" not in answer.content.decode()


def test_the_pages_show_how_far_the_change_is(client, active):
    change = request_change(active)

    page = client.post(url(change, "old")).content.decode()
    assert "One more yes" in page
    assert "you have said yes" in client.get(link(active)).content.decode()
    page = client.post(url(change, "new")).content.decode()
    assert "From now on we write to" in page
    again = client.post(url(change, "new")).content.decode()
    assert "From now on we write to" in again
    active.subscriber.refresh_from_db()
    assert "new@example.org</strong>" in client.get(link(active)).content.decode()


@pytest.mark.parametrize("side", ["old", "new"])
def test_either_side_can_refuse_the_change(client, active, side):
    change = request_change(active)

    page = client.post(url(change, side), {"no": "1"}).content.decode()

    assert "Nothing changes" in page
    assert client.post(url(change, "new")).status_code == 410
    assert client.post(url(change, "old")).status_code == 410
    assert Subscriber.objects.get().email == "ann@example.com"


@pytest.mark.parametrize("side", ["old", "new"])
def test_a_refusal_that_comes_too_late_is_not_confirmed(client, active, side):
    change = request_change(active)
    agree(change, "old", now=timezone.now())
    agree(change, "new", now=timezone.now())

    page = client.post(url(change, side), {"no": "1"}).content.decode()

    assert "Nothing changes" not in page
    assert "From now on we write to" in page


def test_a_link_is_valid_for_three_days(client, active):
    change = request_change(active)
    old = url(change, "new", now=NOW - timedelta(days=9999))

    assert client.get(old).status_code == 410
    assert client.post(old).status_code == 410
    with pytest.raises(signed_links.ExpiredToken):
        address_change.agree(
            token=signed_links.address_change_token(change.pk, "new", now=NOW),
            now=NOW + timedelta(hours=73),
        )


def test_a_forged_link_is_not_found(client, active):
    change = request_change(active)
    token = signed_links.address_change_token(change.pk, "old", now=NOW)

    for bad in ("x", token[:-1] + "~", signed_links.preferences_token(active)):
        assert client.post(reverse("address-change", args=[bad])).status_code == 404


def test_an_erased_address_may_be_the_new_address(active):
    suppression.replace_by_hash(email="new@example.org", now=NOW)
    change = request_change(active)
    agree(change, "old")
    agree(change, "new")

    assert suppressed_among(["new@example.org"]) == {}


def test_requests_are_deleted_after_two_weeks(active):
    request_change(active)

    retention.purge(now=NOW + timedelta(days=13))
    assert AddressChange.objects.exists()
    retention.purge(now=NOW + timedelta(days=15))
    assert not AddressChange.objects.exists()
    assert not RequestedMail.objects.exists()


def test_an_invalid_address_is_refused(active):
    with pytest.raises(BadAddress):
        request_change(active, "new@nowhere")
