"""An import runs in the background, in slices, and can be stopped, killed and run again."""

import itertools
import os
import shutil
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.contrib.auth.models import User
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from subscribers import tasks
from subscribers.consent import suppression
from subscribers.models import Consent, ImportJob, ImportRefusal, Subscriber, Subscription
from subscribers.privacy import erasure, retention
from subscribers.transfer import importing, jobs, slices
from subscribers.transfer.jobs import InvalidImportState
from subscribers.transfer.presets import Field, RowKind
from subscribers.transfer.questions import Answers
from subscribers.transfer.spreadsheet import Refusal, Spreadsheet
from subscribers.transfer.unpacking import SourceFile, UnreadableFile
from tests import factories
from tests.factories import NOW
from tests.support.database import sessions
from tests.support.paths import ROOT
from tests.support.waiting import wait_for
from tests.support.worker import process_environment

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _files(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path / "files")


@pytest.fixture
def small_batches(monkeypatch):
    """Make batches of ten rows, and slices of one batch."""
    monkeypatch.setattr(importing, "BATCH_SIZE", 10)
    monkeypatch.setattr(slices, "SLICE_SECONDS", 0)


def lines(count, *, first=0):
    return "email\n" + "".join(f"reader{n}@example.com\n" for n in range(first, first + count))


def uploaded(content, *, name="readers.csv", **fields):
    content = content if isinstance(content, bytes) else content.encode()
    newsletter = fields.pop("newsletter", None) or factories.newsletter()
    return jobs.upload(
        newsletter=newsletter,
        file=SimpleUploadedFile(name, content),
        by=User.objects.get_or_create(username="anna")[0],
        now=timezone.now(),
        **fields,
    )


def confirmed(job):
    jobs.configure(
        job_id=job.pk,
        preset=job.preset,
        columns={Field(field): column for field, column in job.columns.items()},
        kind="",
        treatment="confirmed",
        evidence="Double opt-in at the old site.",
    )
    return job


def run_slice(job):
    more = slices.run_slice(job_id=job.pk, clock=timezone.now)
    job.refresh_from_db()
    return more


def run_whole(job, **options):
    jobs.start_import(job_id=job.pk, now=timezone.now(), **options)
    while run_slice(job):
        pass
    return job


def counts(job):
    return job.rows, job.added, job.already_there, job.refused


def test_an_uploaded_file_is_kept_with_a_guess_at_its_columns(tmp_path):
    job = uploaded(
        "E-Mail;Vorname;Nachname\nann@example.com;Ann;Lee\n", name="C:\\Users\\liste.csv"
    )

    assert (job.name, job.status, job.preset) == ("liste.csv", "uploaded", "daybreak")
    assert job.columns == {"email": 0, "first_name": 1, "last_name": 2}
    assert job.file.name.startswith("imports/")
    assert os.stat(job.file.path).st_mode & 0o077 == 0


def test_a_file_that_is_no_list_is_not_kept(tmp_path):
    with pytest.raises(UnreadableFile, match="ZIP archive"):
        uploaded(b"PK\x03\x04 and so on", name="audience.zip")

    with pytest.raises(UnreadableFile, match="Line 2 is not UTF-8"):
        uploaded("email\nbj\xf6rn@example.com\n".encode("cp1252"))
    assert not ImportJob.objects.exists()
    assert not (tmp_path / "files").exists()


def test_readers_who_confirmed_elsewhere_get_the_evidence_with_their_consent():
    job = run_whole(confirmed(uploaded("email,name\nann@example.com,Ann\nnobody,\n")))

    assert (job.status, *counts(job)) == ("done", 2, 1, 0, 1)
    assert job.percent == 100
    consent = Consent.objects.get()
    assert (consent.kind, consent.page) == ("import", "import of readers.csv")
    assert consent.details == {
        "evidence": "Double opt-in at the old site.",
        "by": "anna",
        "file": "readers.csv",
        "import": job.pk,
        "line": 2,
    }
    refusal = ImportRefusal.objects.get()
    assert (refusal.line, refusal.email) == (3, "nobody")
    assert "@-sign" in refusal.reason


