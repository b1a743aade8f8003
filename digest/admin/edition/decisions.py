"""The buttons that decide whether an edition goes out, and the pages they lead to."""

from __future__ import annotations

import re
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.timezone import now

from digest.admin.edition.pages import blocking_messages
from digest.admin.edition.rights import Step
from digest.admin.edition.under_way import EditionUnderWay
from digest.admin.send_times import format_send_time
from digest.editions.decide import approve, audience, early, send_now, stop
from digest.editions.edit import reopen
from digest.models import Edition
from digest.tasks import release
from subscribers.models import IllegalMove
from subscribers.plumbing.queue import enqueue

_SLOT_CHOICES = {choice.value: choice for choice in early.SlotChoice}


class EditionDecisions(EditionUnderWay):
    """The decisions on an edition that can still be changed."""

    # --- By those who may decide and not edit; for the others the form's buttons save first ---

    def approve_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        edition = self._edition(request, pk, step=Step.APPROVE)
        return self._approve(request, edition, seen=request.POST.get("seen", ""))

    def withdraw_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        return self._withdraw(request, self._edition(request, pk, step=Step.WITHDRAW))

    def _approve(self, request: Any, edition: Edition, *, seen: str | None = None) -> HttpResponse:
        """Approve what the user saw: `seen` or, without it, what the form has just saved."""
        self._require(request, Step.APPROVE, edition)
        edition.refresh_from_db()
        saved = "Saved, but not" if seen is None else "Not"
        try:
            approved = send_now.approve_as_seen(
                edition_id=edition.pk,
                seen=approve.fingerprint(edition) if seen is None else seen,
                readers=_number(request.POST.get("audience", "")),
                immediately=False,
                user=request.user,
                now=now(),
            )
        except approve.NotApprovable as error:
            is_unusual = any(problem.code == "audience" for problem in error.problems)
            hint = (
                " If the number is right, confirm it on the page “Send now…”." if is_unusual else ""
            )
            messages.error(request, f"{saved} approved. {blocking_messages(error)}{hint}")
        else:
            self.log_change(request, edition, "Approved.")
            when = self._release(approved)
            messages.success(
                request, f"{'Saved and approved' if seen is None else 'Approved'}. {when}"
            )
        return self._back(edition)

    def _release(self, approved: Edition) -> str:
        """Hand an approved edition that is due to the workers; say when it goes out."""
        if approved.sends_at > now():
            return f"It goes out {format_send_time(approved, approved.newsletter.zone)}."
        enqueue(release, edition_id=approved.pk)
        if approved.local_time:
            return (
                "It goes out now to the readers whose hour has passed, and to the others at "
                "their hour."
            )
        return "It goes out now."

    def _withdraw(self, request: HttpRequest, edition: Edition) -> HttpResponse:
        self._require(request, Step.WITHDRAW, edition)
        if not approve.withdraw(edition_id=edition.pk):
            messages.error(request, "It is not approved, so nothing was withdrawn.")
            return self._back(edition)
        self.log_change(request, edition, "Withdrew the approval.")
        status = "held, because its sending has begun" if edition.sending_at else "a draft again"
        messages.success(request, f"The approval is withdrawn; the edition is {status}.")
        return self._back(edition)

    # --- Confirmation pages ---

    def send_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        edition = self._edition(request, pk, step=Step.SEND)
        if request.method == "POST":
            return self._send_now(request, edition)
        if edition.sending_at:
            return self._confirmation_page(
                request, edition, "resume", {"remaining": audience.remaining(edition, now=now())}
            )
        context: dict[str, Any] = {"estimate": audience.estimate(edition, now=now())}
        if early.uses_up_slot(edition, now=now(), ignore_reader_clocks=True):
            todays = early.as_todays(edition, now=now())
            context |= {
                "todays": todays,
                "todays_readers": audience.estimate(todays, now=now()).readers,
            }
        return self._confirmation_page(request, edition, "send", context)

    def _send_now(self, request: Any, edition: Edition) -> HttpResponse:
        was_approved = edition.status == Edition.Status.APPROVED
        slot = _SLOT_CHOICES.get(request.POST.get("slot", ""))
        if slot is early.SlotChoice.KEEP:
            # It becomes another edition than the one that was approved.
            self._require(request, Step.APPROVE, edition)
            was_approved = False
        # An edition of another day may be for more readers or fewer.
        readers = "todays_readers" if slot is early.SlotChoice.KEEP else "readers"
        try:
            sent = send_now.approve_as_seen(
                edition_id=edition.pk,
                seen=request.POST.get("seen", ""),
                readers=_number(request.POST.get(readers, "")),
                immediately=True,
                ignore_reader_clocks="ignore_reader_clocks" in request.POST,
                slot=slot,
                user=request.user,
                now=now(),
            )
        except approve.NotApprovable as error:
            messages.error(request, f"Not sent. {blocking_messages(error)}")
        else:
            step = "Resumed sending" if edition.sending_at else "Sent now"
            if sent.slot_date != edition.slot_date:
                step += (
                    f" as an edition of {sent.slot_date:%A, %-d %B}; the one of "
                    f"{edition.slot_date:%A, %-d %B} is drafted anew"
                )
            self.log_change(request, edition, f"{step}." if was_approved else f"Approved. {step}.")
            enqueue(release, edition_id=edition.pk)
            messages.success(request, "It is on its way.")
        return self._back(edition)

    def skip_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        edition = self._edition(request, pk, step=Step.SKIP)
        if request.method != "POST":
            return self._confirmation_page(request, edition, "skip", {})
        # PostgreSQL's text cannot hold a NUL, and no form field checks this value.
        detail = request.POST.get("detail", "").replace("\0", "").strip()
        try:
            stop.skip(
                edition_id=edition.pk,
                reason=Edition.Reason.BY_EDITOR,
                detail=detail,
                actor="",
                now=now(),
            )
        except IllegalMove:
            messages.error(request, f"It is {edition.get_status_display()} and cannot be skipped.")
        else:
            self.log_change(request, edition, f"Skipped: {detail}" if detail else "Skipped.")
            messages.success(request, "Skipped. Its stories are free for a later edition.")
        return self._back(edition)

    def reopen(self, request: HttpRequest, pk: int) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        edition = self._edition(request, pk, step=Step.REOPEN)
        try:
            taken = reopen.reopen(edition_id=edition.pk, now=now())
        except reopen.CannotReopen as error:
            messages.error(request, str(error))
            return self._back(edition)
        if edition.status == Edition.Status.SKIPPED:
            self.log_change(request, edition, "Reopened: a draft again.")
        messages.success(request, "It is a draft again.")
        if taken:
            names = ", ".join(f"“{story.title}”" for story in taken)
            messages.warning(request, f"Left out, because they are in another edition: {names}.")
        return self._back(edition)


def _number(text: str) -> int | None:
    """Return the number of readers that the page showed and the editor accepted."""
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None
