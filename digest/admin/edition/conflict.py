"""Say who changed an edition while somebody else had it open, and what of it would be lost."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType

from digest.admin.edition.merge import TEXTS, GoneRow, MergedField
from digest.admin.local_times import format_local
from digest.models import Edition, Story
from digest.shorten import truncate
from subscribers.plumbing.kept_edits import owner_of

# Of the changes since then, so many are named.
MOST = 5
# Characters of a text that are quoted.
_QUOTED = 120


def changed_by(edition: Edition, data: Any) -> str:
    """Return one sentence about who changed the edition since the form's page was shown."""
    owner = owner_of(data)
    entries = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Edition), object_id=str(edition.pk)
    )
    if owner:
        entries = entries.filter(action_time__gt=datetime.fromtimestamp(owner.shown_at, UTC))
    zone = edition.newsletter.zone
    by_itself = edition.log.none()
    if owner:
        by_itself = edition.log.filter(at__gt=datetime.fromtimestamp(owner.shown_at, UTC))
    steps = [f"{e.actor}, {format_local(e.at, zone)} ({e.words})" for e in by_itself[:MOST]]
    found = [
        f"{entry.user}, {format_local(entry.action_time, zone)} "
        f"({entry.get_change_message().rstrip('.')})"
        for entry in entries.select_related("user").order_by("-action_time")[:MOST]
    ]
    found += steps
    if not found or not owner:
        return "It was changed by a program, by the schedule, or on a story's own page."
    return f"Changed by {'; '.join(found)}."


def replaced(form: Any, formset: Any) -> list[str]:
    """Return what somebody else has saved and the editor's form would undo, one line for each."""
    zone = form.instance.newsletter.zone
    lines = [
        f"{form[name].label}: {_quoted(form[name], zone)}"
        for name in form.EDITION_FIELDS
        if name in form.fields and form[name].replaces
    ]
    if formset.rows.replaces_order:
        lines.append("The order of the stories")
    for row in formset.initial_forms:
        is_removed = "DELETE" in row.changed_data
        lines += [
            f"{row[name].label} of “{row.instance.story}”"
            f"{', which you remove' if is_removed else ''}: {_quoted(row[name], zone)}"
            for name in TEXTS
            if (row[name].was_changed if is_removed else row[name].replaces)
        ]
    return lines


def not_saved(rows: list[GoneRow]) -> list[str]:
    """Return a sentence for each story that somebody else has removed."""
    titles = dict(
        Story.objects.filter(pk__in=[r.story_id for r in rows]).values_list("pk", "title")
    )
    lines = []
    for row in rows:
        title = f"“{titles[row.story_id]}”" if row.story_id in titles else "A story"
        lost = f": your {' and '.join(row.typed)} for it cannot be saved" if row.typed else ""
        lines.append(f"{title} was removed{lost}.")
    return lines


def _quoted(field: MergedField, zone: Any) -> str:
    value = field.initial
    if isinstance(value, datetime):
        return format_local(value, zone)
    if field.name == "section":
        value = dict(field.field.choices).get(value)  # type: ignore[attr-defined]
    return f"“{truncate(str(value), _QUOTED)}”" if value else "nothing"
