"""manage.py import_subscribers imports every valid line and reports every other one."""

import csv
import os
from datetime import timedelta
from io import StringIO
from itertools import pairwise
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from subscribers.consent import suppression
from subscribers.models import Consent, Subscriber, Subscription, Suppression
from subscribers.signup import confirmation_mail
from subscribers.transfer import importing, storing
from subscribers.transfer.importing import ImportEvidence
from subscribers.transfer.presets import Field
from subscribers.transfer.rows import ColumnMapping
from subscribers.transfer.spreadsheet import Spreadsheet
from subscribers.transfer.storing import CONFIRMATION_EVERY, SAME_MAILBOX
from tests import factories
from tests.factories import NOW
from tests.subscribers.transfer.test_spreadsheet import file_of
from tests.support.suppression import suppressed_among

pytestmark = pytest.mark.django_db
EVIDENCE = "Double opt-in at news.example.com, 2019 to 2025; the records are with the lawyers."
CONFIRMED = ("--confirmed", "--evidence", EVIDENCE)


@pytest.fixture
def newsletter():
    return factories.newsletter(slug="daily")


@pytest.fixture
def run(newsletter, tmp_path):
    def run(content, *options, path=tmp_path / "readers.csv"):
        path.write_text(content, encoding="utf-8")
        out = StringIO()
        call_command("import_subscribers", str(path), "--newsletter", "daily", *options, stdout=out)
        lines = out.getvalue().splitlines()
        run.columns = [line for line in lines if line.startswith(("Column", "Each row"))]
        return [line for line in lines if not line.startswith(("Column", "Each row"))]

    return run


def lines(count, *, first=0):
    return "email\n" + "".join(f"reader{n}@example.com\n" for n in range(first, first + count))


def test_confirmed_readers_are_active_with_a_consent_record(run):
    printed = run(
        "email,name,timezone,language\nAnn@example.com,Ann Lee,Europe/London,en-GB\n",
        *CONFIRMED,
    )

    assert printed == ["added 1, already there 0, refused 0"]
    subscription = Subscription.objects.select_related("subscriber").get()
    assert (subscription.status, subscription.mail_due_at) == ("active", None)
    reader = subscription.subscriber
    assert (reader.email, reader.email_key) == ("Ann@example.com", "ann@example.com")
    assert (reader.name, reader.timezone, reader.language) == ("Ann Lee", "Europe/London", "en-GB")
    consent = Consent.objects.get()
    assert (consent.kind, consent.page) == ("import", "import of readers.csv")
    assert subscription.newsletter.name in consent.wording


def test_unconfirmed_readers_are_asked_to_confirm_one_after_the_other(run):
    run(lines(5))

    due = list(
        Subscription.objects.filter(status="pending")
        .order_by("pk")
        .values_list("mail_due_at", flat=True)
    )
    assert {later - earlier for earlier, later in pairwise(due)} == {CONFIRMATION_EVERY}
    assert not Consent.objects.exists()


@pytest.mark.parametrize("batch_size", [10, 4])
def test_a_mailbox_is_asked_once_however_many_addresses_it_has(run, monkeypatch, batch_size):
    monkeypatch.setattr(importing, "BATCH_SIZE", batch_size)
    addresses = [*(f"pat+{n}@gmail.com" for n in range(4)), "p.a.t@gmail.com", "sam@example.com"]
    content = "email\n" + "".join(f"{address}\n" for address in [*addresses, "pat+0@gmail.com"])
    # In one batch the address without a tag is the one that is asked.
    asked = "p.a.t@gmail.com" if batch_size == 10 else "pat+0@gmail.com"

    tried = run(content, "--dry-run")
    printed = run(content)

    assert sum(SAME_MAILBOX in line for line in printed) == 4
    assert [line.removeprefix("would be ") for line in tried[:-1]] == printed
    assert set(Subscription.objects.values_list("subscriber__email", flat=True)) == {
        asked, "sam@example.com",
    }  # fmt: skip
    assert set(Subscriber.objects.values_list("mailbox", flat=True)) == {
        "pat@gmail.com", "sam@example.com",
    }  # fmt: skip


