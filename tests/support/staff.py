"""An editor in the admin, a staff member with fewer permissions, and the codes they have given."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User


@pytest.fixture
def codes_are_asked_for():
    """Ask for the code of the second factor, as everywhere but in tests."""


@pytest.fixture(autouse=True)
def _codes_are_given(request, monkeypatch):
    """Take it that whoever is logged in has given the code, unless a test is about codes."""
    if "codes_are_asked_for" not in request.fixturenames:
        monkeypatch.setattr("config.login.middleware.has_given_code", lambda user: True)


@pytest.fixture
def editor(db):
    return User.objects.create_superuser("editor", "editor@example.com", "a long password")


@pytest.fixture
def admin_client(client, editor):
    """Return a client that is logged in to the admin as the editor."""
    client.force_login(editor)
    return client


@pytest.fixture
def staff_client(client, db):
    """Return a function that logs in a staff member with only the given permissions."""

    def log_in(*permissions):
        user = User.objects.create_user("staff", "staff@example.com", "x", is_staff=True)
        for permission in permissions:
            app, codename = permission.split(".")
            user.user_permissions.add(
                Permission.objects.get(content_type__app_label=app, codename=codename)
            )
        client.force_login(user)
        return client

    return log_in
