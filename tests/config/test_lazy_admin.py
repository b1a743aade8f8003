"""The admin is read in where it is shown or checked."""

import pytest

from tests.config import machine

pytestmark = pytest.mark.subprocess

WORKER = "from config import celery_app as app; app.loader.import_default_modules()"
CHECK = "from django.core.checks import run_checks; run_checks(tags=['admin'])"
PAGES = "from django.urls import reverse; reverse('admin:index')"
SAY = "from django.contrib import admin; print([*map(str, admin.site._registry)])"


@pytest.mark.parametrize(
    ("before", "is_read_in"),
    [("", False), (WORKER, False), (CHECK, True), (PAGES, True)],
    ids=["start", "worker", "check", "pages"],
)
def test_only_who_shows_or_checks_the_admin_reads_it_in(tmp_path, before, is_read_in):
    code = f"import django; django.setup(); {before or 'pass'}; {SAY}"
    where = machine.SAFE | {"DJANGO_SETTINGS_MODULE": "config.settings"}

    said = machine.run("-c", code, var=tmp_path, **where)

    assert said.returncode == 0, said.stderr
    assert ("digest.models.editions.Edition" in said.stdout) == is_read_in
    assert ("django.contrib.auth.models.User" in said.stdout) == is_read_in
