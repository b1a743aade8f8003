"""Hand messages to a relay over one connection, and say what became of each."""

from __future__ import annotations

import select
import smtplib
import ssl
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from django.core.mail.utils import DNS_NAME
from email_validator import EmailNotValidError, validate_email

from digest.delivery.outgoing import NoConnection, Outgoing, RelayRefuses
from digest.delivery.replies import Outcome, Stage, Verdict, read
from subscribers.relays import Relay

# Seconds. Together with lane.WINDOW_SECONDS they stay below recover.LEASE: a lane never works on
# rows that another may take for lost.
CONNECT_TIMEOUT = 10.0
REPLY_TIMEOUT = 30.0
# The server may scan the message before it answers the final dot (RFC 5321, 4.5.3.2.6 says ten
# minutes; relays that take a newsroom's mail answer within seconds).
CONTENT_TIMEOUT = 90.0
_POLL = 0.25


def _never() -> bool:
    return False


class _Patient:
    """Wait for replies in short steps, so that a worker that must stop is not held up."""

    sock: Any
    give_up: Callable[[], bool] = staticmethod(_never)
    patience = REPLY_TIMEOUT

    def getreply(self) -> tuple[int, bytes]:
        self._await_reply()
        reply: tuple[int, bytes] = super().getreply()  # type: ignore[misc]
        return reply

    def _await_reply(self) -> None:
        if self.sock is None:
            return
        if isinstance(self.sock, ssl.SSLSocket) and self.sock.pending():
            return
        until = time.monotonic() + self.patience
        waiting = select.poll()
        waiting.register(self.sock, select.POLLIN)
        while not waiting.poll(_POLL * 1000):
            if self.give_up() or time.monotonic() > until:
                self.close()  # type: ignore[attr-defined]
                raise smtplib.SMTPServerDisconnected("the server did not answer in time")


class _Plain(_Patient, smtplib.SMTP):
    pass


class _Tls(_Patient, smtplib.SMTP_SSL):
    pass


class Connection:
    """An open, authenticated SMTP session; use it as a context manager.

    Raises:
        NoConnection, RelayRefuses: on opening.
    """

    def __init__(self, relay: Relay, *, give_up: Callable[[], bool] = _never) -> None:
        self.relay = relay
        self.accepted = 0
        self.batch = 20
        self._known: list[tuple[int, Outcome]] = []
        self._client = _connect(relay, give_up)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def is_open(self) -> bool:
        return self._client.sock is not None

    def close(self) -> None:
        if self.is_open:
            self._client.patience = 1.0
            try:
                self._client.quit()
            except (smtplib.SMTPException, OSError):
                self._client.close()

    def put(self, outgoing: Outgoing) -> None:
        """Hand over one message; never raises for what the server does."""
        outcome = Outcome(Verdict.NOT_SENT, "the connection is closed")
        if self.is_open:
            outcome = self.send(
                sender=outgoing.sender, recipient=outgoing.recipient, message=outgoing.message
            )
        self._known.append((outgoing.key, outcome))

    def take(self, *, unanswered: int = 0) -> list[tuple[int, Outcome]]:
        """All outcomes known by now, each once."""
        known, self._known = self._known, []
        return known

    def send(self, *, sender: str, recipient: str, message: bytes) -> Outcome:
        """Hand over one message (CRLF line ends); never raises for what the server does."""
        try:
            refused = self._envelope(sender, recipient, len(message))
            if refused:
                return self._refused(refused)
            self._client.send(_stuffed(message))
        except (smtplib.SMTPException, OSError) as lost:
            self._client.close()
            return Outcome(Verdict.NOT_SENT, _words(lost))
        return self._after_the_dot()

    def _envelope(self, sender: str, recipient: str, size: int) -> Outcome | None:
        client = self._client
        address = _ascii(recipient)
        options = f" SIZE={size}" if client.has_extn("size") else ""
        if not address.isascii():
            if not client.has_extn("smtputf8"):
                return Outcome(Verdict.REFUSED, "the relay does not offer SMTPUTF8")
            client.command_encoding = "utf-8"
            options += " SMTPUTF8"
        for stage, line, good in (
            (Stage.SENDER, f"MAIL FROM:<{sender}>{options}", {250}),
            (Stage.RECIPIENT, f"RCPT TO:<{address}>", {250, 251, 252}),
            (Stage.CONTENT, "DATA", {354}),
        ):
            code, text = client.docmd(line)
            if code not in good:
                outcome = self._outcome(code, text, stage)
                # A 2yz that is none of the good ones is no answer to this command.
                if outcome.verdict is Verdict.ACCEPTED:
                    return Outcome(Verdict.LATER, outcome.reply)
                return outcome
        return None

    def _refused(self, outcome: Outcome) -> Outcome:
        """Clear the half-made transaction, so that the next message starts afresh.

        The refusal stands where the server hangs up behind it, as some do.
        """
        if self.is_open:
            try:
                self._client.docmd("RSET")
            except (smtplib.SMTPException, OSError):
                self._client.close()
        return outcome

    def _after_the_dot(self) -> Outcome:
        self._client.patience = CONTENT_TIMEOUT
        try:
            code, text = self._client.getreply()
        except (smtplib.SMTPException, OSError) as lost:
            self._client.close()
            return Outcome(Verdict.UNKNOWN, _words(lost))
        finally:
            self._client.patience = REPLY_TIMEOUT
        outcome = self._outcome(code, text, Stage.CONTENT)
        if outcome.verdict is Verdict.ACCEPTED:
            self.accepted += 1
        return outcome

    def _outcome(self, code: int, text: bytes, stage: Stage) -> Outcome:
        if code == 421:
            # "Service not available, closing transmission channel" (RFC 5321, section 3.8).
            self._client.close()
        outcome = read(code, text, stage=stage)
        if code == 421 and stage is Stage.SENDER:
            # Nobody's message was named yet: many relays end a connection after so many.
            return Outcome(Verdict.NOT_SENT, outcome.reply)
        return outcome