def test_a_mailbox_that_has_just_been_asked_is_not_asked_by_an_import(run, newsletter):
    for email, sent_at in (
        ("pat+0@gmail.com", timezone.now()),
        ("sam+0@gmail.com", timezone.now() - timedelta(days=9)),
    ):
        factories.subscription(
            newsletter, email, status="pending", confirmed_at=None, mail_sent_at=sent_at
        )
        Subscriber.objects.filter(email=email).update(mailbox=email.replace("+0", ""))

    printed = run("email\npat+1@gmail.com\nsam+1@gmail.com\n")

    assert printed[-1].startswith("added 1")
    assert Subscription.objects.filter(subscriber__email="sam+1@gmail.com").exists()


def test_confirmed_readers_of_one_mailbox_are_all_imported(run):
    assert run("email\npat+1@gmail.com\npat+2@gmail.com\n", *CONFIRMED)[-1].startswith("added 2")


def test_confirmations_of_an_import_become_due_more_slowly_than_the_tick_can_send():
    assert timedelta(seconds=30) / CONFIRMATION_EVERY < confirmation_mail.MAILS_PER_TASK


def test_importing_twice_is_harmless(run):
    run(lines(3), *CONFIRMED)
    before = list(Subscription.objects.values())

    assert run(lines(3), *CONFIRMED) == ["added 0, already there 3, refused 0"]
    assert list(Subscription.objects.values()) == before
    assert Consent.objects.count() == 3


def test_duplicates_in_the_file_count_as_already_there(run):
    printed = run("email\nann@example.com\nANN@example.com\n")

    assert printed == ["added 1 (1 asked by mail), already there 1, refused 0"]


def test_each_refusal_has_its_line_number_and_its_reason(run):
    suppression.suppress(email="bounced@example.com", reason="bounce", now=NOW)

    printed = run(
        "email,name,timezone,language\n"
        "ann@example.com,Ann,,\n"
        "not-an-address,,,\n"
        "bob@example.com,Bob,Mars/Olympus,\n"
        "cy@example.com,Cy\x1b[2J,,\n"
        "di@example.com,Di,,English\n"
        "bounced@example.com,,,\n"
        f"ed@example.com,{'E' * 121},,\n"
        "fay@example.com,Fay,,,,x\n"
        "gus@example.com,Gus,,\n"
    )

    assert printed == [
        "line 3: 'not-an-address': An e-mail address has an @-sign in it, like ann@example.com.",
        "line 4: 'bob@example.com': 'Mars/Olympus' is not a time zone; write it like Europe/London",
        "line 5: 'cy@example.com': the name holds control characters",
        "line 6: 'di@example.com': 'English' is not a language; write it like en or pt-BR",
        "line 7: 'bounced@example.com': the address is suppressed: hard bounce",
        "line 8: 'ed@example.com': the name is longer than 120 characters",
        "line 9: the line has 6 fields, the header names 4",
        "added 2 (2 asked by mail), already there 0, refused 7",
    ]


def test_an_unsubscribed_reader_stays_unsubscribed(run, newsletter):
    unsubscribed = factories.subscription(newsletter, "ann@example.com", status="unsubscribed")

    printed = run("email\nann@example.com\nbob@example.com\n", *CONFIRMED)

    assert printed[0] == (
        "line 2: 'ann@example.com': has unsubscribed; only the reader can subscribe again"
    )
    unsubscribed.refresh_from_db()
    assert unsubscribed.status == "unsubscribed"


def test_a_pending_reader_stays_pending_and_a_known_name_is_kept(run, newsletter):
    pending = factories.subscription(
        newsletter, "ann@example.com", status="pending", confirmed_at=None
    )
    Subscriber.objects.update(name="Ann")

    printed = run("email,name\nann@example.com,Someone Else\n", *CONFIRMED)

    assert printed == ["added 0, already there 1, refused 0"]
    pending.refresh_from_db()
    assert pending.status == "pending"
    assert Subscriber.objects.get().name == "Ann"


