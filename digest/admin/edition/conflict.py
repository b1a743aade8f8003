"""Say who changed an edition while somebody else had it open, and what differs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType

from digest.admin.edition.kept_edits import owner_of
from digest.admin.local_times import format_local
from digest.models import Edition

# Of the changes since then, so many are named.
MOST = 5


def changed_by(edition: Edition, data: Any) -> str:
    """Return one sentence about who changed the edition since the form's page was shown."""
    owner = owner_of(data)
    entries = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Edition), object_id=str(edition.pk)
    )
    if owner:
        entries = entries.filter(action_time__gt=datetime.fromtimestamp(owner.shown_at, UTC))
    zone = edition.newsletter.zone
    found = [
        f"{entry.user}, {format_local(entry.action_time, zone)} "
        f"({entry.get_change_message().rstrip('.')})"
        for entry in entries.select_related("user").order_by("-action_time")[:MOST]
    ]
    if not found or not owner:
        return "It was changed by a program, by the schedule, or on a story's own page."
    return f"Changed by {'; '.join(found)}."


def differences(form: Any) -> str:
    """Return one sentence about the fields in which the form differs from what is saved."""
    names = [
        str(form.fields[name].label or name).lower()
        for name in form.changed_data
        if name in form.EDITION_FIELDS
    ]
    if not names:
        return "Its subject, preheader, note and times are the same as yours: look at the stories."
    return f"Yours differs in: {', '.join(names)}."
