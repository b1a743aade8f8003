"""Give a new developer a demo newsletter and an account for the admin."""

from __future__ import annotations

import os
import secrets
from datetime import datetime

from django.contrib.auth.models import User

from config.paths import VAR
from digest import demo
from subscribers.models import Newsletter

ADMIN = "admin"
_PASSWORD_FILE = VAR / "admin-password"


def prepare(*, site_url: str, now: datetime) -> None:
    """Create the demo newsletter and the account unless the database has been used before."""
    if not Newsletter.objects.exists() and not User.objects.exists():
        password = secrets.token_urlsafe(12)
        admin = User.objects.create_superuser(ADMIN, f"{ADMIN}@localhost", password)
        _store_password(password, admin.password)
        demo.make_newsletter(site_url=site_url, now=now)
    demo.update_image_urls(site_url=site_url)


def admin_password() -> str | None:
    """Return the account's generated password; None once somebody has changed it."""
    try:
        password, encoded = _PASSWORD_FILE.read_text().splitlines()
    except (OSError, ValueError):
        return None
    # Comparing the stored hashes saves the half second that hashing takes on purpose.
    unchanged = User.objects.filter(username=ADMIN, password=encoded).exists()
    return password if unchanged else None


def _store_password(password: str, encoded: str) -> None:
    _PASSWORD_FILE.unlink(missing_ok=True)
    descriptor = os.open(_PASSWORD_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w") as file:
        file.write(f"{password}\n{encoded}\n")