def test_a_reader_of_another_newsletter_is_added_to_this_one(run):
    factories.subscription(factories.newsletter(), "ann@example.com")

    assert run("email\nann@example.com\n") == [
        "added 1 (1 asked by mail), already there 0, refused 0"
    ]
    assert Subscriber.objects.count() == 1


def test_a_long_list_of_refusals_is_cut_on_screen_and_whole_in_a_file(run, tmp_path):
    content = "email\n" + "nobody\n" * 2500 + "ann@example.com\n"

    printed = run(content)
    assert len(printed) == 52
    assert printed[-2:] == [
        "and 2450 more; --refused FILE writes them all",
        "added 1 (1 asked by mail), already there 0, refused 2500",
    ]

    run(content, "--refused", str(tmp_path / "refused.csv"))
    rows = list(csv.DictReader((tmp_path / "refused.csv").read_text().splitlines()))
    assert [int(row["line"]) for row in rows] == list(range(2, 2502))
    assert rows[0]["email"] == "nobody"


def test_a_file_of_refusals_alone_is_a_failure(run):
    with pytest.raises(CommandError, match="No row of the file was imported"):
        run("email\nnobody\n")


def test_a_header_alone_is_an_empty_success(run):
    assert run("email\n") == ["added 0, already there 0, refused 0"]


def test_an_unknown_newsletter_is_named_with_those_there_are(newsletter, tmp_path):
    path = tmp_path / "readers.csv"
    path.write_text(lines(1))

    with pytest.raises(CommandError, match=r"no newsletter “weekly”.*daily"):
        call_command("import_subscribers", str(path), "--newsletter", "weekly")


@pytest.mark.parametrize("content", [None, b"", b"name\nAnn\n", b"email\nb\xf6b@example.com\n"])
def test_an_unreadable_file_is_a_clear_error_and_imports_nothing(newsletter, tmp_path, content):
    path = tmp_path / "readers.csv"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(CommandError) as error:
        call_command("import_subscribers", str(path), "--newsletter", "daily")
    assert not Subscriber.objects.exists()
    assert ("--column email=NAME" in str(error.value)) is (content == b"name\nAnn\n")


def test_an_imported_reader_gets_the_mail_once_its_time_has_come(run):
    run(lines(2))

    later = timezone.now() + timedelta(seconds=1)
    assert len(confirmation_mail.due_ids(now=later)) == 2


def test_the_file_to_import_is_not_overwritten_with_its_refusals(run, tmp_path):
    path = tmp_path / "readers.csv"
    with pytest.raises(CommandError, match="its lines would be lost"):
        run(lines(2), "--refused", str(path))

    assert path.read_text() == lines(2)


def test_a_reader_whose_name_was_converted_wrongly_is_imported(run):
    run("email,name\nann@example.com,Ann O\x92Brien\n")

    assert Subscriber.objects.get().name == "Ann O Brien"


# --- Evidence -------------------------------------------------------------------------------------


def test_nobody_becomes_active_without_evidence(run):
    with pytest.raises(CommandError, match=r"--confirmed needs --evidence"):
        run(lines(2), "--confirmed")
    with pytest.raises(CommandError, match=r"--confirmed needs --evidence"):
        run(lines(2), "--confirmed", "--evidence", "  ")

    assert not Subscriber.objects.exists()


def test_the_command_asks_for_the_evidence_at_a_terminal(run, monkeypatch):
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda prompt: " The form at the fair, 2024. ")

    run(lines(1), "--confirmed")

    assert Consent.objects.get().details["evidence"] == "The form at the fair, 2024."


# --- Lists of unsubscribed readers ----------------------------------------------------------------


def test_a_terminal_that_answers_nothing_gives_no_evidence(run, monkeypatch):
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("builtins.input", no_answer)

    with pytest.raises(CommandError, match="--confirmed needs --evidence"):
        run(lines(1), "--confirmed")


def no_answer(question):
    raise EOFError


