"""Say which permission each step of an edition needs."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from digest.models import Edition

EDIT = "digest.change_edition"
APPROVE = "digest.approve_edition"
SEND = "digest.send_edition"


class Step(StrEnum):
    """What a user does with an edition beside looking at it; docs/admin.md has the same table."""

    EDIT = "edit"
    TIMES = "times"
    CORRECT = "correct"
    APPROVE = "approve"
    WITHDRAW = "withdraw"
    SKIP = "skip"
    REOPEN = "reopen"
    SEND = "send"
    STOP = "stop"
    END = "end"
    RESEND = "resend"


_NEEDS: dict[Step, set[str]] = {
    Step.EDIT: {EDIT},
    Step.CORRECT: {EDIT},
    Step.WITHDRAW: {APPROVE},
    Step.SKIP: {APPROVE},
    Step.REOPEN: {APPROVE},
    # Whoever moves the send time to the next minute sends the edition.
    Step.TIMES: {SEND},
    Step.END: {SEND},
    Step.RESEND: {SEND},
}
_WORDS = {EDIT: "edit", APPROVE: "approve", SEND: "send"}


def allows(user: Any, step: Step, edition: Edition) -> bool:
    """Whether the user may take this step."""
    if step is Step.STOP:
        # Each second more readers get the mistake, and nothing is lost by a stop.
        return may_stop(user)
    return bool(user.has_perms(_needs(step, edition)))


def may_stop(user: Any) -> bool:
    """Whether the user may stop editions that are being sent: whoever lets them out may."""
    return bool(user.has_perm(APPROVE) or user.has_perm(SEND))


def allowed_steps(user: Any, edition: Edition) -> dict[str, bool]:
    """Return all steps by name, for the templates: a step that is not allowed has no button."""
    return {step.value: allows(user, step, edition) for step in Step}


def refusal(step: Step, edition: Edition) -> str:
    """Say which permissions the step needs."""
    if step is Step.STOP:
        return "Only somebody who may approve or send editions can stop one."
    needed = [word for name, word in _WORDS.items() if name in _needs(step, edition)]
    return f"Only somebody who may {' and '.join(needed)} editions can do this."


def _needs(step: Step, edition: Edition) -> set[str]:
    special: dict[Step, Callable[[Edition], set[str]]] = {
        Step.APPROVE: _needs_to_approve,
        Step.SEND: _needs_to_send,
    }
    return special[step](edition) if step in special else _NEEDS[step]


def _needs_to_approve(edition: Edition) -> set[str]:
    """Return what an approval needs.

    An approved edition goes out at its time, or at once if that has passed. A correction, an extra
    edition and one that was stopped in mid-send have no such time: the approval alone sends them.
    """
    is_sending = edition.goes_out_on_approval or edition.sending_at is not None
    return {APPROVE, SEND} if is_sending else {APPROVE}


def _needs_to_send(edition: Edition) -> set[str]:
    """Return what sending now needs: it also approves an edition that nobody has approved."""
    return {SEND} if edition.status == Edition.Status.APPROVED else {APPROVE, SEND}