def test_every_reader_is_asked_to_confirm_if_there_is_no_evidence():
    job = run_whole(uploaded(lines(3)))

    assert (job.added, job.asked) == (3, 3)
    assert set(Subscription.objects.values_list("status", flat=True)) == {"pending"}


def test_the_database_itself_requires_the_evidence():
    job = uploaded(lines(1))

    with pytest.raises(IntegrityError, match="import_confirmed_has_evidence"), transaction.atomic():
        ImportJob.objects.filter(pk=job.pk).update(treatment="confirmed", evidence="")


def test_an_import_runs_slice_after_slice_and_counts_every_reader_once(small_batches):
    job = confirmed(uploaded(lines(25) + "reader3@example.com\nnobody\n"))
    jobs.start_import(job_id=job.pk, now=timezone.now())

    progress = []
    while run_slice(job):
        progress.append((job.line, job.added))

    assert progress == [(11, 10), (21, 20), (28, 25)]
    assert (job.status, *counts(job)) == ("done", 27, 25, 1, 1)
    assert Subscription.objects.filter(status="active").count() == 25


def test_confirmation_mails_become_due_one_after_the_other_over_all_slices(small_batches):
    run_whole(uploaded(lines(30)))

    due = list(Subscription.objects.order_by("mail_due_at").values_list("mail_due_at", flat=True))
    assert len(set(due)) == 30


def test_a_dry_run_reports_the_same_and_changes_nothing(small_batches):
    newsletter = factories.newsletter()
    factories.subscription(newsletter, "reader1@example.com")
    factories.subscription(newsletter, "reader2@example.com", status="unsubscribed")
    suppression.suppress(email="reader3@example.com", reason="bounce", now=NOW)
    before = Subscriber.objects.count(), Subscription.objects.count(), Consent.objects.count()
    content = lines(25) + "READER17@example.com\nnobody\n"
    job = confirmed(uploaded(content, newsletter=newsletter))

    run_whole(job, dry_run=True)

    tried = counts(job)
    assert job.status == "tried"
    assert tried == (27, 22, 2, 3)
    reasons = list(ImportRefusal.objects.values_list("line", "reason"))
    after = Subscriber.objects.count(), Subscription.objects.count(), Consent.objects.count()
    assert after == before

    run_whole(job)
    assert counts(job) == tried
    assert list(ImportRefusal.objects.values_list("line", "reason")) == reasons


def test_a_dry_run_that_was_killed_starts_again_from_the_beginning(small_batches):
    job = confirmed(uploaded(lines(25)))
    jobs.start_import(job_id=job.pk, dry_run=True, now=timezone.now())
    ImportJob.objects.update(line=11, cookie="170", rows=10, added=10)

    run_slice(job)

    assert (job.status, *counts(job)) == ("tried", 25, 25, 0, 0)


def test_an_import_stops_immediately_and_can_be_resumed(small_batches):
    job = confirmed(uploaded(lines(25)))
    jobs.start_import(job_id=job.pk, now=timezone.now())
    run_slice(job)

    assert jobs.stop_import(job_id=job.pk, now=timezone.now())
    assert run_slice(job) is False
    assert (job.status, job.added) == ("stopped", 10)
    assert Subscription.objects.count() == 10

    run_whole(job, resume=True)
    assert (job.status, *counts(job)) == ("done", 25, 25, 0, 0)


def test_an_import_stops_and_says_so_when_the_disk_of_postgresql_is_full(
    small_batches, monkeypatch
):
    job = confirmed(uploaded(lines(25)))
    jobs.start_import(job_id=job.pk, now=timezone.now())
    run_slice(job)
    raise_it = "RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'"

    def store_batch(*args, **kwargs):
        with connection.cursor() as cursor:
            cursor.execute(f"DO $$ BEGIN {raise_it}; END $$")

    with monkeypatch.context() as patch:
        patch.setattr(slices.storing, "store_batch", store_batch)
        assert run_slice(job) is False
    assert (job.status, job.added, job.error) == ("stopped", 10, slices.NO_ROOM)

    run_whole(job, resume=True)
    assert (job.status, job.error, *counts(job)) == ("done", "", 25, 25, 0, 0)


