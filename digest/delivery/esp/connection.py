"""Carry messages to an ESP or another e-mail backend of Django's: many at once where it can."""

from __future__ import annotations

import smtplib
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from threading import Thread
from types import TracebackType
from typing import Any, Self

from django.core.mail.backends.base import BaseEmailBackend

from digest.delivery.esp import answers, mails, table
from digest.delivery.esp.bodies import give_own_bodies
from digest.delivery.esp.letters import Letter, read
from digest.delivery.outgoing import NoConnection, Outgoing, RelayRefuses
from digest.delivery.replies import Outcome, Verdict
from digest.rendering.personalise import FrozenPage
from subscribers.backends import make_backend
from subscribers.relays import Relay

# Seconds; a request that is answered in drops ends with the two together.
CONNECT_TIMEOUT, REPLY_TIMEOUT = 10.0, 30.0
_POLL = 0.25
# So few at a time where each is a request of its own, some tenths of a second long: what a kill -9
# leaves uncertain are rows that were claimed.
_ONE_BY_ONE = 5
# Between two looks at who has left meanwhile, which is the lane's business, go so many requests at
# most, and none is begun later than so many seconds after the first. The other messages come back
# unsent, to be claimed again.
_REQUESTS, _FLUSH_SECONDS = 5, 5.0
# So few are claimed then: one request that the ESP dislikes, and each alone.
_AFTER_THAT = _REQUESTS - 1
# So many requests in a row that the ESP did not like are no longer the readers' fault.
_DISLIKES = 3
_GIVEN_BACK = Outcome(Verdict.NOT_SENT, "other messages took the time")


def _never() -> bool:
    return False


