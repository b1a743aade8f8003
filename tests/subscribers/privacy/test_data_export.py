"""A reader gets everything that is stored about them, as a file and as a page."""

import json
import re
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from digest.models import Delivery
from subscribers import signed_links
from subscribers.consent import suppression
from subscribers.consent.record import WORDING_VERSION, Origin, consent_wording, record_consent
from subscribers.models import AddressChange, Consent, RequestedMail, Subscriber, Subscription
from subscribers.preferences import address_change
from subscribers.privacy import data_export, erasure
from tests import factories
from tests.factories import NOW
from tests.subscribers.preferences.conftest import data_link

pytestmark = pytest.mark.django_db

ORIGIN = Origin(
    page="https://news.example.com/front", language="en", ip_address="192.0.2.7",
    user_agent="Firefox/140 <script>",
)  # fmt: skip


@pytest.fixture
def ann():
    newsletter = factories.newsletter(name="Morning", timezone="Europe/London")
    section = factories.section(newsletter, name="Sport")
    subscription = factories.subscription(
        newsletter, "ann@example.com", muted_sections=[section.pk], source="news.example.com/front"
    )
    Subscriber.objects.update(name="Ann <b>Example", language="en")
    record(subscription, "signup")
    record(subscription, "confirmation", minutes=1)
    record(
        subscription, "change", minutes=2, details={"frequency": {"from": "daily", "to": "weekly"}}
    )
    edition = factories.publish(factories.edition(newsletter, subject="Ferry reopens"))
    Delivery.objects.create(
        edition=edition, subscription=subscription, status="sent", reply="250 OK", finished_at=NOW
    )
    # Another reader's rows, which must not be in the export.
    other = factories.subscription(newsletter, "bob@example.com")
    record(other, "signup")
    Delivery.objects.create(edition=edition, subscription=other, status="sent")
    return subscription


def record(subscription, kind, *, minutes=0, **fields):
    record_consent(
        subscription_id=subscription.pk,
        newsletter=subscription.newsletter,
        kind=kind,
        origin=ORIGIN,
        now=NOW + timedelta(minutes=minutes),
        **fields,
    )


def test_the_file_has_everything_of_this_reader_and_nothing_of_another(ann):
    found = data_export.export(subscriber_id=ann.subscriber_id)

    assert found["person"]["email"] == "ann@example.com"
    assert found["subscriptions"][0]["muted_sections"] == ["Sport"]
    assert [entry["kind"] for entry in found["consents"]] == ["change", "confirmation", "signup"]
    signup = found["consents"][-1]
    assert signup == {
        "at": "2026-03-10T06:00:00Z",
        "newsletter": "Morning",
        "kind": "signup",
        "wording": consent_wording("signup", ann.newsletter),
        "wording_version": WORDING_VERSION,
        "page": "https://news.example.com/front",
        "language": "en",
        "ip_address": "192.0.2.7",
        "user_agent": "Firefox/140 <script>",
        "details": {},
    }
    assert [(row["edition"], row["reply"]) for row in found["deliveries"]] == [
        ("Ferry reopens", "250 OK")
    ]
    assert "bob@" not in json.dumps(found)


def test_each_field_of_a_consent_record_is_in_the_file(ann):
    """A field that is added later has to be added to the file too."""
    entry = data_export.export(subscriber_id=ann.subscriber_id)["consents"][0]
    fields = {field.name for field in Consent._meta.concrete_fields}

    assert set(entry) == fields - {"id", "subscription", "created_at"} | {"at", "newsletter"}


def test_each_field_of_a_subscription_is_in_the_file_or_left_out_on_purpose(ann):
    entry = data_export.export(subscriber_id=ann.subscriber_id)["subscriptions"][0]
    renamed = {
        "source": "signed_up_on", "created_at": "signed_up_at", "mail_sent_at": "last_mail_at",
    }  # fmt: skip
    # Left out: the ids, and the fields that see to it that a mail is sent once.
    machinery = {
        "id", "subscriber", "generation", "mail_due_at", "mail_due_since", "mail_kind", "moved_to",
    }  # fmt: skip
    fields = {field.name for field in Subscription._meta.concrete_fields} - machinery

    assert set(entry) == {renamed.get(name, name) for name in fields}


def test_the_page_shows_the_same_data_as_the_file(client, ann):
    suppression.suppress(email="ann@example.com", reason="bounce", now=NOW)

    response = client.get(data_link(ann))

    text = response.content.decode()
    for expected in (
        "Ann &lt;b&gt;Example", "Morning", "Sport", "every edition", "You signed up",
        "192.0.2.7", "Firefox/140 &lt;script&gt;", "Ferry reopens", "mail to it came back",
        "<bdi>the best of the week, once a week</bdi> (before: <bdi>every edition</bdi>)",
    ):  # fmt: skip
        assert expected in text, expected
    assert "bob@" not in text
    assert response["Cache-Control"].startswith("max-age=0")
    assert response["X-Robots-Tag"] == "noindex, nofollow"


