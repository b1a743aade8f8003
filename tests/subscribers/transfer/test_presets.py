"""Exports of seven services are recognised by their headers and imported with their statuses."""

from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from subscribers.models import Consent, Subscriber, Subscription, Suppression
from subscribers.transfer import presets
from subscribers.transfer.presets import BY_NAME, Field
from subscribers.transfer.spreadsheet import Spreadsheet
from tests import factories
from tests.subscribers.transfer.test_spreadsheet import file_of
from tests.support.paths import ROOT

DATA = ROOT / "tests" / "data" / "imports"
EVIDENCE = "Their own double opt-in."


@pytest.fixture
def run(db):
    factories.newsletter(slug="daily")

    def run(name, *options):
        out = StringIO()
        path = DATA / name
        call_command("import_subscribers", str(path), "--newsletter", "daily", *options, stdout=out)
        return [
            one for one in out.getvalue().splitlines() if not one.startswith(("Column", "Each row"))
        ]

    return run


def confirmed(run, name):
    return run(name, "--confirmed", "--evidence", EVIDENCE)


def header(name):
    return Spreadsheet(file_of(Path(DATA / name).read_bytes())).header()


def states():
    return dict(Subscription.objects.values_list("subscriber__email", "status"))


def suppressions():
    return {entry.email_key: (entry.reason, entry.detail) for entry in Suppression.objects.all()}


@pytest.mark.parametrize(
    ("name", "preset"),
    [
        ("mailchimp-subscribed.csv", "mailchimp"),
        ("mailchimp-unsubscribed.csv", "mailchimp-unsubscribed"),
        ("mailchimp-cleaned.csv", "mailchimp-cleaned"),
        ("substack.csv", "substack"),
        ("substack-dashboard.csv", "substack-dashboard"),
        ("ghost.csv", "ghost"),
        ("buttondown.csv", "buttondown"),
        ("buttondown-2023.csv", "buttondown"),
        ("listmonk.csv", "listmonk"),
        ("phplist.csv", "phplist"),
        ("mailpoet.csv", "mailpoet"),
    ],
)
def test_a_service_is_recognised_by_its_header(name, preset):
    assert presets.detect(header(name)).name == preset


def test_every_important_column_of_a_preset_is_in_a_sample_of_it():
    names = {preset: set() for preset in BY_NAME}
    for path in DATA.glob("*.csv"):
        found = header(path.name)
        names[presets.detect(found).name] |= {name.casefold() for name in found}

    for preset in presets.PRESETS:
        for one in (Field.EMAIL, Field.STATUS, Field.CONFIRMED_AT, Field.LEFT_AT):
            for name in preset.columns.get(one, ())[:1]:
                assert name in names[preset.name], (preset.name, name)


@pytest.mark.parametrize(
    ("names", "columns"),
    [
        (["email"], {"email": 0}),
        (["Name", "E-Mail"], {"name": 0, "email": 1}),
        (["Vorname", "Nachname", "E-Mail-Adresse"], {"first_name": 0, "last_name": 1, "email": 2}),
        (["メールアドレス", "名前"], {"email": 0, "name": 1}),
        (["Wer", "Email adresse"], {"email": 1}),
        (["E-Mail Adresse"], {"email": 0}),
        (["E_Mail-Adresse"], {"email": 0}),
        (["Correo"], {"email": 0}),
        (["CORREO ELECTRONICO"], {"email": 0}),
        (["Adresse", "Adresse mail"], {"email": 1}),
        (["Adresse e-mail du contact", "Adresse Électronique"], {"email": 1}),
        (["Adresse email", "email"], {"email": 1}),
        (["email", "email", "Sprache"], {"email": 0, "language": 2}),
        (["email", "confirmed_at", "left_at"], {"email": 0, "confirmed_at": 1, "left_at": 2}),
        (["telephone"], {}),
    ],
)
def test_the_usual_column_names_of_any_other_list_are_recognised(names, columns):
    assert presets.detect(names).name == "daybreak"
    assert presets.columns(names, presets.DAYBREAK) == columns


def test_mailchimp_readers_are_active_if_the_list_says_when_they_confirmed(run):
    printed = confirmed(run, "mailchimp-subscribed.csv")

    assert printed[-1] == "added 3 (1 asked by mail), already there 0, refused 1"
    assert printed[0].startswith("line 7: 'no-at-sign.example.com'")
    assert states() == {
        "ann@example.com": "active",
        "bo@example.com": "pending",
        "CY@example.com": "active",
    }
    ann = Subscription.objects.get(subscriber__email="ann@example.com")
    assert ann.confirmed_at == datetime(2019, 5, 2, 8, 17, 3, tzinfo=UTC)
    assert (ann.subscriber.name, ann.subscriber.timezone) == ("Ann Lee", "Europe/London")
    consent = Consent.objects.get(subscription=ann)
    assert consent.ip_address == "203.0.113.9"
    assert consent.details == {
        "evidence": EVIDENCE,
        "by": consent.details["by"],
        "service": "Mailchimp",
        "file": "mailchimp-subscribed.csv",
        "line": 2,
        "signed_up_at": "2019-05-02T08:15:41+00:00",
        "confirmed_at": "2019-05-02T08:17:03+00:00",
    }


def test_a_time_zone_that_only_the_service_knows_refuses_no_reader(run):
    confirmed(run, "mailchimp-subscribed.csv")

    assert Subscriber.objects.get(email="CY@example.com").timezone == ""


