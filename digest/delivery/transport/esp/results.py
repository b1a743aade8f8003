"""Translate an e-mail backend's status or exception into a mail's outcome."""

from __future__ import annotations

import smtplib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from anymail.exceptions import (
    AnymailInvalidAddress,
    AnymailSerializationError,
    AnymailUnsupportedFeature,
)
from django.core.exceptions import ImproperlyConfigured
from requests import RequestException
from requests.exceptions import ConnectTimeout, SSLError
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from digest.delivery.transport.replies import SendOutcome, Stage, Verdict, interpret

_MAX_LENGTH = 300
# Anymail's status values for one recipient.
_STATUS = {
    "sent": Verdict.ACCEPTED,
    "queued": Verdict.ACCEPTED,
    "invalid": Verdict.NO_SUCH_ADDRESS,
    # The recipient is on the ESP's own list of bounces and complaints.
    "rejected": Verdict.REFUSED,
    "failed": Verdict.DEFERRED,
    # The ESP says neither yes nor no: the mail may have gone out.
    "unknown": Verdict.UNKNOWN,
}
# Credentials, account or permission: the ESP will take no message at all.
_ACCOUNT_REFUSED = {401, 402, 403, 407}
# Request timeout, conflict, too early, too many requests.
_TRY_LATER = {408, 409, 425, 429}
# Internal error, bad gateway, gateway timeout, and Cloudflare's two codes of that kind: the server
# behind may have taken the request before the error.
_MAYBE_TAKEN = {500, 502, 504, 520, 524}
# SMTP's "service not available, closing transmission channel".
_CLOSING = 421


@dataclass(frozen=True)
class SendFailure:
    """What an exception means for the mail, and for the next requests."""

    outcome: SendOutcome
    # Whether the connection cannot be used any more.
    ends_connection: bool = False
    # Whether the ESP refused the request: because of one recipient, or of what every reader gets.
    is_request_refused: bool = False


def ledger_text(text: object, secrets: Iterable[str] = ()) -> str:
    """Return `text` as the ledger may store it: short, in one line and without credentials."""
    line = " ".join(str(text).replace("\0", "").split())
    for secret in secrets:
        line = line.replace(secret, "***")
    return line[:_MAX_LENGTH]


def from_status(recipients: Mapping[str, Any], address: str) -> SendOutcome:
    """Return the outcome for one recipient; some ESPs change the capitals of an address."""
    found = [
        recipient
        for email, recipient in recipients.items()
        if email.casefold() == address.casefold()
    ]
    outcomes = [
        SendOutcome(
            _STATUS.get(recipient.status, Verdict.UNKNOWN),
            ledger_text(f"{recipient.status} {recipient.message_id or ''}"),
        )
        for recipient in found
    ]
    accepted = [outcome for outcome in outcomes if outcome.verdict is Verdict.ACCEPTED]
    return (
        accepted
        or outcomes
        or [SendOutcome(Verdict.UNKNOWN, "the ESP's answer does not name this recipient")]
    )[0]


def from_error(error: Exception, secrets: Iterable[str] = ()) -> SendFailure:
    """Return what an exception of the backend means; every exception has a meaning."""
    code = _http_status(error)
    if code is not None:
        return _from_http(code, ledger_text(f"{code} {_body(error)}", secrets))
    if isinstance(error, smtplib.SMTPException):
        return _from_smtp(error)
    text = ledger_text(_root(error), secrets)
    if isinstance(error, AnymailInvalidAddress):
        return SendFailure(SendOutcome(Verdict.REFUSED, text))
    if isinstance(
        error, AnymailUnsupportedFeature | AnymailSerializationError | ImproperlyConfigured
    ):
        return SendFailure(SendOutcome(Verdict.SENDERS_FAULT, text))
    if was_not_sent(error):
        return SendFailure(SendOutcome(Verdict.NOT_SENT, text), ends_connection=True)
    return SendFailure(
        SendOutcome(Verdict.UNKNOWN, text), ends_connection=isinstance(error, OSError)
    )


def was_not_sent(error: BaseException) -> bool:
    """Whether the mail cannot have gone out, because there was no connection."""
    root = _root(error)
    if isinstance(root, RequestException):
        reason = getattr(root.args[0] if root.args else None, "reason", None)
        return isinstance(root, ConnectTimeout | SSLError) or isinstance(
            reason, NewConnectionError | ConnectTimeoutError
        )
    return isinstance(root, ConnectionRefusedError) or type(root).__name__ in {
        "gaierror", "EndpointConnectionError", "ConnectTimeoutError", "NoCredentialsError",
    }  # fmt: skip


def _from_http(code: int, text: str) -> SendFailure:
    if code in _ACCOUNT_REFUSED:
        return SendFailure(SendOutcome(Verdict.SENDERS_FAULT, text), ends_connection=True)
    if code in _MAYBE_TAKEN:
        # The next request needs a new connection. A lane gives up after a few connections without
        # an answer: otherwise one reader after another would become uncertain while the ESP is
        # out of order.
        return SendFailure(SendOutcome(Verdict.UNKNOWN, text), ends_connection=True)
    if code < 400:
        # The ESP seems to have taken the request, but its answer cannot be understood.
        return SendFailure(SendOutcome(Verdict.UNKNOWN, text))
    if code >= 500 or code in _TRY_LATER:
        return SendFailure(SendOutcome(Verdict.DEFERRED, text))
    return SendFailure(SendOutcome(Verdict.SENDERS_FAULT, text), is_request_refused=True)


def _from_smtp(error: smtplib.SMTPException) -> SendFailure:
    match error:
        case smtplib.SMTPRecipientsRefused(recipients=recipients) if recipients:
            code, reply = next(iter(recipients.values()))
            return SendFailure(interpret(code, reply, stage=Stage.RECIPIENT))
        case smtplib.SMTPSenderRefused(smtp_code=code, smtp_error=reply):
            return SendFailure(
                interpret(code, reply, stage=Stage.SENDER), ends_connection=code == _CLOSING
            )
        case smtplib.SMTPResponseException(smtp_code=code, smtp_error=reply):
            return SendFailure(
                interpret(code, reply, stage=Stage.CONTENT), ends_connection=code == _CLOSING
            )
    return SendFailure(SendOutcome(Verdict.UNKNOWN, ledger_text(error)), ends_connection=True)


def _http_status(error: Exception) -> int | None:
    """Return the HTTP status of an error from requests or from boto3, if it has one."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        code = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    else:
        code = getattr(error, "status_code", None)
    return code if isinstance(code, int) else None


def _body(error: Exception) -> str:
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        return str(response.get("Error", ""))
    return str(getattr(response, "text", "") or getattr(response, "reason", ""))


def _root(error: BaseException) -> BaseException:
    """Return the error of requests or boto3 that anymail wraps; its text is the shorter one."""
    return error.__cause__ or error