def test_the_page_has_the_mails_about_a_subscription_and_the_time_of_an_edition(client, ann):
    Subscription.objects.filter(pk=ann.pk).update(
        mail_kind="welcome", mail_sent_at=NOW + timedelta(minutes=2),
        confirmed_at=NOW + timedelta(minutes=1),
    )  # fmt: skip
    text = client.get(data_link(ann)).content.decode()
    sent = text[text.index("data-export-sent") : text.index("data-export-why")]

    rows = [" ".join(re.sub(r"<[^>]+>", "", row).split()) for row in sent.split("<li>")[1:]]
    assert rows[0] == "Welcome to Morning 10 Mar 2026, 06:02 · sent"
    assert rows[1] == "Please confirm: Morning 10 Mar 2026, 06:00 · sent"
    assert rows[2].startswith("Morning · Ferry reopens 10 Mar 2026, 06:00 · sent")


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ({"mail_sent_at": None, "mail_due_at": None}, [("confirm", "skipped")]),
        ({"mail_sent_at": None, "mail_due_at": NOW}, [("confirm", "pending")]),
        ({"mail_sent_at": NOW, "mail_due_at": None}, [("confirm", "sent")]),
        (
            {"mail_sent_at": NOW, "reminded_at": NOW + timedelta(days=1), "mail_kind": "reminder"},
            [("reminder", "skipped"), ("confirm", "sent")],
        ),
    ],
)
def test_only_a_mail_that_went_out_counts_as_sent(stored, expected):
    subscription = factories.subscription(
        factories.newsletter(), status="pending", confirmed_at=None, **stored
    )
    record(subscription, "signup")

    found = data_export.export(subscriber_id=subscription.subscriber_id)["subscription_mails"]
    assert [(row["kind"], row["status"]) for row in found] == expected


@pytest.mark.parametrize(
    ("days", "text"), [(365, "after one year"), (1095, "after 3 years"), (400, "after 400 days")]
)
def test_whole_years_are_written_as_years(client, ann, settings, days, text):
    settings.RETENTION_NETWORK_DAYS = settings.RETENTION_INACTIVE_DAYS = days

    assert client.get(data_link(ann)).content.decode().count(f"{text}.") == 2


def test_the_download_is_the_data_export_as_json(client, ann):
    response = client.get(data_link(ann, "data-export-download"))

    assert response["Content-Type"] == "application/json"
    assert response["Content-Disposition"] == (
        f'attachment; filename="reader-{ann.subscriber_id}.json"'
    )
    assert response.json() == data_export.export(subscriber_id=ann.subscriber_id)


@pytest.mark.parametrize("name", ["data-export", "data-export-download"])
def test_the_data_export_opens_only_with_the_readers_own_link(client, ann, name):
    for token in (
        "x" * 30,
        signed_links.unsubscribe_token(ann.pk),
        # It is in every mail, and mails are forwarded.
        signed_links.preferences_token(ann),
        signed_links.confirm_token(ann),
    ):
        assert client.get(reverse(name, args=[token])).status_code == 404

    erasure.erase(subscriber_id=ann.subscriber_id, now=NOW)

    assert client.get(data_link(ann, name)).status_code == 404


@pytest.mark.parametrize("language", ["", "de", "ar", "xx-nonsense"])
def test_a_reader_of_any_language_gets_a_page(client, ann, language):
    Subscriber.objects.update(language=language, timezone="Asia/Tokyo")

    assert client.get(data_link(ann)).status_code == 200


def test_an_unknown_kind_of_change_is_shown_as_stored(client, ann):
    record(ann, "change", details={"shoe_size": {"from": None, "to": 43}, "note": "by letter"})

    text = client.get(data_link(ann)).content.decode()

    assert "shoe_size" in text
    assert "by letter" in text


def test_times_in_the_ledger_are_written_for_people_on_the_page_and_in_iso_in_the_file(client, ann):
    Subscriber.objects.update(timezone="Asia/Tokyo", language="de")
    until, hour = "2026-04-01T15:00:00+00:00", "07:30:00"
    details = {
        "paused_until": {"from": None, "to": until},
        "preferred_time": {"from": hour, "to": None},
        "confirmed_elsewhere": "2024-02-29T10:00:00Z",
        "note": "Room 10:4",
    }
    record(ann, "change", details=details)

    text = client.get(data_link(ann)).content.decode()

    for expected in ("2. April 2026, 00:00", "07:30", "29. Februar 2024, 19:00", "Room 10:4"):
        assert expected in text, expected
    assert not re.search(r">[^<]*\d\d:\d\d:\d\d", text)
    assert until in client.get(data_link(ann, "data-export-download")).content.decode()


def test_the_page_takes_few_queries_however_many_records_there_are(
    client, ann, django_assert_max_num_queries
):
    for n in range(30):
        record(ann, "change", minutes=n, details={"frequency": {"from": "daily", "to": "weekly"}})

    with django_assert_max_num_queries(12):
        client.get(data_link(ann))