def test_unsubscribed_and_cleaned_readers_of_mailchimp_are_suppressed(run):
    assert run("mailchimp-unsubscribed.csv") == [
        "added 0, suppressed 2, already there 0, refused 0"
    ]
    assert run("mailchimp-cleaned.csv") == ["added 0, suppressed 1, already there 0, refused 0"]

    assert suppressions() == {
        "eve@example.com": ("import", "unsubscribed at Mailchimp, 2022-06-06, NORMAL"),
        "fay@example.com": ("import", "unsubscribed at Mailchimp, 2023-01-05, SPAM"),
        "gus@example.com": ("bounce", "cleaned at Mailchimp, 2020-03-23, Morning briefing"),
    }
    assert not Subscriber.objects.exists()
    assert run("mailchimp-cleaned.csv") == ["added 0, already there 1, refused 0"]


def test_a_substack_export_is_imported(run):
    printed = confirmed(run, "substack.csv")

    assert printed[-1] == "added 2, suppressed 1, already there 0, refused 1"
    assert printed[0].startswith("line 5: 'maïa@example.com'")
    assert states() == {"ann@example.com": "active", "bo@example.com": "active"}
    assert suppressions() == {"cy@example.com": ("import", "unsubscribed at Substack")}
    details = Consent.objects.get(subscription__subscriber__email="ann@example.com").details
    assert details["signed_up_at"] == "2021-08-27T15:06:27.713000+00:00"


def test_the_other_substack_export_is_imported(run):
    printed = confirmed(run, "substack-dashboard.csv")

    assert printed == [
        "line 5: '12345@deletion-request.substack.com': the address stands for a deleted account",
        "added 2, suppressed 1, already there 0, refused 1",
    ]
    assert states() == {"ann@example.com": "active", "cy@example.com": "active"}
    assert suppressions() == {"bo@example.com": ("import", "unsubscribed at Substack")}
    details = Consent.objects.get(subscription__subscriber__email="cy@example.com").details
    assert details["signed_up_at"] == "2023-02-03T00:00:00+00:00"


def test_a_ghost_export_is_imported(run):
    assert confirmed(run, "ghost.csv") == ["added 2, suppressed 1, already there 0, refused 0"]

    assert states() == {"ann@example.com": "active", "bo@example.com": "active"}
    assert suppressions() == {"cy@example.com": ("import", "unsubscribed at Ghost")}


def test_a_buttondown_export_is_imported(run):
    with pytest.raises(CommandError, match=r"Column “type” seems .* “levitating” \(1\)"):
        confirmed(run, "buttondown.csv")
    assert states() == suppressions() == {}

    printed = run(
        "buttondown.csv", "--confirmed", "--evidence", EVIDENCE, "--means", "Levitating=blocked"
    )

    assert printed == ["added 3 (1 asked by mail), suppressed 4, already there 0, refused 0"]
    assert states() == {
        "ann@example.com": "active",
        "bo@example.com": "pending",  # never confirmed there, so asked here
        "fay@example.com": "active",
    }
    assert suppressions() == {
        "cy@example.com": ("import", "unsubscribed at Buttondown, 2024-05-05, Too many emails"),
        "dee@example.com": ("bounce", "cleaned at Buttondown"),
        "eve@example.com": ("complaint", "complained at Buttondown"),
        "gus@example.com": ("manual", "blocked at Buttondown"),
    }
    details = Consent.objects.get(subscription__subscriber__email="ann@example.com").details
    assert details["answers"] == "levitating means blocked"


def test_a_buttondown_export_from_before_2024_is_imported(run):
    assert confirmed(run, "buttondown-2023.csv") == [
        "added 1, suppressed 1, already there 0, refused 0"
    ]


def test_a_phplist_export_is_imported(run):
    assert confirmed(run, "phplist.csv") == [
        "added 2 (1 asked by mail), suppressed 2, already there 0, refused 0"
    ]

    assert states() == {"ann@example.com": "active", "cy@example.com": "pending"}
    assert {key: reason for key, (reason, _) in suppressions().items()} == {
        "bo@example.com": "manual",
        "dee@example.com": "import",
    }


def test_a_listmonk_export_is_imported(run):
    assert confirmed(run, "listmonk.csv") == ["added 1, suppressed 2, already there 0, refused 0"]

    assert states() == {"ann@example.com": "active"}
    assert set(suppressions()) == {"bo@example.com", "cy@example.com"}
    details = Consent.objects.get().details
    assert details["signed_up_at"] == "2020-09-06T13:16:07.142367+00:00"


def test_an_inactive_reader_of_mailpoet_has_not_left(run):
    assert confirmed(run, "mailpoet.csv") == [
        "added 3 (1 asked by mail), suppressed 2, already there 0, refused 0"
    ]

    assert states() == {
        "ann@example.com": "active",
        "bo@example.com": "active",
        "dee@example.com": "pending",
    }
    assert suppressions() == {
        "cy@example.com": ("import", "unsubscribed at MailPoet"),
        "eve@example.com": ("bounce", "cleaned at MailPoet"),
    }


def test_a_quotation_mark_as_mailpoet_writes_it_loses_no_leaver(run, tmp_path):
    names = [
        r"Bo \"Bobby\" Lee",
        r"\"Cy\"",
        "C:\\",
        r"says \"no\", and" + "\n" + r"\"never\"",
        "Al",
    ]
    rows = [
        f'"reader{n}@example.com","{name}","unsubscribed","2021-03-04 05:06:07"\n'
        for n, name in enumerate(names)
    ]
    path = tmp_path / "export.csv"
    path.write_text('"Email","First name","Global status","Subscription time"\n' + "".join(rows))

    assert run(path)[-1] == "added 0, suppressed 5, already there 0, refused 0"
