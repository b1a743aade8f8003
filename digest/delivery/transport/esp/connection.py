"""Provide the transport to an ESP or another Django backend, in few requests where possible."""

from __future__ import annotations

import smtplib
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from threading import Thread
from typing import Any, Self

from django.core.mail.backends.base import BaseEmailBackend

from digest.delivery.ledger import WINDOW
from digest.delivery.transport.base import NoConnection, Outgoing, RelayRefuses
from digest.delivery.transport.esp import capabilities, mails, results
from digest.delivery.transport.esp.parsed_message import ParsedMessage, parse_message
from digest.delivery.transport.replies import SendOutcome, Verdict
from digest.rendering.personalise import FrozenPage
from subscribers.mail.backends import make_backend
from subscribers.mail.relays import Relay

# Seconds. A request whose answer comes in small pieces ends after both together.
CONNECT_TIMEOUT, REPLY_TIMEOUT = 10.0, 30.0
_POLL = 0.25
# How many rows are claimed at a time if each message is a request of its own, of some tenths of a
# second. The number is small, because a kill -9 leaves all claimed rows uncertain.
_ONE_BY_ONE = 5
# Limits between two checks of the readers' status, which the lane makes: the number of requests,
# and the seconds after the first request in which another may begin. The other messages are
# returned unsent, to be claimed again.
_MAX_REQUESTS, _FLUSH_SECONDS = 5, 5.0
# How many rows are claimed after that: enough for one request that the ESP refuses, and then one
# request for each message.
_SMALL_BATCH = _MAX_REQUESTS - 1
# If the ESP refuses this many requests in a row, the fault is not the readers'.
_MAX_REFUSED_REQUESTS = 3
_NO_TIME_LEFT = SendOutcome(Verdict.NOT_SENT, "other messages left no time for this one")


def _never() -> bool:
    return False