@pytest.mark.parametrize("error", [KeyError("uid not found: 4711"), OSError("no username set")])
def test_a_user_without_a_name_is_recorded_by_number(run, monkeypatch, error):
    """Python 3.13 raises OSError where earlier versions raise KeyError."""

    def has_no_name():
        raise error

    monkeypatch.setattr("getpass.getuser", has_no_name)

    run(lines(1), *CONFIRMED)

    assert Consent.objects.get().details["by"] == f"user {os.getuid()}, command line"


def test_a_file_for_refusals_that_takes_nothing_ends_the_import_in_plain_words(run):
    with pytest.raises(CommandError, match=r"^/dev/full: No space left on device\. What has been"):
        run("email\nnobody\n", "--refused", "/dev/full")


def test_a_reader_who_unsubscribed_elsewhere_is_suppressed_even_if_imported_before(run):
    run(lines(2), *CONFIRMED)

    printed = run("email,left_at\nreader0@example.com,2024-05-06\n", "--list-of", "left")

    assert printed == ["added 0, suppressed 1, already there 0, refused 0"]
    entry = Suppression.objects.get()
    assert (entry.reason, entry.detail) == ("import", "unsubscribed, 2024-05-06")
    assert suppressed_among(["reader0@example.com"])


@pytest.mark.parametrize("option", [(), ("--dry-run",)])
def test_a_reader_whom_another_row_calls_unsubscribed_does_not_become_active(run, option):
    printed = run(
        "email,List,List status\nann@example.com,A,Subscribed\nANN@example.com,B,Unsubscribed\n",
        *CONFIRMED,
        *option,
    )

    assert printed[0] == f"line 2: 'ann@example.com': {storing.LEFT_ELSEWHERE}"
    assert "added 0, suppressed 1, already there 0, refused 1" in printed[1]
    assert not Subscription.objects.exists()


def test_a_dry_run_says_what_each_column_was_read_as_and_whom_it_made_leave(run):
    run(
        "Correo,confirmed_at,Invalid,Status,Opt-out,Deleted invoices,City\n"
        "a@example.com,2020-01-02,1,active,,4,Rome\nb@example.com,,,Unsubscribed,,,Bari\n"
        "c@example.com,,1,complaint,,,Rome\n",
        "--dry-run",
        "--ignore-column",
        "Deleted invoices",
    )

    assert run.columns == [
        "Column “Correo” is read as the address.",
        "Column “confirmed_at” is read as when somebody confirmed.",
        "Column “Invalid” is read as who bounced; 2 bounced.",
        "Column “Status” is read as the status; 1 left, 1 complained.",
        "Column “Opt-out” is read as who left; nobody left.",
        "Columns that are not used: “Deleted invoices”, “City”.",
    ]


def test_a_reader_who_confirmed_here_since_then_is_not_suppressed(run, newsletter):
    ours = factories.subscription(newsletter, "ann@example.com")
    Consent.objects.create(
        subscription=ours, kind="confirmation", wording="Yes.", wording_version="1", created_at=NOW
    )

    content = "email,left_at\nann@example.com,2024-05-06\nbob@example.com,2024-05-06\n"
    assert run(content, "--list-of", "left") == [
        f"line 2: 'ann@example.com': {storing.CONFIRMED_SINCE}",
        "added 0, suppressed 1, already there 0, refused 1",
    ]
    assert Suppression.objects.get().email_key == "bob@example.com"
    run("email,left_at\nann@example.com,2026-03-11\n", "--list-of", "left")
    assert Suppression.objects.filter(email_key="ann@example.com").exists()


def test_an_erased_reader_is_not_imported_and_the_address_is_not_stored_again(run):
    suppression.replace_by_hash(email="ann@example.com", now=NOW)

    assert run("email\nAnn@example.com\nbob@example.com\n", *CONFIRMED) == [
        "line 2: the address is suppressed: erased at the reader's request",
        "added 1, already there 0, refused 1",
    ]
    assert run("email\nann@example.com\n", "--list-of", "left") == [
        "added 0, already there 1, refused 0"
    ]
    assert Suppression.objects.get().email_key.startswith("erased:")


