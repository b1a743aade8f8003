"""Readers are exported as CSV, and an import restores them as they were."""

import csv
import errno
import gzip
import tempfile
from functools import partial
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from subscribers.consent import suppression
from subscribers.models import Subscriber, Subscription, Suppression
from subscribers.privacy import erasure
from subscribers.transfer import exporting, whole_file
from subscribers.transfer.rows import unescape_formula
from subscribers.transfer.whole_file import ExportFailed, write_whole
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def newsletter():
    return factories.newsletter(slug="daily")


def rows(**filters):
    return list(csv.DictReader(StringIO("".join(exporting.csv_chunks(**filters)))))


def test_a_row_has_the_details_of_a_reader(newsletter):
    reader = factories.subscription(
        newsletter, "ann@example.com", frequency="weekly", source="news.example.com/about",
        created_at=NOW,
    ).subscriber  # fmt: skip
    Subscriber.objects.filter(pk=reader.pk).update(
        name="Ann, “the” Lee", language="de", timezone="Europe/Berlin"
    )

    assert rows() == [
        {
            "email": "ann@example.com",
            "name": "Ann, “the” Lee",
            "language": "de",
            "timezone": "Europe/Berlin",
            "newsletter": "daily",
            "status": "active",
            "frequency": "weekly",
            "source": "news.example.com/about",
            "signed_up_at": "2026-03-10T06:00:00+00:00",
            "confirmed_at": "2026-03-10T06:00:00+00:00",
            "left_at": "",
            "why": "",
        }
    ]


def test_suppressed_readers_are_marked_and_erased_readers_are_left_out(newsletter):
    for name in ("ann", "bob", "cy", "di", "ed"):
        factories.subscription(newsletter, f"{name}@example.com")
    for name, reason in (("bob", "bounce"), ("cy", "complaint"), ("di", "manual")):
        suppression.suppress(email=f"{name}@example.com", reason=reason, now=NOW)
    erased = Subscriber.objects.get(email="ed@example.com")
    erasure.erase(subscriber_id=erased.pk, now=timezone.now())

    assert {row["email"][:2]: row["status"] for row in rows()} == {
        "an": "active",
        "bo": "bounced",
        "cy": "complained",
        "di": "suppressed",
    }
    assert [row["email"] for row in rows(statuses=["active"])] == ["ann@example.com"]


def test_a_long_list_is_exported_page_by_page(newsletter, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(exporting, "CHUNK_ROWS", 4)
    for n in range(10):
        factories.subscription(newsletter, f"reader{n}@example.com")

    with django_assert_num_queries(4):
        assert len(rows(newsletter=newsletter)) == 10


@pytest.mark.parametrize("name", ["=HYPERLINK(A1)", "+1", "-1", "@SUM(A1)", "\tx"])
def test_a_name_that_looks_like_a_formula_is_escaped(newsletter, name):
    reader = factories.subscription(newsletter, "ann@example.com").subscriber
    Subscriber.objects.filter(pk=reader.pk).update(name=name)

    assert rows()[0]["name"] == f"'{name}"


@given(st.text(max_size=8))
def test_an_escaped_value_is_read_as_the_original(value):
    assert unescape_formula(exporting.escape_formula(value)) == (
        value if value[:1] != "'" else unescape_formula(value)
    )


def test_an_import_restores_what_was_exported(newsletter, tmp_path):
    factories.subscription(newsletter, "ann@example.com")
    factories.subscription(newsletter, "bob@example.com", status="pending", confirmed_at=None)
    factories.subscription(newsletter, "cy@example.com", status="unsubscribed", ended_at=NOW)
    factories.subscription(newsletter, "di@example.com")
    suppression.suppress(email="di@example.com", reason="bounce", now=NOW)
    path = tmp_path / "readers.csv.gz"
    call_command("export_subscribers", "--newsletter", "daily", "--output", str(path))
    Subscription.objects.all()._raw_delete("default")
    Subscriber.objects.all()._raw_delete("default")
    Suppression.objects.all().delete()

    call_command(
        "import_subscribers", str(path), "--newsletter", "daily", "--confirmed",
        "--evidence", "Our own ledger.", stdout=StringIO(),
    )  # fmt: skip

    states = Subscription.objects.values_list("subscriber__email", "status")
    assert dict(states) == {"ann@example.com": "active", "bob@example.com": "pending"}
    assert dict(Suppression.objects.values_list("email_key", "reason")) == {
        "cy@example.com": "import",
        "di@example.com": "bounce",
    }


def break_off(**options):
    """Export as if the database went away after the first rows."""
    yield "email,name\r\n" * 50_000
    raise OperationalError("the connection is closed")


def test_an_export_that_breaks_off_leaves_no_file_that_looks_whole(monkeypatch, tmp_path):
    monkeypatch.setattr(exporting, "csv_chunks", break_off)

    with pytest.raises(OperationalError):
        call_command("export_subscribers", "--output", str(tmp_path / "readers.csv"))

    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_whole_is_not_served(monkeypatch, tmp_path):
    for pieces, seconds, message in (
        ((chunk.encode() for chunk in break_off()), 60, "The database failed"),
        (iter([b"one", b"two"]), -1, "takes longer"),
    ):
        with pytest.raises(ExportFailed, match=message):
            write_whole(pieces, seconds=seconds)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(ExportFailed, match="The disk failed"):
        write_whole([b"one"])


def test_a_full_disk_ends_an_export_with_the_reason(monkeypatch):
    monkeypatch.setattr(whole_file, "TemporaryFile", partial(Path("/dev/full").open, "w+b"))

    with pytest.raises(ExportFailed, match="The disk failed"):
        write_whole([b"email"])


def test_the_command_writes_to_the_screen_or_to_a_new_file(newsletter, tmp_path):
    factories.subscription(newsletter, "ann@example.com")
    out = StringIO()
    call_command("export_subscribers", stdout=out)
    assert out.getvalue().splitlines()[1].startswith("ann@example.com,")

    path = tmp_path / "readers.csv.gz"
    call_command("export_subscribers", "--output", str(path), "--status", "active")
    assert gzip.decompress(path.read_bytes()).decode() == out.getvalue()
    with pytest.raises(CommandError, match="exists already"):
        call_command("export_subscribers", "--output", str(path))
    with pytest.raises(CommandError, match=r"no newsletter “weekly”.*daily"):
        call_command("export_subscribers", "--newsletter", "weekly")


def test_a_file_that_cannot_be_written_to_its_end_is_deleted_again(
    newsletter, tmp_path, monkeypatch
):
    def half(chunks, **_):
        yield b"email"
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(exporting, "encoded", half)
    path = tmp_path / "readers.csv"

    with pytest.raises(CommandError, match=r"left on device\. No part of it is kept"):
        call_command("export_subscribers", "--output", str(path))

    assert not any(tmp_path.iterdir())