def test_the_batch_under_way_is_not_stored_when_the_import_is_stopped(small_batches, monkeypatch):
    job = confirmed(uploaded(lines(25)))
    jobs.start_import(job_id=job.pk, now=timezone.now())
    store = slices.storing.store_batch

    def store_and_stop(*args, **kwargs):
        result = store(*args, **kwargs)
        jobs.stop_import(job_id=job.pk, now=timezone.now())
        return result

    monkeypatch.setattr(slices.storing, "store_batch", store_and_stop)
    # The import is stopped in the same transaction here, and this is rolled back with it.
    with pytest.raises(slices._LeaseLost):
        slices._Run(_claimed(job), "mine", timezone.now).run()

    assert not Subscription.objects.exists()


def _claimed(job):
    return slices._claim(job.pk, "mine", timezone.now())


def test_an_import_can_be_run_again_from_the_start():
    job = run_whole(confirmed(uploaded(lines(5))))

    run_whole(job)

    assert (job.status, *counts(job)) == ("done", 5, 0, 5, 0)
    assert Consent.objects.count() == 5


def test_only_one_worker_runs_an_import(small_batches):
    job = confirmed(uploaded(lines(25)))
    jobs.start_import(job_id=job.pk, now=timezone.now())
    assert slices._claim(job.pk, "one", timezone.now())

    assert slices._claim(job.pk, "other", timezone.now()) is None
    assert run_slice(job) is False
    assert job.added == 0


@pytest.fixture
def renewals(monkeypatch):
    """Ask at once whether a worker may go on, and return until when it then has its lease."""
    times = []
    renew = slices._Run._renew_lease

    def renew_and_note(run):
        renew(run)
        times.append(ImportJob.objects.get(pk=run.job.pk).leased_until)

    monkeypatch.setattr(importing, "_WAIT_SECONDS", 0.001)
    monkeypatch.setattr(slices._Run, "_renew_lease", renew_and_note)
    return times


def test_a_worker_renews_its_lease_while_it_reads(monkeypatch, renewals):
    job = confirmed(uploaded(lines(5)))
    jobs.start_import(job_id=job.pk, now=NOW)
    seconds = itertools.count()

    def decode(file, *, should_stop):
        wait_for(lambda: len(renewals) > 2, what="renewals")

    monkeypatch.setattr(SourceFile, "check_encoding", decode)
    slices.run_slice(job_id=job.pk, clock=lambda: NOW + timedelta(seconds=next(seconds)))

    assert renewals == sorted(set(renewals))
    assert renewals[0] > NOW + slices.LEASE
    job.refresh_from_db()
    assert (job.status, job.added) == ("done", 5)


@pytest.mark.parametrize("busy", ["decoding", "looking at it", "reading"])
def test_a_stop_ends_a_batch_that_is_still_being_read(busy, monkeypatch, renewals):
    job = confirmed(uploaded("email,status\nann@example.com,active\n"))
    jobs.start_import(job_id=job.pk, now=timezone.now())
    monkeypatch.setattr(importing, "BATCH_SIZE", sys.maxsize)

    def decode(file, *, should_stop):
        while busy == "decoding" and not should_stop():
            pass

    def read_endlessly(sheet, *, after=None):
        while busy == ("reading" if after else "looking at it"):
            yield Refusal(2, "", "no address")

    renew = slices._Run._renew_lease

    def stop_and_renew(run):
        jobs.stop_import(job_id=job.pk, now=timezone.now())
        renew(run)

    monkeypatch.setattr(slices._Run, "_renew_lease", stop_and_renew)
    monkeypatch.setattr(SourceFile, "check_encoding", decode)
    monkeypatch.setattr(Spreadsheet, "records", read_endlessly)

    assert run_slice(job) is False
    assert (job.status, job.rows) == ("stopped", 0)