def _connect(relay: Relay, give_up: Callable[[], bool]) -> _Plain | _Tls:
    try:
        client = _greeted(relay)
        client.give_up = give_up
        try:
            _introduce(client, relay)
        except BaseException:
            client.close()
            raise
    except smtplib.SMTPResponseException as refused:
        raise _closed_door(relay, refused) from refused
    except smtplib.SMTPNotSupportedError as missing:
        raise RelayRefuses(f"{relay.name}: {missing}") from missing
    except (smtplib.SMTPException, OSError) as error:
        raise NoConnection(f"{relay.name}: {_words(error)}") from error
    client.sock.settimeout(REPLY_TIMEOUT)
    return client


def _greeted(relay: Relay) -> _Plain | _Tls:
    where, name = (relay.host, relay.port), str(DNS_NAME)
    if relay.tls:
        # smtplib's own default context does not verify the certificate.
        verified = ssl.create_default_context()
        return _Tls(*where, local_hostname=name, timeout=CONNECT_TIMEOUT, context=verified)
    return _Plain(*where, local_hostname=name, timeout=CONNECT_TIMEOUT)


def _introduce(client: smtplib.SMTP, relay: Relay) -> None:
    client.ehlo_or_helo_if_needed()
    if relay.starttls:
        client.starttls(context=ssl.create_default_context())
        client.ehlo()
    if relay.user:
        client.login(relay.user, relay.password)


def _closed_door(
    relay: Relay, refused: smtplib.SMTPResponseException
) -> NoConnection | RelayRefuses:
    reply = read(refused.smtp_code, refused.smtp_error, stage=Stage.SENDER).reply
    kind = RelayRefuses if 500 <= refused.smtp_code < 600 else NoConnection
    return kind(f"{relay.name}: {reply}")


def _ascii(address: str) -> str:
    """The address with its domain in ASCII, as relays without SMTPUTF8 need it."""
    if address.isascii():
        return address
    try:
        found = validate_email(address, check_deliverability=False)
    except EmailNotValidError:
        return address
    return found.ascii_email or f"{found.local_part}@{found.ascii_domain}"


def _stuffed(message: bytes) -> bytes:
    """Dots at the start of a line doubled (RFC 5321, section 4.5.2), and the final dot."""
    if b"\r\n." in message:
        message = message.replace(b"\r\n.", b"\r\n..")
    if message.startswith(b"."):
        message = b"." + message
    return message + (b".\r\n" if message.endswith(b"\r\n") else b"\r\n.\r\n")


def _words(error: BaseException) -> str:
    return (str(error) or type(error).__name__)[:300]
