"""Make the Django e-mail backend that a relay names."""

from __future__ import annotations

from typing import Any

from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend
from django.utils.module_loading import import_string

from subscribers.mail.relays import Relay

Timeout = float | tuple[float, float]

_ANYMAIL = "anymail.backends."
_SMTP = "django.core.mail.backends.smtp."
# The options in which each ESP's backend takes the credentials before the "@" of a relay's URL. A
# name with a dot sets a key of a dictionary, here and in the URL's query:
# `client_params.region_name=eu-west-1`.
_CREDENTIALS = {
    "amazon_ses": ("client_params.aws_access_key_id", "client_params.aws_secret_access_key"),
    "brevo": ("api_key",),
    "mailersend": ("api_token",),
    "mailgun": ("api_key",),
    "mailjet": ("api_key", "secret_key"),
    "mailtrap": ("api_token",),
    "mandrill": ("api_key",),
    "postal": ("api_key",),
    "postmark": ("server_token",),
    "resend": ("api_key",),
    "scaleway": ("project_id", "secret_key"),
    "sendgrid": ("api_key",),
    "sparkpost": ("api_key",),
    "unisender_go": ("api_key",),
}
_SECRETS = ("user", "password")
_TRUTH = {"true": True, "false": False}


def make_backend(relay: Relay, *, timeout: Timeout) -> BaseEmailBackend:
    """Return the backend, not yet open.

    `timeout` is in seconds: one for both connecting and reading, or one for each. Django-anymail
    and its dependencies are imported only here, so a worker without an ESP does not pay for them.

    Raises:
        ImproperlyConfigured, ImportError, TypeError: the URL names no backend, lacks an option
            that the backend needs, or has one that it does not know.
    """
    if not relay.backend:
        return EmailBackend(
            host=relay.host,
            port=relay.port,
            username=relay.user,
            password=relay.password,
            use_tls=relay.starttls,
            use_ssl=relay.tls,
            timeout=_longest(timeout),
        )
    options: dict[str, Any] = {"fail_silently": False}
    if relay.backend.startswith(_ANYMAIL):
        # A feature that the ESP does not have is left out of the message; transport.esp knows which
        # ones may be left out. A refused recipient is in the status, and never an exception.
        options |= {"ignore_unsupported_features": True, "ignore_recipient_status": True}
        options["timeout"] = timeout
    elif relay.backend.startswith(_SMTP):
        options |= {"host": relay.host or "localhost", "port": relay.port or 25}
        options["timeout"] = _longest(timeout)
    names = dict(zip(_SECRETS, _credentials(relay.backend), strict=False))
    for key, value in relay.options.items():
        _put(options, names.get(key, key), value if key in names else _TRUTH.get(value, value))
    backend: BaseEmailBackend = import_string(relay.backend)(**options)
    return backend


def esp_name(backend: str) -> str:
    """Return `postmark` for anymail's backend of that name, "" for a backend of somebody else."""
    return backend.removeprefix(_ANYMAIL).partition(".")[0] if _ANYMAIL in backend else ""


def _credentials(backend: str) -> tuple[str, ...]:
    return _CREDENTIALS.get(esp_name(backend), ("username", "password"))


def _longest(timeout: Timeout) -> float:
    return max(timeout) if isinstance(timeout, tuple) else timeout


def _put(options: dict[str, Any], name: str, value: Any) -> None:
    *outer, last = name.split(".")
    for key in outer:
        options = options.setdefault(key, {})
    options[last] = value