def test_an_import_that_is_cut_off_says_that_the_list_is_too_long(monkeypatch):
    job = confirmed(uploaded(lines(5)))
    jobs.start_import(job_id=job.pk, now=timezone.now())

    def read_too_long(run):
        raise SoftTimeLimitExceeded

    monkeypatch.setattr(slices._Run, "run", read_too_long)

    assert run_slice(job) is False
    assert (job.status, job.error) == (
        "failed", "It took too long to read. Split the list into several files.",
    )  # fmt: skip


def test_a_worker_whose_lease_ran_out_stores_nothing_more(small_batches):
    job = confirmed(uploaded(lines(25)))
    jobs.start_import(job_id=job.pk, now=timezone.now())
    slow = slices._Run(slices._claim(job.pk, "slow", timezone.now()), "slow", timezone.now)
    ImportJob.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert slices.unclaimed(now=timezone.now()) == [job.pk]
    run_slice(job)

    with pytest.raises(slices._LeaseLost):
        slow.run()

    job.refresh_from_db()
    assert (job.line, job.added, Subscription.objects.count()) == (11, 10, 10)


def test_the_tick_enqueues_an_import_that_no_worker_runs(
    monkeypatch, django_capture_on_commit_callbacks
):
    sent = []
    monkeypatch.setattr(tasks.run_import, "apply_async", lambda kwargs, **_: sent.append(kwargs))
    job = uploaded(lines(1))
    jobs.start_import(job_id=job.pk, now=timezone.now() - timedelta(seconds=1))

    with django_capture_on_commit_callbacks(execute=True):
        tasks.tick()

    assert sent == [{"job_id": job.pk}]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (lines(1000) + "bj\xf6rn@example.com\n", "Line 1002 is not UTF-8"),
        ("email\n" + "x@example.com\n" * 300_000, "larger than 0.0 GB"),
    ],
)
def test_a_file_that_cannot_be_read_to_its_end_fails_with_a_sentence(content, error, settings):
    settings.IMPORT_MAX_BYTES = 3_000_000

    job = run_whole(uploaded(content.encode("cp1252")))

    assert job.status == "failed"
    assert error in job.error
    assert not Subscriber.objects.exists()


def test_an_error_in_our_own_code_fails_the_import_visibly(monkeypatch):
    job = uploaded(lines(1))
    monkeypatch.setattr(slices.storing, "store_batch", lambda *args, **kwargs: 1 / 0)

    run_whole(job)

    assert (job.status, "ZeroDivisionError" in job.error) == ("failed", True)


def test_a_running_import_cannot_be_configured_or_started():
    job = uploaded(lines(1))
    jobs.start_import(job_id=job.pk, now=timezone.now())

    with pytest.raises(InvalidImportState, match="stop it first"):
        confirmed(job)
    with pytest.raises(InvalidImportState, match="under way"):
        jobs.start_import(job_id=job.pk, now=timezone.now())


def test_a_list_without_a_column_of_addresses_does_not_start():
    job = uploaded("name\nAnn\n")

    with pytest.raises(InvalidImportState, match="which column holds the addresses"):
        jobs.start_import(job_id=job.pk, now=timezone.now())


def test_old_files_and_refusals_are_deleted(settings):
    old, new = run_whole(uploaded("email\nnobody\n")), run_whole(uploaded("email\nnobody\n"))
    ImportJob.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=31))
    path = old.file.path

    retention.purge(now=timezone.now())

    old.refresh_from_db()
    assert (bool(old.file), os.path.exists(path), old.refusals.count()) == (False, False, 0)
    assert (old.refused, os.path.exists(new.file.path), new.refusals.count()) == (1, True, 1)
    with pytest.raises(InvalidImportState, match="has been deleted"):
        jobs.start_import(job_id=old.pk, now=timezone.now())


