"""Commands and workers import no more than they need."""

from importlib.util import find_spec

import pytest

from tests.support import shell

pytestmark = pytest.mark.subprocess

WORKER = "from config import celery_app as app; app.loader.import_default_modules()"
CHECK = "from django.core.checks import run_checks; run_checks(tags=['admin'])"
PAGES = "from django.urls import reverse; reverse('admin:index')"
PRINT_REGISTERED_MODELS = (
    "from django.contrib import admin; print([*map(str, admin.site._registry)])"
)
# What only pages, the API, or the making of a mail needs.
UNNEEDED = {
    "altcha", "confusable_homoglyphs", "dateparser", "disposable_email_domains", "ninja",
    "premailer", "rapidfuzz", "requests",
}  # fmt: skip
PRINT_MODULES = "import sys; print(*sys.modules)"


def run(tmp_path, code):
    variables = shell.SAFE_VARIABLES | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    result = shell.run("-c", f"import django; django.setup(); {code}", var=tmp_path, **variables)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize(
    ("before", "is_imported"),
    [("", False), (WORKER, False), (CHECK, True), (PAGES, True)],
    ids=["start", "worker", "check", "pages"],
)
def test_the_admin_is_imported_only_where_it_is_shown_or_checked(tmp_path, before, is_imported):
    registered = run(tmp_path, f"{before or 'pass'}; {PRINT_REGISTERED_MODELS}")

    assert ("digest.models.editions.Edition" in registered) == is_imported
    assert ("django.contrib.auth.models.User" in registered) == is_imported


@pytest.mark.parametrize(
    ("before", "imported"),
    [("pass", "digest.receivers"), (WORKER, "digest.tasks")],
    ids=["command", "worker"],
)
def test_commands_and_workers_import_nothing_that_only_pages_need(tmp_path, before, imported):
    assert all(map(find_spec, UNNEEDED)), "a package of this name is not installed"

    modules = set(run(tmp_path, f"{before}; {PRINT_MODULES}").split())

    assert imported in modules
    assert modules & UNNEEDED == set()
