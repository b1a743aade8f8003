"""An operator uploads, tries, imports and watches a list in a real browser."""

import os

import pytest
from django.utils.timezone import now

from subscribers.models import ImportJob, Subscription
from subscribers.transfer import jobs, slices
from tests import factories
from tests.digest.admin.edition.test_page_browser import our_violations
from tests.support.browser import set_colour_scheme, speed_up_polling
from tests.support.paths import ROOT
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SAMPLE = ROOT / "tests/data/imports/mailchimp-subscribed.csv"
SHOTS = os.environ.get("SHOTS", "")


@pytest.fixture
def upload_page(admin_page):
    """Return the page where a list is uploaded, in an operator's desktop size."""
    factories.newsletter(name="The Daily", slug="daily")
    admin_page.goto("/admin/subscribers/importjob/add/")
    yield admin_page
    for job in ImportJob.objects.exclude(file=""):
        job.file.delete(save=False)


@pytest.fixture
def columns_page(upload_page, tmp_path):
    """Return the page that asks for the columns of a list with an unknown header."""
    path = tmp_path / "list.csv"
    path.write_text("wer,wo\nAnn Lee,ann@example.com\n")
    upload_page.set_input_files("input[type=file]", str(path))
    upload_page.get_by_role("button", name="Upload and look at it").click()
    upload_page.get_by_text("Which column holds the addresses?").wait_for()
    return upload_page


def upload(page, path):
    page.set_input_files("input[type=file]", str(path))
    page.get_by_role("button", name="Upload and look at it").click()
    page.get_by_role("table", name="The first rows").wait_for()


def assert_accessible(page, name):
    """Assert that axe finds only unfold's own violations and that the page fits its window."""
    for scheme, width in (("light", 1280), ("dark", 1280), ("light", 375), ("dark", 320)):
        page.set_viewport_size({"width": width, "height": 900})
        set_colour_scheme(page, scheme)
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/{name}-{width}-{scheme}.png", full_page=True)
        assert our_violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size({"width": 1280, "height": 900})
    set_colour_scheme(page, "light")


def test_an_uploaded_list_becomes_active_readers(upload_page, worker):
    page = upload_page
    speed_up_polling(page)
    assert_accessible(page, "new")
    upload(page, SAMPLE)
    table = page.get_by_role("table", name="The first rows")
    assert table.get_by_text("Ann Lee").is_visible()
    assert_accessible(page, "columns")

    page.get_by_text("Yes, elsewhere").click()
    table.get_by_text("becomes an active reader").first.wait_for()
    page.get_by_label("Evidence of consent").fill(
        "Double opt-in at Mailchimp; the account is kept."
    )
    page.get_by_role("button", name="Dry run, change nothing").click()
    page.get_by_text("The dry run is finished.").wait_for(timeout=30_000)
    assert Subscription.objects.count() == 0
    assert_accessible(page, "tried")

    page.get_by_role("button", name="Import it").click()
    page.get_by_text("Imported.", exact=True).wait_for(timeout=30_000)
    assert page.get_by_role("cell", name="no-at-sign.example.com").first.is_visible()
    wait_for(lambda: Subscription.objects.filter(status="active").count() == 2)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download all refused rows").click()
    assert "no-at-sign.example.com" in download.value.path().read_text()
    assert_accessible(page, "done")


def test_the_preview_follows_the_chosen_columns_without_a_reload(columns_page):
    page = columns_page

    page.get_by_label("Address").select_option(label="wo")
    page.get_by_role("cell", name="ann@example.com").wait_for()
    name = page.get_by_label("Name", exact=True)
    name.focus()
    name.select_option(label="wer")
    page.get_by_role("cell", name="Ann Lee").wait_for()

    assert name.evaluate("field => field === document.activeElement")
    assert ImportJob.objects.get().columns == {}


def test_an_answer_to_what_a_list_leaves_open_changes_the_preview_at_once(upload_page, tmp_path):
    page = upload_page
    path = tmp_path / "list.csv"
    path.write_text(
        "email,Abo,confirmed_at\nann@example.com,ruht,3/4/2021\nbob@example.com,gekündigt,\n"
    )
    upload(page, path)
    page.get_by_text("this is not understood: “ruht” (1)").wait_for()
    assert_accessible(page, "questions")

    page.get_by_label("Abo: “ruht”").select_option(label="unsubscribed")
    page.get_by_role("cell", name="left: gets no mail from here").nth(1).wait_for()

    assert page.get_by_label("Abo: “ruht”").input_value() == "left"
    assert ImportJob.objects.get().answers is None


def test_a_second_choice_is_kept_while_the_first_preview_is_still_loading(columns_page):
    page = columns_page
    slow = []
    page.route("**/columns/", lambda route: route.continue_() if slow else slow.append(route))

    page.get_by_label("Address").select_option(label="wo")
    # Playwright calls the handler of a route only while the test calls Playwright.
    wait_for(lambda: [page.title(), *slow][1:], what="the first preview")
    with page.expect_response("**/columns/"):
        page.get_by_label("Name", exact=True).select_option(label="wer")
    slow[0].continue_()

    page.get_by_role("cell", name="ann@example.com").wait_for()
    page.get_by_role("cell", name="Ann Lee").wait_for()


def test_the_page_of_a_running_import_refreshes_itself_and_can_stop_the_import(
    upload_page, tmp_path
):
    page = upload_page
    path = tmp_path / "list.csv"
    path.write_text("email\n" + "".join(f"r{n}@example.com\n" for n in range(1000)))
    upload(page, path)
    job = ImportJob.objects.get()
    # A worker on another host has claimed it.
    jobs.start_import(job_id=job.pk, now=now())
    slices._claim(job.pk, "a worker", now())
    page.reload()
    page.get_by_text("A worker is about to start").wait_for()

    ImportJob.objects.update(rows=500, added=490, refused=10, position=job.size // 2)
    page.get_by_text("500 rows read").wait_for(timeout=10_000)
    assert_accessible(page, "running")
    announcement = page.locator("[role=status]").filter(has_text="percent")
    assert announcement.inner_text() == "Being imported: 50 percent of the list."

    page.get_by_role("button", name="Stop").click()
    page.get_by_text("Stopped before the end.").wait_for()
    assert ImportJob.objects.get().status == "stopped"


def test_readers_are_exported(admin_page):
    factories.subscription(factories.newsletter(), "ann@example.com")
    page = admin_page
    page.goto("/admin/subscribers/subscriber/")
    page.get_by_role("link", name="Export").click()
    page.get_by_role("button", name="Download").wait_for()
    assert_accessible(page, "export")

    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()

    assert "ann@example.com" in download.value.path().read_text()
