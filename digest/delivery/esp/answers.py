"""Read what became of a mail from an e-mail backend's status or exception."""

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

from digest.delivery.replies import Outcome, Stage, Verdict
from digest.delivery.replies import read as read_smtp

_LONGEST = 300
# Anymail's words for what the ESP says of one recipient.
_STATUS = {
    "sent": Verdict.ACCEPTED,
    "queued": Verdict.ACCEPTED,
    "invalid": Verdict.NO_SUCH_ADDRESS,
    # On the ESP's own list of those who bounced or complained.
    "rejected": Verdict.REFUSED,
    "failed": Verdict.LATER,
    # Neither yes nor no: it may have gone out.
    "unknown": Verdict.UNKNOWN,
}
# Credentials, account and permission: no message at all will be taken.
_LOCKED = {401, 402, 403, 407}
# Request timeout, conflict, too early, too many requests.
_NOT_NOW = {408, 409, 425, 429}
# An error inside, a bad gateway, one that waited in vain, and Cloudflare's two of that kind: what
# stands behind may have taken the request before something broke.
_MAYBE_TAKEN = {500, 502, 504, 520, 524}
# SMTP's "service not available, closing transmission channel".
_CLOSING = 421


@dataclass(frozen=True)
class Answer:
    """What an exception means for the mail, and for what comes after it."""

    outcome: Outcome
    # The connection is of no use any more.
    ends: bool = False
    # The ESP did not like the request: a recipient in it, or what every reader would get.
    disliked: bool = False


def words(text: object, secrets: Iterable[str] = ()) -> str:
    """`text` as it may stand in the ledger: short, in one line and without credentials."""
    line = " ".join(str(text).replace("\0", "").split())
    for secret in secrets:
        line = line.replace(secret, "***")
    return line[:_LONGEST]


def of_status(recipients: Mapping[str, Any], address: str) -> Outcome:
    """What the ESP said of one recipient; some answer in other capitals than they were asked."""
    found = [
        status for email, status in recipients.items() if email.casefold() == address.casefold()
    ]
    outcomes = [
        Outcome(
            _STATUS.get(one.status, Verdict.UNKNOWN), words(f"{one.status} {one.message_id or ''}")
        )
        for one in found
    ]
    accepted = [outcome for outcome in outcomes if outcome.verdict is Verdict.ACCEPTED]
    return (accepted or outcomes or [Outcome(Verdict.UNKNOWN, "the ESP did not name them")])[0]


def of_error(error: Exception, secrets: Iterable[str] = ()) -> Answer:
    """What an exception of the backend's means; any exception means something."""
    code = _http_status(error)
    if code is not None:
        return _of_http(code, words(f"{code} {_body(error)}", secrets))
    if isinstance(error, smtplib.SMTPException):
        return _of_smtp(error)
    text = words(_root(error), secrets)
    if isinstance(error, AnymailInvalidAddress):
        return Answer(Outcome(Verdict.REFUSED, text))
    if isinstance(
        error, AnymailUnsupportedFeature | AnymailSerializationError | ImproperlyConfigured
    ):
        return Answer(Outcome(Verdict.SENDERS_FAULT, text))
    if never_left(error):
        return Answer(Outcome(Verdict.NOT_SENT, text), ends=True)
    return Answer(Outcome(Verdict.UNKNOWN, text), ends=isinstance(error, OSError))


def never_left(error: BaseException) -> bool:
    """Whether there was no connection that the mail could have gone out on."""
    root = _root(error)
    if isinstance(root, RequestException):
        reason = getattr(root.args[0] if root.args else None, "reason", None)
        return isinstance(root, ConnectTimeout | SSLError) or isinstance(
            reason, NewConnectionError | ConnectTimeoutError
        )
    return isinstance(root, ConnectionRefusedError) or type(root).__name__ in {
        "gaierror", "EndpointConnectionError", "ConnectTimeoutError", "NoCredentialsError",
    }  # fmt: skip


def _of_http(code: int, text: str) -> Answer:
    if code in _LOCKED:
        return Answer(Outcome(Verdict.SENDERS_FAULT, text), ends=True)
    if code in _MAYBE_TAKEN:
        # A new connection for the next: a lane gives up after a few that bring no answer, or each
        # reader in turn would be uncertain while the ESP is out of order.
        return Answer(Outcome(Verdict.UNKNOWN, text), ends=True)
    if code < 400:
        # Taken, as far as anybody can tell, with an answer that nobody understands.
        return Answer(Outcome(Verdict.UNKNOWN, text))
    if code >= 500 or code in _NOT_NOW:
        return Answer(Outcome(Verdict.LATER, text))
    return Answer(Outcome(Verdict.SENDERS_FAULT, text), disliked=True)


def _of_smtp(error: smtplib.SMTPException) -> Answer:
    match error:
        case smtplib.SMTPRecipientsRefused(recipients=recipients) if recipients:
            code, reply = next(iter(recipients.values()))
            return Answer(read_smtp(code, reply, stage=Stage.RECIPIENT))
        case smtplib.SMTPSenderRefused(smtp_code=code, smtp_error=reply):
            return Answer(read_smtp(code, reply, stage=Stage.SENDER), ends=code == _CLOSING)
        case smtplib.SMTPResponseException(smtp_code=code, smtp_error=reply):
            return Answer(read_smtp(code, reply, stage=Stage.CONTENT), ends=code == _CLOSING)
    return Answer(Outcome(Verdict.UNKNOWN, words(error)), ends=True)


def _http_status(error: Exception) -> int | None:
    """The HTTP status, as requests has it or as boto3 has it."""
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
    """Anymail wraps what requests and boto3 raise; their words are the shorter ones."""
    return error.__cause__ or error