class EspConnection:
    """An open e-mail backend that is a Transport; use it as a context manager.

    Raises:
        NoConnection, RelayRefuses: The backend could not be opened.
    """

    def __init__(
        self, relay: Relay, *, frozen: FrozenPage, should_stop: Callable[[], bool] = _never
    ) -> None:
        self.accepted = 0
        self._frozen, self._should_stop = frozen, should_stop
        self._esp = capabilities.esp_of(relay.backend)
        self._left = relay.messages
        self._secrets = tuple(value for value in relay.options.values() if len(value) > 7)
        self._waiting: list[ParsedMessage] = []
        self._known: list[tuple[int, SendOutcome]] = []
        self._refused_requests = 0
        self._requests, self._flush_ends = 0, 0.0
        self._batch = WINDOW if self._esp.batch else _ONE_BY_ONE
        self._backend: BaseEmailBackend | None = _open_backend(relay, self._secrets)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def batch(self) -> int:
        return self._batch

    @property
    def is_open(self) -> bool:
        return self._backend is not None and self._left > 0

    def ready(self) -> None:
        """Return immediately: requests are answered one by one."""

    def put(self, outgoing: Outgoing) -> None:
        """Send the message, or keep it until there are enough messages for one request."""
        if not self.is_open:
            self._known.append(
                (outgoing.key, SendOutcome(Verdict.NOT_SENT, "the connection is closed"))
            )
            return
        parsed = parse_message(outgoing)
        if outcome := self._merge_syntax_outcome(parsed):
            self._known.append((outgoing.key, outcome))
            return
        self._left -= 1
        self._waiting.append(parsed)
        if not self._esp.batch or len(self._waiting) >= self._batch:
            self._flush()

    def take(self, *, unanswered: int = 0) -> list[tuple[int, SendOutcome]]:
        """Return the new outcomes, once at most `unanswered` messages have none.

        No message waits until the next window, because its reader might unsubscribe in between.
        """
        if self._waiting and unanswered < WINDOW:
            self._flush()
        known, self._known = self._known, []
        return known

    def close(self) -> None:
        """Close the backend; messages that were put and not sent yet are not sent."""
        backend, self._backend = self._backend, None
        for parsed in self._waiting:
            self._known.append(
                (parsed.outgoing.key, SendOutcome(Verdict.NOT_SENT, "closed before"))
            )
        self._waiting = []
        if backend is not None:
            _close_backend(backend)

    def _flush(self) -> None:
        parsed_messages, self._waiting = self._waiting, []
        self._requests, self._flush_ends = 0, time.monotonic() + _FLUSH_SECONDS
        for group in mails.groups(parsed_messages, esp=self._esp):
            outcomes = self._send(group)
            self.accepted += sum(o.verdict is Verdict.ACCEPTED for o in outcomes)
            keys = (parsed.outgoing.key for parsed in group)
            self._known.extend(zip(keys, outcomes, strict=True))
            # Claim fewer rows at a time if they took too many requests, more if few were enough.
            if _NO_TIME_LEFT in outcomes:
                self._batch = _SMALL_BATCH
        if self._esp.batch and self._requests <= _MAX_REQUESTS // 2:
            self._batch = min(WINDOW, self._batch * 2)

    def _send(self, group: Sequence[ParsedMessage]) -> list[SendOutcome]:
        """Send a group in one request if possible, else one by one; return outcomes in order."""
        mail = None
        if len(group) > 1 and self._may_request():
            mail = mails.for_group(group, esp=self._esp, frozen=self._frozen)
        if mail is None:
            return [self._send_single(parsed) for parsed in group]
        failure = self._post(mail)
        if failure is None:
            return [self._status(mail, parsed) for parsed in group]
        if not failure.is_request_refused:
            return [failure.outcome] * len(group)
        # The ESP took no message. Messages sent alone show whose fault it is. Of a large group only
        # every `step`-th message is sent alone.
        step = -(-len(group) // _SMALL_BATCH)
        # The time starts again, however slow the request was: otherwise the next window would end
        # here too.
        self._flush_ends = time.monotonic() + _FLUSH_SECONDS
        outcomes = [
            _NO_TIME_LEFT if number % step else self._send_single(parsed)
            for number, parsed in enumerate(group)
        ]
        if not any(outcome.verdict is Verdict.ACCEPTED for outcome in outcomes):
            return outcomes
        return [
            replace(outcome, verdict=Verdict.REFUSED)
            if outcome.verdict is Verdict.SENDERS_FAULT
            else outcome
            for outcome in outcomes
        ]

    def _merge_syntax_outcome(self, parsed: ParsedMessage) -> SendOutcome | None:
        """Return an outcome if the ESP would change text of the edition or of this reader."""
        reply = "the ESP would read {} in the {} as a merge field"
        if not (found := capabilities.find_merge_syntax(parsed.visible_text, esp=self._esp)):
            return None
        if in_edition := capabilities.find_merge_syntax(parsed.edition_text, esp=self._esp):
            return SendOutcome(Verdict.SENDERS_FAULT, reply.format(in_edition, "edition"))
        # This does not hold the edition: otherwise anybody with such an address could stop it.
        return SendOutcome(Verdict.REFUSED, reply.format(found, "reader's address"))

    def _may_request(self) -> bool:
        return self._requests < _MAX_REQUESTS and time.monotonic() < self._flush_ends

    def _send_single(self, parsed: ParsedMessage) -> SendOutcome:
        if not self._may_request():
            return _NO_TIME_LEFT
        mail = mails.for_one(parsed, esp=self._esp)
        failure = self._post(mail)
        if failure is None:
            outcome = self._status(mail, parsed)
            if outcome.verdict is Verdict.ACCEPTED:
                self._refused_requests = 0
            return outcome
        return self._whose_fault(failure, parsed) if failure.is_request_refused else failure.outcome

    def _whose_fault(self, failure: results.SendFailure, parsed: ParsedMessage) -> SendOutcome:
        """Decide whether the reader or the edition is at fault for a refused request.

        A bad address must not hold the edition, and a locked account must not fail each reader.
        """
        self._refused_requests += 1
        is_named = parsed.address.casefold() in failure.outcome.reply.casefold()
        if (is_named or self.accepted) and self._refused_requests < _MAX_REFUSED_REQUESTS:
            return replace(failure.outcome, verdict=Verdict.REFUSED)
        return failure.outcome

    def _status(self, mail: Any, parsed: ParsedMessage) -> SendOutcome:
        status = getattr(mail, "anymail_status", None)
        if status is None:
            return SendOutcome(Verdict.ACCEPTED, "handed over")
        return results.from_status(status.recipients, parsed.address)

    def _post(self, mail: Any) -> results.SendFailure | None:
        """Hand the mail to the backend; return what went wrong, or None."""
        self._requests += 1
        if self._should_stop():
            self.close()
        if self._backend is None:
            return results.SendFailure(SendOutcome(Verdict.NOT_SENT, "the connection is closed"))
        result: list[results.SendFailure | None] = []
        # A thread can be abandoned, which is necessary when the worker must stop.
        thread = Thread(target=self._hand_over, args=(self._backend, mail, result), daemon=True)
        thread.start()
        until = time.monotonic() + CONNECT_TIMEOUT + REPLY_TIMEOUT
        while not result:
            thread.join(_POLL)
            if not result and (self._should_stop() or time.monotonic() > until):
                self._backend = None  # not closed, because the thread still uses it
                return results.SendFailure(SendOutcome(Verdict.UNKNOWN, "no answer in time"))
        if result[0] and result[0].ends_connection:
            self.close()
        return result[0]

    def _hand_over(
        self, backend: BaseEmailBackend, mail: Any, result: list[results.SendFailure | None]
    ) -> None:
        try:
            sent = backend.send_messages([mail])
            # Some backends return None. 0 means that a receiver of a signal cancelled the mail.
            nothing = results.SendFailure(SendOutcome(Verdict.DEFERRED, "the backend sent nothing"))
            result.append(nothing if sent == 0 else None)
        except Exception as error:
            result.append(results.from_error(error, self._secrets))


def _open_backend(relay: Relay, secrets: Sequence[str]) -> BaseEmailBackend:
    try:
        backend = make_backend(relay, timeout=(CONNECT_TIMEOUT, REPLY_TIMEOUT))
        backend.open()
        _check_reachable(backend)
    except smtplib.SMTPResponseException as error:
        kind = RelayRefuses if 500 <= error.smtp_code < 600 else NoConnection
        raise kind(f"{relay.name}: {results.ledger_text(error, secrets)}") from error
    except smtplib.SMTPNotSupportedError as error:
        raise RelayRefuses(f"{relay.name}: {results.ledger_text(error, secrets)}") from error
    except OSError as error:
        raise NoConnection(f"{relay.name}: {results.ledger_text(error, secrets)}") from error
    except Exception as error:
        # The settings are wrong, or a library is not installed: every lane would fail.
        raise RelayRefuses(f"{relay.name}: {results.ledger_text(error, secrets)}") from error
    return backend


def _check_reachable(backend: Any) -> None:
    """Check that the ESP's API can be reached, on the connection that the messages will use.

    Any answer is enough. The check comes before the first claim: without an answer no reader's row
    should be claimed.
    """
    session, url = getattr(backend, "session", None), getattr(backend, "api_url", None)
    if session is not None and url:
        session.head(url, timeout=CONNECT_TIMEOUT, allow_redirects=False)


def _close_backend(backend: BaseEmailBackend) -> None:
    # Every answer was read by now, so an error on closing does no harm.
    with suppress(Exception):
        backend.close()
