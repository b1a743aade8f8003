"""A log-in by the form, from any network, and the codes of an authenticator app."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from config.login import second_factor

PASSWORD = "a long password"
LOGIN, CODE, SET_UP = (f"/admin/login/{page}" for page in ("", "code/", "set-up/"))


def log_in(client, password=PASSWORD, *, name="editor", network="192.0.2.7", **data):
    return client.post(LOGIN, {"username": name, "password": password, **data}, REMOTE_ADDR=network)


def code_of(app, *, steps=0):
    """Return the code that the app shows, so many steps of its clock from now."""
    totp = TOTP(app.bin_key, app.step)
    totp.time = totp.time + app.step * steps
    return f"{totp.token():06}"


def wrong_code_of(app):
    right = {int(code_of(app, steps=steps)) for steps in range(-2, 3)}
    return next(f"{code:06}" for code in range(10) if code not in right)


def shown_codes(response):
    return re.findall(r"<li>(\d{5} \d{5})</li>", response.content.decode())


def is_in(client):
    return client.get(reverse("admin:index")).status_code == 200


@pytest.fixture
def app(editor):
    """The editor's authenticator app. A code of it lasts so long that no test sees it change."""
    return TOTPDevice.objects.create(user=editor, name="Authenticator app", step=30_000)


@pytest.fixture
def recovery_codes(editor, app):
    return second_factor.make_recovery_codes(editor)


@pytest.fixture
def half_in(editor, app):
    """A client whose session has the password and owes the code."""
    client = Client()
    assert log_in(client).status_code == 302
    return client