def test_the_file_is_deleted_with_its_import_and_with_its_newsletter(
    django_capture_on_commit_callbacks,
):
    one, other = uploaded(lines(1)), uploaded(lines(1))
    folders = [os.path.dirname(job.file.path) for job in (one, other)]

    with django_capture_on_commit_callbacks(execute=True):
        one.delete()
        other.newsletter.delete()

    assert [os.path.exists(folder) for folder in folders] == [False, False]


def test_a_folder_that_cannot_be_deleted_is_named_and_does_not_hold_up_the_purge(
    monkeypatch, caplog
):
    monkeypatch.setattr(retention, "FILES_PER_STEP", 1)
    orphans = [os.path.dirname(uploaded(lines(1)).file.path) for _ in range(2)]
    ImportJob.objects.update(file="")
    os.mkdir(f"{min(orphans)}/@eaDir")
    late = timezone.now() + timedelta(days=2)

    while retention.purge(now=late):
        pass

    assert [os.path.exists(folder) for folder in sorted(orphans)] == [True, False]
    assert "belongs to no import and cannot be deleted" in caplog.text
    shutil.rmtree(min(orphans))


def test_a_file_that_cannot_be_deleted_does_not_hold_up_the_others(monkeypatch, caplog):
    paths = sorted(uploaded(lines(1)).file.path for _ in range(2))
    ImportJob.objects.update(file="")
    delete = FileSystemStorage.delete

    def refuse(self, name):
        if name in paths[0]:
            raise PermissionError(name)
        delete(self, name)

    monkeypatch.setattr(FileSystemStorage, "delete", refuse)
    retention.purge(now=timezone.now() + timedelta(days=2))

    assert [os.path.exists(path) for path in paths] == [True, False]
    assert "belongs to no import and cannot be deleted" in caplog.text
    monkeypatch.undo()
    shutil.rmtree(os.path.dirname(paths[0]))


def test_a_file_that_belongs_to_no_import_is_deleted_after_a_day(settings):
    settings.RETENTION_IMPORT_DAYS = 0
    kept, orphan, empty = (uploaded(lines(1)).file.path for _ in range(3))
    ImportJob.objects.exclude(file=ImportJob.objects.order_by("pk")[0].file).update(file="")
    os.unlink(empty)

    retention.purge(now=timezone.now())
    assert os.path.exists(orphan)
    retention.purge(now=timezone.now() + timedelta(days=1, minutes=1))

    assert os.path.exists(kept)
    assert not os.path.exists(os.path.dirname(orphan))
    assert not os.path.exists(os.path.dirname(empty))


def test_an_erased_reader_is_erased_from_the_refusals_and_not_imported_again():
    newsletter = factories.newsletter()
    reader = factories.subscription(newsletter, "ann@example.com", status="unsubscribed").subscriber
    content = "email\nANN@example.com\nbob@example.com\n"
    run_whole(confirmed(uploaded(content, newsletter=newsletter)))

    erasure.erase(subscriber_id=reader.pk, now=timezone.now())

    assert list(ImportRefusal.objects.values_list("email", flat=True)) == [""]
    again = run_whole(confirmed(uploaded(content, newsletter=newsletter)))
    assert counts(again) == (2, 0, 1, 1)
    assert "erased at the reader's request" in again.refusals.get().reason
    assert not Subscriber.objects.filter(email_key="ann@example.com").exists()


@pytest.mark.parametrize("erased_first", [True, False])
@pytest.mark.parametrize("dry_run", [True, False])
def test_an_erased_readers_address_in_a_row_that_cannot_be_read_is_not_kept(erased_first, dry_run):
    newsletter = factories.newsletter()
    content = (
        "email,name,timezone\n"
        "ann@example. com,,\nAnn ann@example.com ann,,\n\u200bann@example.com,,Mars\n"
        "cy@example.com,,ann@example.com\nbob b@example.com,,\n"
    )
    if erased_first:
        erasure.erase_address(email="ann@example.com", now=timezone.now())
    job = uploaded(content, newsletter=newsletter)
    jobs.start_import(job_id=job.pk, dry_run=dry_run, now=timezone.now())
    run_slice(job)
    if not erased_first:
        erasure.erase_address(email="ann@example.com", now=timezone.now())

    rows = list(job.refusals.order_by("line").values_list("email", "reason"))
    assert [email for email, _ in rows] == ["", "", "", "cy@example.com", "bob b@example.com"]
    assert not any("ann" in reason for _, reason in rows)