def test_suppressed_addresses_are_left_out_in_every_spelling(run):
    suppression.suppress(email="ann@example.com", reason="complaint", now=NOW)

    assert run("email\nANN@EXAMPLE.COM\nbob@example.com\n", *CONFIRMED)[0] == (
        "line 2: 'ANN@example.com': the address is suppressed: complaint"
    )


# --- Columns --------------------------------------------------------------------------------------


def test_the_operator_can_name_columns_that_are_not_recognised(run):
    content = "id,Abo,Wer\n1,ann@example.com,Ann Lee\n"
    with pytest.raises(CommandError, match="none of them holds the addresses"):
        run(content)
    with pytest.raises(CommandError, match=r"no column “Mail”\. There is: id, Abo, Wer"):
        run(content, "--column", "email=Mail")

    run(content, "--column", "email=abo", "--column", "name=Wer")

    assert Subscriber.objects.values_list("email", "name").get() == ("ann@example.com", "Ann Lee")


def test_a_column_can_be_left_out(run):
    run("email,name\nann@example.com,Ann\n", "--column", "name=")

    assert Subscriber.objects.get().name == ""


def test_our_own_statuses_decide_who_is_imported_and_who_is_suppressed(run):
    printed = run(
        "email,status\nann@example.com,active\nbob@example.com,pending\n"
        "cy@example.com,unsubscribed\ndi@example.com,Bounced\n",
        *CONFIRMED,
    )

    assert printed == ["added 2 (1 asked by mail), suppressed 2, already there 0, refused 0"]
    states = Subscription.objects.values_list("subscriber__email", "status")
    assert dict(states) == {"ann@example.com": "active", "bob@example.com": "pending"}


@pytest.mark.parametrize("option", [(), ("--dry-run",), ("--list-of", "reader")])
def test_a_list_that_leaves_open_who_left_is_not_imported_at_all(run, option):
    with pytest.raises(CommandError) as error:
        run("email,Abo\nann@example.com,gekündigt\nbob@example.com,ruht\n", *CONFIRMED, *option)

    assert str(error.value) == (
        "Column “Abo” seems to say who has left, and this is not understood: “ruht” (1). Say what "
        "it means, or that the column does not say who left. Answer with --means VALUE=KIND or "
        "--ignore-column NAME.\nNothing was imported."
    )
    assert not Subscriber.objects.exists()
    assert not Suppression.objects.exists()


@pytest.mark.parametrize(
    ("options", "statuses", "suppressed"),
    [
        (("--means", "RUHT=reader"), {"bob@example.com": "active"}, 1),
        (("--means", "Abo:ruht=blocked"), {}, 2),
        (("--means", "*=left"), {}, 2),
        (("--ignore-column", "abo"),
         {"ann@example.com": "active", "bob@example.com": "active"}, 0),
    ],
)  # fmt: skip
def test_an_answer_to_what_a_list_leaves_open_is_kept_as_evidence(
    run, options, statuses, suppressed
):
    run("email,Abo\nann@example.com,gekündigt\nbob@example.com,ruht\n", *CONFIRMED, *options)

    found = Subscription.objects.values_list("subscriber__email", "status")
    assert (dict(found), Suppression.objects.count()) == (statuses, suppressed)
    for consent in Consent.objects.all():
        assert consent.details["answers"] in ("ruht means reader", "abo does not say who left")


@pytest.mark.parametrize("option", [(), ("--preset", "mailchimp-unsubscribed")])
def test_nobody_of_mailchimps_unsubscribed_becomes_active_for_an_empty_cell(run, option):
    content = (
        "Email Address,MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME,LEID,EUID,UNSUB_TIME,"
        "UNSUB_CAMPAIGN_TITLE,UNSUB_REASON\n"
        "ann@example.com,2,2019-01-01,2019-01-01,1,a,2022-06-06 12:56:15,Friday,NORMAL\n"
        "bob@example.com,2,2019-01-01,2019-01-01,2,b,,,\n"
    )
    with pytest.raises(CommandError, match=r"the first in line 3.* Answer with --list-of left"):
        run(content, *CONFIRMED, *option)
    assert not Subscriber.objects.exists()

    run(content, *CONFIRMED, *option, "--list-of", "reader", "--dry-run")
    assert "; 1 left." in " ".join(run.columns)
    printed = run(content, *CONFIRMED, *option, "--list-of", "left")
    assert printed[-1] == "added 0, suppressed 2, already there 0, refused 0"


