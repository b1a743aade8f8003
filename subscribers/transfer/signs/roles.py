"""Say what the name of a column says of its values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from subscribers.transfer.presets import RowKind
from subscribers.transfer.signs import heading_words as headings
from subscribers.transfer.signs.leaving_words import plain


class Role(StrEnum):
    """What a column's name says of its values."""

    LEFT = "left"  # yes, a time or a status: the person left
    REASON = "reason"  # whatever it is: the person left
    SUBSCRIBED = "subscribed"  # no: the person left
    CONFIRMED = "confirmed"  # no: the person never confirmed
    RECEIVES = "receives"  # none: the person left
    AGREES = "agrees"  # no: perhaps the person left, which is asked
    ENDED = "ended"  # anything but no: perhaps the person left, which is asked
    STATUS = "status"
    STATE_OF = "state_of"  # a status of perhaps something else: what may mean that is asked
    NAME = "name"  # a name or an address, perhaps with a word of leaving beside it, which is asked
    TAGS = "tags"  # several words, one of which may say that the person left
    TEXT = "text"  # notes, perhaps with a word of leaving at the beginning, which is asked
    OTHER = "other"  # the values alone can say it
    ELSEWHERE = "elsewhere"  # about something else than mail, whatever its values are


# What a name speaks of besides mail is asked about instead of acted on.
_ASKED_INSTEAD = {
    Role.SUBSCRIBED: Role.AGREES, Role.RECEIVES: Role.AGREES, Role.CONFIRMED: Role.AGREES,
    Role.STATUS: Role.STATE_OF,
}  # fmt: skip


@dataclass(frozen=True)
class ColumnRole:
    """What a column is by its name.

    - `kind`: who a person is of whom the column says that they left.
    - `is_certain`: the name leaves no doubt, so that a value which is not understood is asked
      about. Otherwise it is only if the column's other values are understood.
    """

    role: Role
    kind: RowKind = RowKind.UNSUBSCRIBED
    is_certain: bool = True


def role_of(name: str) -> ColumnRole:
    """Return what the name of a column says of its values."""
    words = plain(_apart(name)).split()
    squeezed = "".join(words)
    known = set(words)
    # Marketing emails bounced: how many, of which one may have found a full mailbox.
    is_count = "bounce" in squeezed and known & headings.PLURALS
    if len(squeezed) > 100 or known & headings.ELSEWHERE or is_count:
        return ColumnRole(Role.ELSEWHERE)
    if any(stem in squeezed for stem in headings.ENDED_STEMS) and not known & headings.TECHNICAL:
        return ColumnRole(Role.ENDED)
    if kind := _left_kind(squeezed, words):
        if known & headings.TECHNICAL:
            return ColumnRole(Role.OTHER)
        if not _is_about_leaving(squeezed, words):
            return ColumnRole(Role.ENDED, kind)
        if known & headings.BELONGING and squeezed != "byuser":
            return ColumnRole(Role.REASON, kind)
        return ColumnRole(Role.LEFT, kind)
    role = _other_role(squeezed, known)
    if role in _ASKED_INSTEAD and not _is_about_reading(words):
        role = _ASKED_INSTEAD[role]
        return ColumnRole(role, is_certain=role is not Role.STATE_OF)
    is_certain = role is not Role.SUBSCRIBED or any(
        stem in squeezed for stem in headings.SUBSCRIBED_STEMS
    )
    return ColumnRole(role, is_certain=is_certain)


def _apart(name: str) -> str:
    """Put a blank before each capital that begins a word: unsubscribedAt, IsActive."""
    if name.isupper() or name.islower():
        return name
    before = f" {name}"
    return "".join(
        f" {c}" if c.isupper() and before[n].islower() else c for n, c in enumerate(name)
    )


def _left_kind(squeezed: str, words: list[str]) -> RowKind | None:
    for kind, stems in headings.LEFT_STEMS.items():
        if any(stem in squeezed for stem in stems):
            return kind
    return next((headings.LEFT_WORDS[word] for word in words if word in headings.LEFT_WORDS), None)


def _is_about_leaving(squeezed: str, words: list[str]) -> bool:
    """Return whether a name that speaks of leaving speaks of nothing else, such as invoices."""
    if any(stem in squeezed for stem in headings.SURE_STEMS):
        return True
    found = [stem for stem in headings.UNSURE_STEMS if stem in squeezed]
    return all(
        word in headings.BESIDE
        or word in headings.LEFT_WORDS
        or any(s in word or word in s for s in found)
        for word in words
    )


def _is_about_reading(words: list[str]) -> bool:
    """Return whether a name that speaks of reading or of a status speaks of nothing else."""
    return all(
        word in headings.BESIDE_READING or any(stem in word for stem in headings.READING_STEMS)
        for word in words
    )


def _other_role(squeezed: str, words: set[str]) -> Role:
    if words & headings.TEXT_WORDS:
        return Role.TEXT
    if words & headings.CIRCUMSTANCES or words & headings.TECHNICAL:
        return Role.OTHER
    if words & headings.STATUS_WORDS or squeezed in headings.STATUS_WORDS:
        return Role.ELSEWHERE if words & headings.OTHER_STATUSES else Role.STATUS
    if words & headings.STATE_WORDS and words & headings.SUBSCRIBED_WORDS:
        return Role.STATUS
    if words & headings.CONFIRMED_WORDS:
        return Role.CONFIRMED
    if any(stem in squeezed for stem in headings.SUBSCRIBED_STEMS):
        return Role.SUBSCRIBED
    if words & headings.RECEIVES_WORDS or any(stem in squeezed for stem in headings.RECEIVES_STEMS):
        return Role.RECEIVES
    if words & headings.SUBSCRIBED_WORDS:
        is_about_mail = len(words) == 1 or words & headings.MAIL_WORDS
        return Role.SUBSCRIBED if is_about_mail else Role.AGREES
    if words & headings.MEMBER_WORDS:
        return Role.STATUS  # of something else than mail, for _is_about_reading
    if words & headings.AGREES_WORDS or any(stem in squeezed for stem in headings.AGREES_STEMS):
        return Role.AGREES
    if words & headings.STATE_WORDS and len(words) > 1:
        return Role.STATUS
    return Role.TAGS if words & headings.TAG_WORDS else Role.OTHER
