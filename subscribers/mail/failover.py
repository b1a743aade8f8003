"""Send our own mail over the first relay that can be reached."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from subscribers.mail.backends import make_backend
from subscribers.mail.relays import Relay

logger = logging.getLogger(__name__)

# A relay that could not be reached is tried after all others for this many seconds, in this
# process. Otherwise each of its mails would first wait for EMAIL_TIMEOUT.
SKIP_SECONDS = 60.0
_skipped_until: dict[str, float] = {}


class FailoverBackend(BaseEmailBackend):
    """The EMAIL_BACKEND of sign-up and staff mail: it tries relays in the order of EMAIL_RELAYS.

    The next relay takes over if one cannot be connected to or refuses the login. A mail that was
    handed to a relay is never handed to another one: if it was refused it stays refused, and if it
    got no answer it may have arrived. An ESP is connected to only with the first mail, so no relay
    takes over from an ESP.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(fail_silently=options.get("fail_silently", False))
        self._backend: BaseEmailBackend | None = None

    def open(self) -> bool:
        """Open a connection; raise the last relay's OSError if none can be reached."""
        if self._backend is not None:
            return False
        self._connect()
        return True

    def close(self) -> None:
        backend, self._backend = self._backend, None
        if backend is not None:
            backend.close()

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Send the messages over one relay; raise OSError as the relay's own backend does."""
        if not email_messages:
            return 0
        opened_here = self._backend is None
        try:
            backend = self._backend or self._connect()
            return backend.send_messages(email_messages) or 0
        except OSError:
            if self.fail_silently:
                return 0
            raise
        finally:
            if opened_here:
                self.close()

    def _connect(self) -> BaseEmailBackend:
        *others, last = sorted(settings.EMAIL_RELAYS, key=_is_skipped)
        for relay in others:
            try:
                self._backend = _open_backend(relay)
            except OSError as error:
                logger.warning("%s cannot be reached, the next relay is tried: %s",
                               relay.name, error)  # fmt: skip
            else:
                return self._backend
        self._backend = _open_backend(last)
        return self._backend


def _is_skipped(relay: Relay) -> bool:
    return _skipped_until.get(relay.name, 0.0) > time.monotonic()


def _open_backend(relay: Relay) -> BaseEmailBackend:
    backend = make_backend(relay, timeout=settings.EMAIL_TIMEOUT)
    try:
        backend.open()
    except OSError:
        _skipped_until[relay.name] = time.monotonic() + SKIP_SECONDS
        with suppress(OSError):
            backend.close()
        raise
    _skipped_until.pop(relay.name, None)
    return backend
