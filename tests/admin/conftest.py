"""An editor at the desk, and a colleague who may do less."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User


@pytest.fixture
def editor(db):
    return User.objects.create_superuser("editor", "editor@example.com", "a long password")


@pytest.fixture
def desk(client, editor):
    """The admin as the editor sees it."""
    client.force_login(editor)
    return client


@pytest.fixture
def staff(client, db):
    """A function: log in a staff member who has only these permissions."""

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
