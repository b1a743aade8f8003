"""A log-in by the form, from any network."""

from __future__ import annotations

from django.urls import reverse

PASSWORD = "a long password"
LOGIN = "/admin/login/"


def log_in(client, password=PASSWORD, *, name="editor", network="192.0.2.7", **data):
    return client.post(LOGIN, {"username": name, "password": password, **data}, REMOTE_ADDR=network)


def is_in(client):
    return client.get(reverse("admin:index")).status_code == 200
