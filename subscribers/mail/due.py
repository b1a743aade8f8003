"""Send mails that rows say are due: one attempt each, and when to try again.

A worker leases a row by moving its due time ahead by LEASE. So a second worker finds nothing due,
and a mail that a crash leaves behind is due again after the lease.
"""

from __future__ import annotations

import logging
import re
import smtplib
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.mail import EmailMultiAlternatives

logger = logging.getLogger(__name__)

# Longer than a worker can need for the few mails of one lease: a relay times out after
# EMAIL_TIMEOUT.
LEASE = timedelta(minutes=5)
# A task ends after this, even if a relay takes many seconds for each mail; another one goes on.
MAX_RUN = timedelta(minutes=5)
# Rows found by one query. The next query finds mails that became due since, which may come first.
ROWS_PER_QUERY = 20
# A relay often repeats the address in its reply. The logs name readers by number.
_ADDRESS = re.compile(r"(?<![^\s<>'\"@])[^\s<>'\"@]++@[^\s<>'\"@]++")
_REPLY_LENGTH, _TEXT_LENGTH = 300, 20_000
SHORTEST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=6)


class NotToBeSent(Exception):
    """There is no mail to send; `reason` is the caller's own word for why."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class SendAttempt:
    """What became of one mail: a relay took it, or did not say so because of `error`."""

    error: Exception | None = None

    @property
    def was_sent(self) -> bool:
        return self.error is None

    @property
    def may_retry(self) -> bool:
        """Tell whether another attempt may succeed."""
        error = self.error
        return error is not None and not isinstance(error, NotToBeSent) and not _is_refusal(error)

    @property
    def reply(self) -> str:
        """The error in one line for a log, without addresses."""
        error = self.error
        if isinstance(error, smtplib.SMTPRecipientsRefused):
            replies = [f"{code} {text!r}" for code, text in error.recipients.values()]
            text = f"refused with {', '.join(replies)}"
        else:
            text = str(error) or type(error).__name__
        return " ".join(_without_addresses(text).split())[:_REPLY_LENGTH]


def attempt(compose: Callable[[], EmailMultiAlternatives], *, what: str) -> SendAttempt:
    """Send the mail that `compose` returns, unless it raises NotToBeSent; raise nothing.

    `what` names the mail in the log.
    """
    try:
        compose().send()
    except NotToBeSent as error:
        return SendAttempt(error)
    except (smtplib.SMTPException, OSError) as error:
        found = SendAttempt(error)
        if not found.may_retry:
            logger.info("%s is %s", what, found.reply)
        return found
    except Exception as error:  # our own fault: if it is fixed in time, the mail still goes out
        logger.error("%s failed: %s", what, _without_addresses(traceback.format_exc()))
        return SendAttempt(error)
    return SendAttempt()


def next_attempt_at(
    found: SendAttempt, *, what: str, due_since: datetime, give_up_after: timedelta, now: datetime
) -> datetime | None:
    """Return when to send again after a failed attempt, or None if it is given up; log which.

    The pause is as long as the mail has waited already, so the pauses double.
    """
    waited = now - due_since
    if waited > give_up_after:
        logger.error("%s given up: %s", what, found.reply)
        return None
    pause = min(max(waited, SHORTEST_PAUSE), LONGEST_PAUSE)
    logger.warning("%s is retried in %s: %s", what, pause, found.reply)
    return now + pause


def send_all(
    due_ids: Callable[..., list[int]],
    send: Callable[..., object],
    *,
    clock: Callable[[], datetime],
    limit: int,
) -> bool:
    """Call `send(pk, now=…)` for the rows of `due_ids(now=…, limit=…)`.

    Return True after `limit` mails or MAX_RUN, because more may be due. A row for which `send`
    raises stays due; it is tried once, and does not hold up the others.
    """
    attempted, broken = 0, set[int]()
    until = clock() + MAX_RUN
    while attempted < limit and clock() < until:
        ids = due_ids(now=clock(), limit=ROWS_PER_QUERY + len(broken))
        if not (new := [pk for pk in ids if pk not in broken]):
            return False
        for pk in new:
            try:
                send(pk, now=clock())
            except Exception:
                broken.add(pk)
                logger.exception("The mail of row %s failed", pk)
        attempted += len(new)
    return True


def _without_addresses(text: str) -> str:
    # The limit is before the search, since an ESP may answer with anything.
    return _ADDRESS.sub("…", text[:_TEXT_LENGTH])


def _is_refusal(error: Exception) -> bool:
    """Tell whether a relay refused the recipient permanently.

    A 5yz is permanent (RFC 5321, section 4.2.1), except one for policy (RFC 3463, X.7.Z). With that
    one the relay refuses us, not the reader.
    """
    if not isinstance(error, smtplib.SMTPRecipientsRefused):
        return False
    replies = list(error.recipients.values())
    return bool(replies) and all(
        500 <= code < 600 and text[:4] != b"5.7." for code, text in replies
    )
