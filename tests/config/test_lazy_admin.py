"""The admin is imported only where it is shown or checked."""

import pytest

from tests.support import shell

pytestmark = pytest.mark.subprocess

WORKER = "from config import celery_app as app; app.loader.import_default_modules()"
CHECK = "from django.core.checks import run_checks; run_checks(tags=['admin'])"
PAGES = "from django.urls import reverse; reverse('admin:index')"
PRINT_REGISTERED_MODELS = (
    "from django.contrib import admin; print([*map(str, admin.site._registry)])"
)


@pytest.mark.parametrize(
    ("before", "is_imported"),
    [("", False), (WORKER, False), (CHECK, True), (PAGES, True)],
    ids=["start", "worker", "check", "pages"],
)
def test_the_admin_is_imported_only_where_it_is_shown_or_checked(tmp_path, before, is_imported):
    code = f"import django; django.setup(); {before or 'pass'}; {PRINT_REGISTERED_MODELS}"
    variables = shell.SAFE_VARIABLES | {"DJANGO_SETTINGS_MODULE": "config.settings"}

    result = shell.run("-c", code, var=tmp_path, **variables)

    assert result.returncode == 0, result.stderr
    assert ("digest.models.editions.Edition" in result.stdout) == is_imported
    assert ("django.contrib.auth.models.User" in result.stdout) == is_imported