class Connection:
    """An open e-mail backend; see outgoing.Transport. Use it as a context manager.

    Raises:
        NoConnection, RelayRefuses: on opening.
    """

    def __init__(
        self, relay: Relay, *, frozen: FrozenPage, give_up: Callable[[], bool] = _never
    ) -> None:
        self.accepted = 0
        self._frozen, self._give_up = frozen, give_up
        self._esp = table.esp_of(relay.backend)
        self._left = relay.messages
        self._secrets = tuple(value for value in relay.options.values() if len(value) > 7)
        self._waiting: list[Letter] = []
        self._known: list[tuple[int, Outcome]] = []
        self._disliked = 0
        self._asked, self._flush_ends = 0, 0.0
        self._batch = table.MOST if self._esp.batch else _ONE_BY_ONE
        self._backend: BaseEmailBackend | None = _opened(relay, self._esp, self._secrets)

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
    def batch(self) -> int:
        return self._batch

    @property
    def is_open(self) -> bool:
        return self._backend is not None and self._left > 0

    def ready(self) -> None:
        """Nothing to wait for: requests are answered one by one."""

    def put(self, outgoing: Outgoing) -> None:
        """Send it, or keep it until there are enough for one request."""
        if not self.is_open:
            self._known.append(
                (outgoing.key, Outcome(Verdict.NOT_SENT, "the connection is closed"))
            )
            return
        letter = read(outgoing)
        if mistaken := self._mistaken(letter):
            self._known.append((outgoing.key, mistaken))
            return
        self._left -= 1
        self._waiting.append(letter)
        if not self._esp.batch or len(self._waiting) >= self._batch:
            self._flush()

    def take(self, *, unanswered: int = 0) -> list[tuple[int, Outcome]]:
        """All outcomes known when at most so many are unanswered.

        Nothing waits from one window for the next: its readers might leave meanwhile.
        """
        if self._waiting and unanswered < table.MOST:
            self._flush()
        known, self._known = self._known, []
        return known

    def close(self) -> None:
        """End it; what was put and not sent yet is not sent."""
        backend, self._backend = self._backend, None
        for letter in self._waiting:
            self._known.append((letter.outgoing.key, Outcome(Verdict.NOT_SENT, "closed before")))
        self._waiting = []
        if backend is not None:
            _closed(backend)

    def _flush(self) -> None:
        letters, self._waiting = self._waiting, []
        self._asked, self._flush_ends = 0, time.monotonic() + _FLUSH_SECONDS
        for group in mails.groups(letters, esp=self._esp):
            outcomes = self._send(group)
            self.accepted += sum(o.verdict is Verdict.ACCEPTED for o in outcomes)
            keys = (letter.outgoing.key for letter in group)
            self._known.extend(zip(keys, outcomes, strict=True))
            # Fewer at a time where they take many requests, more where few were enough.
            if _GIVEN_BACK in outcomes:
                self._batch = _AFTER_THAT
        if self._esp.batch and self._asked <= _REQUESTS // 2:
            self._batch = min(table.MOST, self._batch * 2)

    def _send(self, group: Sequence[Letter]) -> list[Outcome]:
        """In one request if that can be, or else one by one; an outcome for each, in order."""
        mail = None
        if len(group) > 1 and self._may_ask():
            mail = mails.together(group, esp=self._esp, frozen=self._frozen)
        if mail is None:
            return [self._send_alone(letter) for letter in group]
        answer = self._post(mail)
        if answer is None:
            return [self._status(mail, letter) for letter in group]
        if not answer.disliked:
            return [answer.outcome] * len(group)
        # Nobody's was taken. Each alone shows whose fault it is; of many, some from all over.
        step = -(-len(group) // _AFTER_THAT)
        # However slow that was: else the next window would end here as well.
        self._flush_ends = time.monotonic() + _FLUSH_SECONDS
        outcomes = [
            _GIVEN_BACK if number % step else self._send_alone(letter)
            for number, letter in enumerate(group)
        ]
        if not any(outcome.verdict is Verdict.ACCEPTED for outcome in outcomes):
            return outcomes
        return [
            replace(outcome, verdict=Verdict.REFUSED)
            if outcome.verdict is Verdict.SENDERS_FAULT
            else outcome
            for outcome in outcomes
        ]

    def _mistaken(self, letter: Letter) -> Outcome | None:
        """Words that the ESP would not leave as they are: the edition's, or this reader's own."""
        words = "the ESP would take {} in the {} for a merge field"
        if not (found := table.mistakable(letter.words, esp=self._esp)):
            return None
        if ours := table.mistakable(letter.editions_words, esp=self._esp):
            return Outcome(Verdict.SENDERS_FAULT, words.format(ours, "edition"))
        # Anybody may have such an address, and would stop every edition with it.
        return Outcome(Verdict.REFUSED, words.format(found, "reader's address"))

    def _may_ask(self) -> bool:
        return self._asked < _REQUESTS and time.monotonic() < self._flush_ends

    def _send_alone(self, letter: Letter) -> Outcome:
        if not self._may_ask():
            return _GIVEN_BACK
        mail = mails.alone(letter, esp=self._esp)
        answer = self._post(mail)
        if answer is None:
            outcome = self._status(mail, letter)
            self._disliked = 0 if outcome.verdict is Verdict.ACCEPTED else self._disliked
            return outcome
        return self._whose_fault(answer, letter) if answer.disliked else answer.outcome

    def _whose_fault(self, answer: answers.Answer, letter: Letter) -> Outcome:
        """One bad address may not hold the edition, nor a locked account fail each reader."""
        self._disliked += 1
        named = letter.address.casefold() in answer.outcome.reply.casefold()
        if (named or self.accepted) and self._disliked < _DISLIKES:
            return replace(answer.outcome, verdict=Verdict.REFUSED)
        return answer.outcome

    def _status(self, mail: Any, letter: Letter) -> Outcome:
        status = getattr(mail, "anymail_status", None)
        if status is None:
            return Outcome(Verdict.ACCEPTED, "handed over")
        return answers.of_status(status.recipients, letter.address)

    def _post(self, mail: Any) -> answers.Answer | None:
        """Hand it to the backend; what went wrong, if anything did."""
        self._asked += 1
        if self._give_up():
            self.close()
        if self._backend is None:
            return answers.Answer(Outcome(Verdict.NOT_SENT, "the connection is closed"))
        answer: list[answers.Answer | None] = []
        # From a thread it is possible to turn away, which a worker that must stop has to.
        thread = Thread(target=self._hand_over, args=(self._backend, mail, answer), daemon=True)
        thread.start()
        until = time.monotonic() + CONNECT_TIMEOUT + REPLY_TIMEOUT
        while not answer:
            thread.join(_POLL)
            if not answer and (self._give_up() or time.monotonic() > until):
                self._backend = None  # and not closed: the thread is still at it
                return answers.Answer(Outcome(Verdict.UNKNOWN, "no answer in time"))
        if answer[0] and answer[0].ends:
            self.close()
        return answer[0]

    def _hand_over(
        self, backend: BaseEmailBackend, mail: Any, answer: list[answers.Answer | None]
    ) -> None:
        try:
            sent = backend.send_messages([mail])
            # Some backends return None; 0 is said where a signal's receiver called it off.
            nothing = answers.Answer(Outcome(Verdict.LATER, "the backend sent nothing"))
            answer.append(nothing if sent == 0 else None)
        except Exception as error:
            answer.append(answers.of_error(error, self._secrets))


def _opened(relay: Relay, esp: table.Esp, secrets: Sequence[str]) -> BaseEmailBackend:
    try:
        backend = make_backend(relay, timeout=(CONNECT_TIMEOUT, REPLY_TIMEOUT))
        if isinstance(esp.batch, table.Bodies):
            give_own_bodies(backend, esp.batch)
        backend.open()
        _knock(backend)
    except smtplib.SMTPResponseException as error:
        kind = RelayRefuses if 500 <= error.smtp_code < 600 else NoConnection
        raise kind(f"{relay.name}: {answers.words(error, secrets)}") from error
    except smtplib.SMTPNotSupportedError as error:
        raise RelayRefuses(f"{relay.name}: {answers.words(error, secrets)}") from error
    except OSError as error:
        raise NoConnection(f"{relay.name}: {answers.words(error, secrets)}") from error
    except Exception as error:
        # Of the settings, or of a library that is not installed: no lane will do better.
        raise RelayRefuses(f"{relay.name}: {answers.words(error, secrets)}") from error
    return backend


def _knock(backend: Any) -> None:
    """See whether the ESP's API is there, on the connection that the messages will use.

    Any answer will do. Without one no reader's row should have been claimed.
    """
    session, url = getattr(backend, "session", None), getattr(backend, "api_url", None)
    if session is not None and url:
        session.head(url, timeout=CONNECT_TIMEOUT, allow_redirects=False)


def _closed(backend: BaseEmailBackend) -> None:
    # What it had to say it has said; a politeness that fails harms nobody.
    with suppress(Exception):
        backend.close()