@pytest.mark.subprocess
@pytest.mark.django_db(transaction=True)
def test_an_import_goes_on_after_a_killed_worker_and_counts_every_reader_once(tmp_path):
    count = 60_000
    job = confirmed(uploaded(lines(count)))
    jobs.start_import(job_id=job.pk, now=timezone.now())
    program = (
        "import django; django.setup()\n"
        "from django.conf import settings\n"
        f"settings.MEDIA_ROOT = {str(tmp_path / 'files')!r}\n"
        "from django.utils.timezone import now\n"
        "from subscribers.transfer import importing, slices\n"
        "importing.BATCH_SIZE = 500\n"
        f"slices.run_slice(job_id={job.pk}, clock=now)\n"
    )
    env = process_environment(9) | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    others = sessions()
    with subprocess.Popen([sys.executable, "-c", program], env=env, cwd=ROOT) as worker:
        wait_for(lambda: ImportJob.objects.get().added > 2000, what="the first thousands")
        worker.send_signal(signal.SIGKILL)
    wait_for(lambda: sessions() <= others, what="the end of the killed worker's sessions")
    job.refresh_from_db()
    assert job.status == "running"
    assert 0 < job.added == Subscription.objects.count() < count
    ImportJob.objects.update(leased_until=timezone.now())

    while run_slice(job):
        pass

    assert (job.status, *counts(job)) == ("done", count, count, 0, 0)
    assert Subscription.objects.count() == Consent.objects.count() == count
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_a_real_worker_runs_an_import(worker, settings):
    settings.MEDIA_ROOT = str(ROOT / "var" / "test" / "files")  # the worker's own
    job = confirmed(uploaded(lines(5)))
    jobs.start_import(job_id=job.pk, now=timezone.now())
    tasks.run_import.delay(job_id=job.pk)

    wait_for(lambda: ImportJob.objects.get().status == "done", what="the import")

    assert ImportJob.objects.get().added == 5
    ImportJob.objects.get().file.delete()


def test_what_a_list_leaves_open_is_asked_once_and_the_answer_holds_for_all_slices(small_batches):
    content = "email,Abo,confirmed_at\n" + "".join(
        f"r{n}@example.com,{'ruht' if n % 10 == 9 else 'aktiv'},{n % 28 + 1}/5/2021\n"
        for n in range(30)
    )
    job = run_whole(confirmed(uploaded(content + "s@example.com,,soon\n")))
    assert (job.status, job.rows) == ("failed", 0)
    assert "“ruht” (3)" in job.error
    assert not Subscriber.objects.exists()

    columns = {Field(name): column for name, column in job.columns.items()}
    answers = Answers({"abo": {"ruht": RowKind.UNSUBSCRIBED}})
    jobs.configure(
        job_id=job.pk, preset=job.preset, columns=columns, kind="", treatment="confirmed",
        evidence="Double opt-in at the old site.", answers=answers,
    )  # fmt: skip
    run_whole(job)

    assert (job.status, *counts(job)) == ("done", 31, 28, 0, 0)
    assert (job.suppressed, job.asked, job.unread_dates) == (3, 1, 1)
    assert "'soon' cannot be read" in job.refusals.get(is_note=True).reason
    assert Consent.objects.first().details["answers"] == "abo: ruht means left"
    jobs.purge_uploads(before=timezone.now())
    job.refresh_from_db()
    assert (job.survey, job.answers) == (None, None)


def test_an_upload_may_be_gzipped(tmp_path):
    import gzip

    job = run_whole(uploaded(gzip.compress(lines(3).encode()), name="readers.csv.gz"))

    assert job.added == 3
    with job.file.open() as kept:
        assert kept.read(2) == b"\x1f\x8b"