def test_a_former_address_that_has_a_new_reader_is_not_in_the_file(ann):
    """The mailbox has a new owner, who signed up. Erasing leaves the new owner's row out too."""
    old = replaced_by(ann, "ann.before@example.com")
    assert len(data_export.export(subscriber_id=ann.subscriber_id)["subscriptions"]) == 2

    factories.second_subscription(old.subscriber, factories.newsletter(name="Evening"))

    found = data_export.export(subscriber_id=ann.subscriber_id)
    assert [row["newsletter"] for row in found["subscriptions"]] == ["Morning"]
    assert len(found["consents"]) == 3


def test_a_chain_of_replaced_subscriptions_is_in_the_file(ann):
    between = replaced_by(ann, "ann.before@example.com")
    replaced_by(between, "ann.long-before@example.com")

    assert len(data_export.export(subscriber_id=ann.subscriber_id)["subscriptions"]) == 3


def replaced_by(subscription, email):
    old = factories.subscription(
        subscription.newsletter, email, status="unsubscribed", moved_to=subscription
    )
    record(old, "signup")
    return old


def test_a_requested_address_change_and_its_mails_are_in_the_file(client, ann):
    address_change.request_change(subscription_id=ann.pk, email="New@Example.org", now=NOW)
    change = AddressChange.objects.get()
    address_change.agree(
        token=signed_links.address_change_token(change.pk, "old", now=NOW), now=NOW
    )
    RequestedMail.objects.create(
        kind="link", email_key="ann@example.com", asked_at=NOW, outcome="sent"
    )
    RequestedMail.objects.create(kind="link", email_key="bob@example.com", due_at=NOW)

    found = data_export.export(subscriber_id=ann.subscriber_id)

    [entry] = found["address_changes"]
    assert entry == {
        "email": "New@example.org",
        "email_as_typed": "New@Example.org",
        "status": "open",
        "asked_at": "2026-03-10T06:00:00Z",
        "old_agreed_at": "2026-03-10T06:00:00Z",
        "new_agreed_at": None,
        "ended_at": None,
    }
    assert sorted((row["kind"], row["to"], row["outcome"]) for row in found["requested_mails"]) == [
        ("link", "ann@example.com", "sent"),
        ("new-address", "new@example.org", ""),
        ("old-address", "ann@example.com", ""),
    ]
    text = client.get(data_link(ann)).content.decode()
    for expected in (
        "New@example.org", "New address, agreed to at the old one", "Your link to your preferences",
        "Please confirm this address",
    ):  # fmt: skip
        assert expected in text, expected
    assert "New address, agreed to at the new one" not in text


@pytest.mark.parametrize(
    ("model", "chapter", "left_out"),
    [
        (AddressChange, "address_changes", {"id", "subscriber", "email_key"}),
        # The mailbox is derived from the address.
        (RequestedMail, "requested_mails", {"id", "change", "mailbox"}),
    ],
)
def test_each_field_of_a_request_is_in_the_file_or_left_out_on_purpose(
    ann, model, chapter, left_out
):
    address_change.request_change(subscription_id=ann.pk, email="new@example.org", now=NOW)
    entry = data_export.export(subscriber_id=ann.subscriber_id)[chapter][0]
    fields = {field.name for field in model._meta.concrete_fields} - left_out
    renamed = {"created_at": "asked_at", "email_key": "to"}

    assert set(entry) == {renamed.get(name, name) for name in fields}


def test_an_earlier_erasure_is_in_the_file_although_only_a_hash_is_left(client, ann):
    suppression.replace_by_hash(email="ann@example.com", detail="at the reader's request", now=NOW)

    assert data_export.export(subscriber_id=ann.subscriber_id)["suppression"] == {
        "reason": "erased",
        "detail": "at the reader's request",
        "since": "2026-03-10T06:00:00Z",
        "as_a_hash": True,
    }
    text = client.get(data_link(ann)).content.decode()
    assert "it was erased. What is left is a code" in text
    assert "nothing is sent to this address" not in text


def test_the_page_says_why_a_hashed_address_gets_no_mail(client, ann):
    suppression.suppress(email="ann@example.com", reason="complaint", now=NOW)
    suppression.replace_by_hash(email="ann@example.com", now=NOW)

    assert "a mail from us was reported as spam" in client.get(data_link(ann)).content.decode()


def test_the_export_reader_command_prints_the_file(ann):
    out = StringIO()

    call_command("export_reader", "Ann@Example.com", stdout=out)

    assert json.loads(out.getvalue()) == data_export.export(subscriber_id=ann.subscriber_id)
    with pytest.raises(CommandError, match="There is no reader"):
        call_command("export_reader", "nobody@example.com")


def test_the_erase_reader_command_asks_before_it_erases(ann, monkeypatch):
    out = StringIO()
    monkeypatch.setattr("builtins.input", lambda _: "no")
    with pytest.raises(CommandError, match="Nothing was erased"):
        call_command("erase_reader", "ann@example.com")

    call_command("erase_reader", "ann@example.com", "--yes", stdout=out)
    call_command("erase_reader", "nobody@example.com", "--yes", stdout=out)

    assert "ann@example.com is erased." in out.getvalue()
    assert "There is no reader with the address nobody@example.com" in out.getvalue()
    assert not Subscriber.objects.filter(email="ann@example.com").exists()
    with pytest.raises(CommandError):
        call_command("erase_reader", "not an address", "--yes")
