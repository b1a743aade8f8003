"""An editor uploads a list in the admin, chooses columns, tries, imports, stops and exports it."""

import csv
import errno
import gzip
import io
import os
import resource
import tempfile

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, OperationalError
from django.urls import reverse
from django.utils import timezone

from subscribers import tasks
from subscribers.consent import suppression
from subscribers.models import Consent, ImportJob, Subscriber, Subscription
from subscribers.transfer import exporting, importing, jobs, slices
from tests import factories
from tests.factories import NOW
from tests.support.paths import ROOT

pytestmark = pytest.mark.django_db
LIST = "/admin/subscribers/importjob/"
NEW = "/admin/subscribers/importjob/add/"
EXPORT = "/admin/subscribers/subscriber/export/"
EVIDENCE = "Double opt-in at the old site, 2019 to 2025."
MAILCHIMP = (ROOT / "tests/data/imports/mailchimp-subscribed.csv").read_bytes()


@pytest.fixture(autouse=True)
def _files(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path / "files")


@pytest.fixture(autouse=True)
def enqueued(monkeypatch):
    """Return the arguments of the tasks that would go to a worker."""
    calls = []
    monkeypatch.setattr(tasks.run_import, "apply_async", lambda kwargs, **_: calls.append(kwargs))
    return calls


@pytest.fixture
def newsletter():
    return factories.newsletter(name="The Daily", slug="daily")


def upload(client, newsletter, content, name="readers.csv", **fields):
    content = content if isinstance(content, bytes) else content.encode()
    file = SimpleUploadedFile(name, content)
    return client.post(NEW, {"newsletter": newsletter.pk, "file": file} | fields)


@pytest.fixture
def job(admin_client, newsletter):
    upload(
        admin_client,
        newsletter,
        "email,name\nann@example.com,Ann\nbob@example.com,Bob\nnobody,No\n",
    )
    return ImportJob.objects.get()


def url(job, name="change"):
    return reverse(f"admin:subscribers_importjob_{name}", args=[job.pk])


def form_data(job, **fields):
    columns = {f"column_{one}": str(place) for one, place in job.columns.items()}
    return (
        {"preset": job.preset, "was": job.preset, "kind": "", "treatment": "ask"} | columns | fields
    )


def run_to_end(job):
    while slices.run_slice(job_id=job.pk, clock=timezone.now):
        pass
    job.refresh_from_db()


def page_text(response):
    return " ".join(response.content.decode().split())


# --- Upload ---------------------------------------------------------------------------------------


def test_an_uploaded_list_is_previewed_and_changes_nothing(admin_client, newsletter, enqueued):
    response = upload(admin_client, newsletter, MAILCHIMP, "subscribed_members_export_1.csv")

    job = ImportJob.objects.get()
    assert response.url == url(job)
    page = page_text(admin_client.get(response.url))
    assert '<option value="mailchimp" selected>Mailchimp, subscribed contacts' in page
    assert "<td>ann@example.com</td><td>Ann Lee</td>" in page
    assert "is asked by mail to confirm" in page
    assert "refused: An e-mail address has an @-sign in it" in page
    assert job.created_by.username == "editor"
    assert (Subscriber.objects.count(), enqueued) == (0, [])


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"PK\x03\x04", "ZIP archive"),
        (b"", "The submitted file is empty"),
        ("email,name\nann@example.com,Böb\n".encode("cp1252"), "Line 2 is not UTF-8"),
        (gzip.compress(b"email\n" * 9, mtime=0)[:-9], "damaged gzip file"),
    ],
)
def test_an_unusable_file_is_refused_with_an_error_at_the_field(
    admin_client, newsletter, content, sentence
):
    response = upload(admin_client, newsletter, content)

    assert response.status_code == 200
    assert sentence in page_text(response)
    assert not ImportJob.objects.exists()


MEGABYTE = 1024 * 1024
NO_ROOM = "There is no room on the server for this file"


