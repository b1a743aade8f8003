"""Know who owes a code, check codes, and set up or remove an authenticator app.

An account has one app (a TOTPDevice of django-otp) and ten recovery codes (the tokens of one
StaticDevice), and either both or neither. Both are stored as the library stores them, so in plain
text: an app's secret cannot be hashed, and whoever reads the database finds the sessions there,
too. Nothing shows them: they are not in the admin, and are shown once, when they are made.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core import signing
from django.db import transaction
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice, default_key

APP_DIGITS = 6
# A keypad can type them, and none is mistaken for a code of the app. A guess at any of the ten is
# right once in a billion times.
RECOVERY_DIGITS = 10
RECOVERY_CODES = 10
# Seconds from the page with the QR code to the first code: some people have to find an app first.
SET_UP_WITHIN = 3600
_SALT = "config.login.set_up"


class CodeRefused(Exception):
    """The account had too many wrong codes: none is looked at before `until`."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"no code is looked at before {until}")
        self.until = until


class OfferExpired(Exception):
    """The offered secret is too old, somebody else's, or overtaken by another app's set-up."""


def app_of(user: User) -> TOTPDevice | None:
    return TOTPDevice.objects.filter(user=user, confirmed=True).first()


def recovery_codes_left(user: User) -> int:
    return StaticToken.objects.filter(device__user=user).count()


def has_given_code(user: Any) -> bool:
    """Tell whether the session of this user of OTPMiddleware's may act as the user.

    With DEBUG, which is on at a developer's own machine only, an account without an app owes none.
    """
    return bool(user.is_verified()) or (settings.DEBUG and app_of(user) is None)


# --- Checking a code ------------------------------------------------------------------------------


def find_device(user: User, typed: str) -> Device | None:
    """Return the device of the user whose code this is, or None; a right code is used up.

    Each wrong code doubles the wait until the next: 1, 2, 4 … seconds, for the app and for the
    recovery codes apart.

    Raises:
        CodeRefused: that wait is not over.
    """
    code = digits_of(typed)
    model = {APP_DIGITS: TOTPDevice, RECOVERY_DIGITS: StaticDevice}.get(len(code))
    if model is None:
        return None
    with transaction.atomic():
        # The lock makes two simultaneous uses of one code queue up: one of them finds it used.
        device = model.objects.select_for_update().filter(user=user, confirmed=True).first()
        if device is None:
            return None
        allowed, why = device.verify_is_allowed()
        if not allowed:
            raise CodeRefused(why["locked_until"])
        if not device.verify_token(code):
            return None
        if model is StaticDevice:
            # Somebody else may have guessed at the app's codes. Its owner is here now.
            TOTPDevice.objects.filter(user=user).update(
                throttling_failure_timestamp=None, throttling_failure_count=0
            )
    return device


def digits_of(typed: str) -> str:
    """Return the digits of a code as it was typed: with gaps, hyphens, or a Japanese keyboard."""
    code = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", typed))
    return code if re.fullmatch("[0-9]+", code) else ""


# --- Setting up and removing ----------------------------------------------------------------------


def offer(user: User, *, replaces: TOTPDevice | None) -> str:
    """Return a new secret, signed for this user, as a form carries it until the app has it."""
    value = {"user": user.pk, "key": default_key(), "replaces": replaces and replaces.pk}
    return signing.dumps(value, salt=_SALT)


def app_of_offer(user: User, offered: str) -> TOTPDevice:
    """Return the app that an offer would set up, which is not stored yet.

    Raises:
        OfferExpired: the offer is no good (any more).
    """
    value = _read(user, offered)
    return TOTPDevice(user=user, name="Authenticator app", key=value["key"])


def set_up(user: User, offered: str, typed: str) -> tuple[TOTPDevice, list[str]] | None:
    """Store the offered app if this is a code of it; return it with ten new recovery codes.

    What the account had before is removed, so sessions that are open elsewhere owe a code again.
    Returns None if the code is wrong.

    Raises:
        OfferExpired: the offer is no good (any more).
    """
    replaces = _read(user, offered)["replaces"]
    app = app_of_offer(user, offered)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        present = app_of(user)
        if (present and present.pk) != replaces:
            raise OfferExpired
        app.save()
        if not app.verify_token(digits_of(typed) or "no code"):
            transaction.set_rollback(True)
            return None
        TOTPDevice.objects.filter(user=user).exclude(pk=app.pk).delete()
        return app, make_recovery_codes(user)


@transaction.atomic
def make_recovery_codes(user: User) -> list[str]:
    """Return ten new recovery codes; the former ones are worth nothing from now on."""
    StaticDevice.objects.filter(user=user).delete()
    device = StaticDevice.objects.create(user=user, name="Recovery codes")
    codes = [
        f"{secrets.randbelow(10**RECOVERY_DIGITS):0{RECOVERY_DIGITS}}"
        for _ in range(RECOVERY_CODES)
    ]
    StaticToken.objects.bulk_create(StaticToken(device=device, token=code) for code in codes)
    half = RECOVERY_DIGITS // 2
    return [f"{code[:half]} {code[half:]}" for code in codes]


@transaction.atomic
def remove(user: User) -> bool:
    """Remove the app and the codes; the next log-in sets up new ones. Return whether it had any."""
    StaticDevice.objects.filter(user=user).delete()
    count, _ = TOTPDevice.objects.filter(user=user).delete()
    return bool(count)


def _read(user: User, offered: str) -> dict[str, Any]:
    try:
        value: dict[str, Any] = signing.loads(offered, salt=_SALT, max_age=SET_UP_WITHIN)
    except signing.BadSignature as error:
        raise OfferExpired from error
    if value["user"] != user.pk:
        raise OfferExpired
    return value
