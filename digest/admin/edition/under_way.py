"""What an editor can do with an edition that has readers: stop it, correct it, send it again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.timezone import now
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldBooleanSwitchWidget,
)

from digest.admin.edition.pages import EditionPages
from digest.admin.edition.rights import Step
from digest.delivery.planning import finish, resend
from digest.editions.decide import audience, stop
from digest.editions.edit import correct
from digest.models import Delivery, Edition
from digest.tasks import start_lanes
from subscribers.plumbing import kept_edits

MAX_HOURS = 72


class CorrectionForm(forms.Form):
    """The text of a correction note and, if readers have several versions, whom it is for."""

    through = forms.TypedChoiceField(
        label="For whom",
        coerce=int,
        required=False,
        empty_value=None,
        widget=UnfoldAdminRadioSelectWidget,
    )
    note = forms.CharField(
        label="What was wrong, and what is right",
        widget=UnfoldAdminTextareaWidget({"rows": 6}),
        help_text="It goes under the heading of the correction; you can add to it before you send.",
    )

    def __init__(self, *args: Any, edition: Edition, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        recipients = [
            (through, audience.recipients(edition, through=through).count())
            for through in correct.correctable_revisions(edition)
        ]
        if len(recipients) == 1:
            del self.fields["through"]
            return
        (older, of_older), (newest, of_any) = recipients
        field: Any = self.fields["through"]
        field.choices = [
            (older, f"The {of_older:,} who got an older version: the newest is right"),
            (newest, f"All {of_any:,} who got any version: the mistake is in the newest too"),
        ]
        field.initial = older if of_older else newest


class ResendForm(forms.Form):
    """The options of a resend: to whom and, past the deadline, until when."""

    hours = forms.IntegerField(
        label="Send for this many hours from now",
        min_value=1,
        max_value=MAX_HOURS,
        widget=UnfoldAdminIntegerFieldWidget({"inputmode": "numeric"}),
        help_text="Its deadline has passed: say how long it is still worth sending.",
    )
    uncertain = forms.BooleanField(required=False, widget=UnfoldBooleanSwitchWidget)

    def __init__(self, *args: Any, is_late: bool, uncertain: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not is_late:
            del self.fields["hours"]
        if uncertain:
            readers = f"{uncertain:,} reader{'s'[: uncertain != 1]}"
            self.fields["uncertain"].label = f"Also the {readers} whose outcome is unknown"
            self.fields["uncertain"].help_text = "Some of them have it, and may see it twice."
        else:
            del self.fields["uncertain"]


class EditionUnderWay(EditionPages):
    """The buttons of an edition that is being sent, was stopped, or was sent."""

    def stop_now(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Stop on one click, without a question.

        Each second more readers get the edition, and resuming takes one click too.
        """
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        edition = self._edition(request, pk, step=Step.STOP)
        try:
            stop.stop_sending(edition_id=edition.pk, detail=str(request.user), now=now())
        except stop.NotSending as error:
            messages.error(request, str(error))
        else:
            self.log_change(request, edition, "Stopped sending.")
            messages.success(
                request,
                "Stopped. At most the few messages that are on the wire still go out. "
                "Correct the edition below, or resume it unchanged.",
            )
        return self._back(edition)

    def end_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        edition = self._edition(request, pk, step=Step.END)
        if request.method != "POST":
            return self._confirmation_page(
                request, edition, "end", {"remaining": audience.remaining(edition, now=now())}
            )
        try:
            finish.end_stopped(edition_id=edition.pk, now=now())
        except finish.NotStopped:
            edition.refresh_from_db()
            messages.error(request, f"It was not stopped: it is {edition.get_status_display()}.")
        else:
            self.log_change(request, edition, "Ended: nobody else gets it.")
            messages.success(
                request, "Ended. Readers who have it keep it, and nobody else gets it."
            )
        return self._back(edition)

    def correct_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        edition = self._edition(request, pk, step=Step.CORRECT)
        form = CorrectionForm(_posted(request) or kept_edits.find(request), edition=edition)
        if request.method == "POST" and form.is_valid():
            try:
                correction = correct.draft_correction(
                    edition_id=edition.pk,
                    note=form.cleaned_data["note"],
                    through=form.cleaned_data.get("through"),
                    now=now(),
                )
            except correct.CorrectionExists as error:
                messages.info(request, f"{error} This is it.")
                return self._back(error.correction)
            except correct.NotCorrectable as error:
                form.add_error(None, str(error))
            else:
                kept_edits.drop(request)
                self.log_change(request, edition, "Drafted a correction.")
                self.log_addition(request, correction, f"Drafted to correct {edition}.")
                messages.success(
                    request, "Drafted. It goes out as soon as you approve it: look at it first."
                )
                return self._back(correction)
        through = correct.correctable_revisions(edition)[0]
        context = {
            "form": form,
            "is_for_older": through < edition.revision,
            "readers": audience.recipients(edition, through=through).count(),
        } | kept_edits.context(request)
        return self._confirmation_page(request, edition, "correct", context)

    def resend_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        edition = self._edition(request, pk, step=Step.RESEND)
        undelivered = resend.undelivered(edition.pk)
        is_late = edition.deadline_at <= now()
        form = ResendForm(_posted(request), is_late=is_late, uncertain=undelivered.uncertain)
        if form.is_valid() and self._resend(request, edition, form):
            return self._back(edition)
        reasons = [
            (Delivery.Reason(code).label, count) for code, count in undelivered.reasons.items()
        ]
        context = {"form": form, "undelivered": undelivered, "reasons": reasons}
        return self._confirmation_page(request, edition, "resend", context)

    def _resend(self, request: HttpRequest, edition: Edition, form: ResendForm) -> bool:
        hours = form.cleaned_data.get("hours")
        try:
            result = resend.resend_failed(
                edition_id=edition.pk,
                include_uncertain=form.cleaned_data.get("uncertain", False),
                new_deadline=now() + timedelta(hours=hours) if hours else None,
                now=now(),
            )
        except resend.CannotResend as error:
            form.add_error(None, str(error))
            return False
        start_lanes(edition.pk)
        count = result.failed + result.uncertain
        self.log_change(request, edition, f"Sent again to {count:,} reader{'s'[: count != 1]}.")
        messages.success(request, f"On its way again to {count:,} reader{'s'[: count != 1]}.")
        return True


def _posted(request: HttpRequest) -> Any:
    """Return the data that binds a form: a POST binds it even without a single field."""
    return request.POST if request.method == "POST" else None