def test_a_file_called_unconfirmed_is_asked_about_if_nobody_would_be_asked_by_mail(run, tmp_path):
    path = tmp_path / "unconfirmed_members.csv"
    with pytest.raises(CommandError, match=r"“unconfirmed_members\.csv”.*--list-of reader"):
        run(lines(1), *CONFIRMED, path=path)
    assert not Subscriber.objects.exists()

    assert run(lines(1), path=path) == ["added 1 (1 asked by mail), already there 0, refused 0"]
    printed = run(lines(2), *CONFIRMED, "--list-of", "reader", path=path)
    assert printed == ["added 1, already there 1, refused 0"]


def test_dates_are_read_in_the_order_that_the_operator_names_or_reported(run):
    content = "email,confirmed_at\nann@example.com,3/4/2021\nbob@example.com,in spring\n"
    with pytest.raises(
        CommandError, match=r"“3/4/2021” in line 2\. Say which\. Answer with --dates"
    ):
        run(content, *CONFIRMED)

    printed = run(content, *CONFIRMED, "--dates", "mdy", "--dry-run")

    assert printed == [
        "line 3: 'bob@example.com': the confirmation date 'in spring' cannot be read, so the "
        "reader is asked by mail to confirm",
        "would be added 2 (1 asked by mail), already there 0, refused 0, dates not read 1",
        "Nothing was changed.",
    ]
    run(content, *CONFIRMED, "--dates", "mdy")
    assert Subscription.objects.get(status="active").confirmed_at.date().isoformat() == "2021-03-04"


def test_a_list_in_another_encoding_is_read_when_it_is_named(newsletter, tmp_path):
    path = tmp_path / "readers.csv"
    path.write_bytes("email;name\nann@example.com;Böb\n".encode("cp1252"))

    call_command(
        "import_subscribers", str(path), "--newsletter", "daily", "--encoding", "cp1252",
        stdout=StringIO(),
    )  # fmt: skip

    assert Subscriber.objects.get().name == "Böb"


def test_a_name_is_imported_without_what_turns_the_writing_direction(run):
    run("email,name\nann@example.com,\u202aAnn \u2067Lee\u202c\n")

    assert Subscriber.objects.get().name == "Ann Lee"


# --- Dry runs -------------------------------------------------------------------------------------


def test_a_dry_run_reports_the_result_and_changes_nothing(run, newsletter):
    factories.subscription(newsletter, "reader1@example.com")
    content = lines(3) + "nobody\nREADER2@example.com\n"

    assert run(content, "--dry-run", *CONFIRMED) == [
        "line 5: 'nobody': An e-mail address has an @-sign in it, like ann@example.com.",
        "would be added 2, already there 2, refused 1",
        "Nothing was changed.",
    ]
    assert Subscriber.objects.count() == 1
    assert run(content, *CONFIRMED)[-1] == "added 2, already there 2, refused 1"


def test_a_batch_costs_the_same_queries_however_many_rows(newsletter, django_assert_num_queries):
    def store(content):
        plan = importing.prepare(
            Spreadsheet(file_of(content)),
            ColumnMapping({Field.EMAIL: 0}),
            newsletter=newsletter,
            evidence=ImportEvidence(statement=EVIDENCE),
            now=NOW,
        )
        return sum(result.added for result in importing.import_all(plan))

    with django_assert_num_queries(12):
        assert store(lines(10)) == 10
    with django_assert_num_queries(12):
        assert store(lines(900, first=10)) == 900
