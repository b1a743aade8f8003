"""Leave a new developer with a newsletter to look at and an account to look with."""

from __future__ import annotations

import os
import secrets
from datetime import datetime

from django.contrib.auth.models import User

from config.var import VAR
from digest import demo
from subscribers.models import Newsletter

ADMIN = "admin"
_PASSWORD_FILE = VAR / "admin-password"


def prepare(*, site_url: str, now: datetime) -> None:
    """Make the demo newsletter and the admin unless this database has been used before."""
    if not Newsletter.objects.exists() and not User.objects.exists():
        User.objects.create_superuser(ADMIN, f"{ADMIN}@localhost", _new_password())
        demo.make_newsletter(site_url=site_url, now=now)
    demo.move_images(site_url=site_url)


def admin_password() -> str | None:
    """The generated password while it is the admin's; None once somebody changed it."""
    try:
        password = _PASSWORD_FILE.read_text().strip()
        user = User.objects.get(username=ADMIN)
    except (OSError, User.DoesNotExist):
        return None
    return password if user.check_password(password) else None


def _new_password() -> str:
    password = secrets.token_urlsafe(12)
    _PASSWORD_FILE.unlink(missing_ok=True)
    descriptor = os.open(_PASSWORD_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w") as file:
        file.write(password + "\n")
    return password