@pytest.fixture
def small_disk(tmp_path, monkeypatch):
    """Let this process write no file beyond two megabytes, and return the folder of all files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 * MEGABYTE, before[1]))
    yield tmp_path
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [2.4, 4], ids=["received in memory", "received on disk"])
def test_a_list_for_which_the_disk_has_no_room_is_refused_and_leaves_nothing(
    admin_client, newsletter, small_disk, size
):
    """The smaller one is kept in memory until it is stored; the larger one never arrives."""
    line = b"somebody@example.com\n"

    response = upload(
        admin_client, newsletter, b"email\n" + line * int(size * MEGABYTE / len(line))
    )

    assert response.status_code == 200
    assert NO_ROOM in page_text(response)
    assert "This field is required" not in page_text(response)
    assert not ImportJob.objects.exists()
    assert [path for path in small_disk.rglob("*") if path.is_file()] == []
    assert list(small_disk.glob("files/imports/*")) == []


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.ENOSPC, NO_ROOM), (errno.EDQUOT, NO_ROOM), (errno.EACCES, "look at FILES_DIR"),
        (errno.EROFS, "look at FILES_DIR"), (errno.EIO, "(Input/output error)"),
    ],
)  # fmt: skip
def test_a_folder_that_takes_no_file_is_reported_in_plain_words(
    admin_client, newsletter, monkeypatch, caplog, number, sentence
):
    def refuse(*args, **kwargs):
        raise OSError(number, os.strerror(number), "/srv/files/imports")

    monkeypatch.setattr(FileSystemStorage, "_save", refuse)

    response = upload(admin_client, newsletter, "email\nann@example.com\n")

    assert sentence in page_text(response)
    assert "/srv/files" not in page_text(response)
    assert "/srv/files" in caplog.text
    assert not ImportJob.objects.exists()


def test_a_list_whose_import_cannot_be_stored_is_not_kept_either(
    admin_client, newsletter, monkeypatch, tmp_path
):
    def refuse(*args, **kwargs):
        raise DatabaseError

    monkeypatch.setattr(ImportJob, "save", refuse)

    with pytest.raises(DatabaseError):
        upload(admin_client, newsletter, "email\nann@example.com\n")

    assert list(tmp_path.glob("files/imports/*")) == []


def test_the_encoding_can_be_chosen(admin_client, newsletter):
    content = "email;name\nann@example.com;Böb\n".encode("cp1252")

    page = page_text(
        admin_client.get(upload(admin_client, newsletter, content, encoding="cp1252").url)
    )

    assert "<td>Böb</td>" in page


# --- Choosing columns -----------------------------------------------------------------------------


def test_another_preset_selects_its_own_columns(admin_client, newsletter):
    upload(admin_client, newsletter, "email,name,type\nann@example.com,Ann,churned\n")
    job = ImportJob.objects.get()

    part = page_text(admin_client.post(url(job, "columns"), form_data(job, preset="buttondown")))

    assert "is asked by mail to confirm" in part
    assert '<input type="hidden" name="was" value="buttondown"' in part
    assert ImportJob.objects.get().preset == "daybreak"  # A preview stores nothing.


def test_the_preview_follows_the_chosen_columns(admin_client, job):
    part = page_text(
        admin_client.post(url(job, "columns"), form_data(job, column_name="", kind="left"))
    )
    assert "<td>ann@example.com</td><td></td>" in part
    assert "left: gets no mail from here" in part

    part = page_text(admin_client.post(url(job, "columns"), form_data(job, treatment="confirmed")))
    assert "becomes an active reader" in part


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"column_email": ""}, "Say which column holds the addresses."),
        ({"column_name": "0"}, "This column holds the address already."),
        ({"treatment": "confirmed", "evidence": " yes "}, "Say how you know"),
        ({"treatment": "trust me"}, "Select a valid choice"),
        ({"column_email": "7"}, "Select a valid choice"),
    ],
)
def test_an_invalid_column_form_is_reported_and_starts_nothing(
    admin_client, job, enqueued, fields, sentence
):
    response = admin_client.post(url(job), form_data(job, _import="1", **fields))

    assert sentence in page_text(response)
    job.refresh_from_db()
    assert (job.status, enqueued) == ("uploaded", [])


def test_the_page_asks_what_a_list_leaves_open_and_keeps_the_answer(
    admin_client, newsletter, enqueued
):
    content = "email,Abo,confirmed_at\nann@example.com,ruht,3/4/2021\nbob@example.com,gekündigt,\n"
    upload(admin_client, newsletter, content)
    job = ImportJob.objects.get()
    page = admin_client.get(url(job))
    assert "this is not understood: “ruht” (1)" in page_text(page)
    field, order = page.context["questions"].fields
    assert order == "dates"
    assert "The order of day and month: needs no answer." in page_text(page)
    admin_client.post(url(job), form_data(job, _import="1"))
    run_to_end(job)
    page = page_text(admin_client.get(url(job)))
    assert "waits for your answer" in page
    assert "failed" not in page.lower().replace("htmx", "")
    assert "0 rows read" not in page
    assert "waits for your answer" in page_text(admin_client.get(LIST))

    data = form_data(job, treatment="confirmed", evidence=EVIDENCE, **{field: "ignore"})
    part = page_text(admin_client.post(url(job, "columns"), data))
    assert "not a known status" not in part
    admin_client.post(url(job), data | {"_import": "1"})
    run_to_end(job)
    page = page_text(admin_client.get(url(job)))
    assert '<p class="admin-bad">The dates do not tell' in page
    assert "<p>Column “Abo”: answered.</p>" in page

    data |= {field: "left", order: "dmy"}
    admin_client.post(url(job), data | {"_import": "1"})
    run_to_end(job)

    assert (job.status, job.added, job.suppressed) == ("done", 0, 2)
    page = page_text(admin_client.get(url(job)))
    assert 'value="left" selected' in page
    assert "not understood:" not in page
    assert 'class="admin-bad"' not in page


def test_the_page_asks_what_each_row_is_and_drops_the_question_once_answered(
    admin_client, newsletter
):
    content = "email,unsubscribed_at\nann@example.com,2020-01-02\nbob@example.com,\n"
    upload(admin_client, newsletter, content, name="unsubscribes.csv")
    job = ImportJob.objects.get()
    question = "the first in line 3. Say what each row is"
    assert question in page_text(admin_client.get(url(job)))

    assert question not in page_text(
        admin_client.post(url(job, "columns"), form_data(job, kind="reader"))
    )
    admin_client.post(url(job), form_data(job, kind="left", _import="1"))
    run_to_end(job)
    assert (job.status, job.added, job.suppressed) == ("done", 0, 2)
    assert question not in page_text(admin_client.get(url(job)))


def test_the_page_asks_about_a_line_over_people_who_left(admin_client, newsletter):
    upload(
        admin_client, newsletter,
        "email,name\nann@example.com,Ann (abgemeldet)\nUnsubscribed:\nbob@example.com,Bob\n",
    )  # fmt: skip
    job = ImportJob.objects.get()
    page = admin_client.get(url(job))
    assert "may be people who left: “Unsubscribed:” in line 3" in page_text(page)
    field, heading = page.context["questions"].fields

    admin_client.post(url(job), form_data(job, _import="1", **{field: "left"}))
    run_to_end(job)
    assert (job.status, job.rows) == ("failed", 0)
    admin_client.post(url(job), form_data(job, _import="1", **{field: "left", heading: "ignore"}))
    run_to_end(job)

    assert (job.status, job.added, job.suppressed, job.refused) == ("done", 1, 1, 1)
    assert 'value="ignore" selected' in page_text(admin_client.get(url(job)))


def test_the_page_shows_of_whom_a_date_is_not_read(admin_client, newsletter):
    upload(admin_client, newsletter, "email,confirmed_at\nann@example.com,soon\n")
    job = ImportJob.objects.get()
    data = form_data(job, treatment="confirmed", evidence=EVIDENCE, _try="1")
    admin_client.post(url(job), data)
    run_to_end(job)

    page = page_text(admin_client.get(url(job)))

    assert '<dt>Dates not read</dt><dd class="admin-bad">1</dd>' in page
    assert "<td>2</td><td>ann@example.com</td><td>the confirmation date &#x27;soon&#x27;" in page


def test_an_unknown_header_makes_the_page_ask_for_the_columns(admin_client, newsletter):
    page = page_text(
        admin_client.get(upload(admin_client, newsletter, "a,b\nann@example.com,Ann\n").url)
    )

    assert "Which column holds the addresses?" in page
    assert "choose it under “Address” above" in page
    assert '<details class="admin-columns" open>' in page


# --- Running --------------------------------------------------------------------------------------


def test_a_list_is_imported_after_a_dry_run(
    admin_client, job, enqueued, django_capture_on_commit_callbacks
):
    evidence = {"treatment": "confirmed", "evidence": EVIDENCE}
    with django_capture_on_commit_callbacks(execute=True):
        admin_client.post(url(job), form_data(job, _try="1", **evidence))
    assert enqueued == [{"job_id": job.pk}]
    run_to_end(job)
    page = page_text(admin_client.get(url(job)))
    assert "The dry run is finished. Nothing has been changed yet." in page
    assert "<dt>Would be added</dt><dd>2</dd>" in page
    assert "<td>email</td><td>the address</td>" in page
    assert Subscription.objects.count() == 0

    with django_capture_on_commit_callbacks(execute=True):
        admin_client.post(url(job), form_data(job, _import="1", **evidence))
    run_to_end(job)

    page = page_text(admin_client.get(url(job)))
    assert "<dt>Added</dt><dd>2</dd>" in page
    assert "<td>4</td><td>nobody</td>" in page
    assert set(Subscription.objects.values_list("status", flat=True)) == {"active"}
    details = Consent.objects.first().details
    assert (details["evidence"], details["by"]) == (EVIDENCE, "editor")


def test_the_page_says_what_each_column_is_read_as_and_whom_a_run_made_leave(
    admin_client, newsletter, monkeypatch
):
    monkeypatch.setattr(importing, "BATCH_SIZE", 2)
    monkeypatch.setattr(slices, "SLICE_SECONDS", -1.0)
    rows = "a@example.com,1,x\nb@example.com,,y\nc@example.com,1,z\n"
    upload(admin_client, newsletter, f"email,Invalid,City\n{rows}")
    job = ImportJob.objects.get()
    page = page_text(admin_client.get(url(job)))
    assert "<td>Invalid</td><td>who bounced</td>" in page
    assert "Columns that are not used: City</p>" in page

    jobs.start_import(job_id=job.pk, now=timezone.now())
    run_to_end(job)

    page = page_text(admin_client.get(url(job)))
    assert "<td>Invalid</td><td>who bounced; <strong>2 bounced</strong></td>" in page
    assert page.count("<caption>What its columns ") == 1
    jobs.configure(
        job_id=job.pk, preset=job.preset, columns=job.columns, kind="left", treatment="ask",
        evidence="",
    )  # fmt: skip
    page = page_text(admin_client.get(url(job)))
    assert "Each row is read as a person who left." in page
    assert "Columns that are not used: Invalid, City</p>" in page


def test_the_page_polls_a_running_import_and_reloads_when_it_ends(admin_client, job):
    jobs.start_import(job_id=job.pk, now=timezone.now())
    assert 'hx-trigger="every 2s [!document.hidden]"' in page_text(admin_client.get(url(job)))
    ImportJob.objects.update(rows=50_000, added=49_000, position=job.size // 2)

    part = admin_client.get(url(job, "progress"), {"was": "running"})
    assert "<strong>50,000</strong> rows read" in page_text(part)
    assert 'aria-valuenow="49"' in page_text(part) or 'aria-valuenow="50"' in page_text(part)
    assert "HX-Refresh" not in part

    run_to_end(job)
    part = admin_client.get(url(job, "progress"), {"was": "running"})
    assert part["HX-Refresh"] == "true"
    assert "hx-get" not in page_text(part)


def test_an_import_can_be_stopped_and_resumed(
    admin_client, job, enqueued, django_capture_on_commit_callbacks
):
    jobs.start_import(job_id=job.pk, now=timezone.now())
    assert admin_client.get(url(job, "stop")).status_code == 405
    admin_client.post(url(job, "stop"))
    job.refresh_from_db()
    assert job.status == "stopped"
    ImportJob.objects.update(line=2, cookie="31", rows=1, added=1)
    assert "Continue where it stopped" in page_text(admin_client.get(url(job)))

    with django_capture_on_commit_callbacks(execute=True):
        admin_client.post(url(job), {"_resume": "1"})
    run_to_end(job)

    assert (job.status, job.rows, enqueued) == ("done", 3, [{"job_id": job.pk}])


def test_the_columns_of_a_running_import_are_not_changed(admin_client, job):
    jobs.start_import(job_id=job.pk, now=timezone.now())

    page = page_text(admin_client.post(url(job), form_data(job, _import="1", column_name="")))

    assert "admin-mapping" not in page
    job.refresh_from_db()
    assert "name" in job.columns


def test_refused_rows_are_downloaded_with_their_reasons(admin_client, newsletter):
    suppression.suppress(email="gone@example.com", reason="bounce", now=NOW)
    upload(admin_client, newsletter, "email\n=cmd|calc\ngone@example.com\nann@example.com\n")
    job = ImportJob.objects.get()
    jobs.start_import(job_id=job.pk, now=timezone.now())
    run_to_end(job)

    response = admin_client.get(url(job, "refused"))

    assert response["Content-Type"] == "text/csv; charset=utf-8"
    content = b"".join(response.streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(content)))
    assert [(row["line"], row["email"]) for row in rows] == [
        ("2", "'=cmd|calc"),
        ("3", "gone@example.com"),
    ]
    assert rows[1]["reason"] == "the address is suppressed: hard bounce"


def test_a_failed_import_says_why(admin_client, job):
    jobs.start_import(job_id=job.pk, now=timezone.now())
    ImportJob.objects.update(status="failed", error="Line 9 is not UTF-8.")

    assert "Line 9 is not UTF-8." in page_text(admin_client.get(url(job)))


def test_an_old_import_keeps_only_its_counts(admin_client, job):
    jobs.purge_uploads(before=timezone.now())

    page = page_text(admin_client.get(url(job)))

    assert "The file has been deleted" in page
    assert "admin-mapping" not in page


# --- Permissions ----------------------------------------------------------------------------------


def test_a_view_permission_shows_an_import_and_changes_nothing(staff_client, newsletter):
    job = jobs.upload(
        newsletter=newsletter,
        file=SimpleUploadedFile("readers.csv", b"email\nann@example.com\n"),
        by=None,
        now=NOW,
    )
    client = staff_client("subscribers.view_importjob")

    page = client.get(url(job))
    assert page.status_code == 200
    assert "_import" not in page_text(page)
    assert client.get(NEW).status_code == 403
    assert client.post(url(job), form_data(job, _import="1")).status_code == 403
    assert client.post(url(job, "columns"), form_data(job)).status_code == 403
    assert client.post(url(job, "stop")).status_code == 403


@pytest.mark.parametrize("name", ["change", "progress", "refused", "columns", "stop"])
def test_an_anonymous_visitor_is_sent_to_the_login(client, job, name):
    client.logout()

    for response in (client.get(url(job, name)), client.post(url(job, name))):
        assert "/login/" in response.url


def test_an_unknown_import_is_not_found(admin_client):
    assert admin_client.get("/admin/subscribers/importjob/99/change/").status_code == 404
    assert admin_client.get("/admin/subscribers/importjob/x/change/").status_code == 404


# --- Exports --------------------------------------------------------------------------------------


def test_readers_are_exported_and_the_export_is_logged(admin_client, newsletter):
    factories.subscription(newsletter, "ann@example.com")
    factories.subscription(newsletter, "bob@example.com", status="unsubscribed")
    factories.subscription(factories.newsletter(), "cy@example.com")
    assert "Export" in page_text(admin_client.get("/admin/subscribers/subscriber/"))
    assert "Download" in page_text(admin_client.get(EXPORT))

    response = admin_client.post(EXPORT, {"newsletter": newsletter.pk, "statuses": ["active"]})

    length = int(response["Content-Length"])
    content = b"".join(response.streaming_content)
    [row] = csv.DictReader(io.StringIO(content.decode()))
    assert (row["email"], len(content)) == ("ann@example.com", length)
    assert response["Content-Disposition"].startswith('attachment; filename="daily-')
    entry = LogEntry.objects.get()
    assert (entry.user.username, entry.object_repr) == ("editor", "The Daily")


def test_an_export_can_be_compressed_with_gzip(admin_client, newsletter):
    factories.subscription(newsletter, "ann@example.com")

    response = admin_client.post(EXPORT, {"statuses": ["active"], "by_gzip": "on"})

    content = gzip.decompress(b"".join(response.streaming_content)).decode()
    assert content.splitlines()[1].startswith("ann@example.com,")


def test_an_export_that_fails_is_a_page_that_says_so(admin_client, newsletter, monkeypatch):
    def break_off(**options):
        yield "email\r\n"
        raise OperationalError("the connection is closed")

    monkeypatch.setattr(exporting, "csv_chunks", break_off)
    response = admin_client.post(EXPORT, {"statuses": ["active"]})

    assert response.status_code == 500
    assert "Content-Disposition" not in response
    assert "The database failed before the export was complete." in page_text(response)


def test_exporting_needs_a_permission_of_its_own(staff_client, newsletter):
    client = staff_client("subscribers.view_subscriber")

    assert client.post(EXPORT, {"statuses": ["active"]}).status_code == 403
    assert EXPORT not in page_text(client.get("/admin/subscribers/subscriber/"))
