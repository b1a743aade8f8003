"""Recognise the addresses that services and programs write where there is no person's address."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

DELETED = "the address stands for a deleted account"
LEFT = "the address is marked as one that left"
NOBODY = "the address stands for nobody"

# Substack moves the address of whoever asks for erasure to deletion-request.substack.com
# (TryGhost/migrate, pull request 148). RFC 2606 reserves .invalid.
_DOMAINS = ("deletion-request.substack.com", "invalid")
_DOMAIN_LABELS = frozenset((
    "deleted", "removed", "anonymized", "anonymised", "anonymous", "redacted", "erased",
    "forgotten", "deletion-request", "deleted-user", "deleted-users", "deleteduser", "gdpr-deleted",
))  # fmt: skip
# ann@example.com.unsubscribed: no such top-level domain exists.
_LEFT_ENDS = frozenset((
    "unsubscribed", "unsub", "optout", "optedout", "bounced", "blocked", "suppressed", "cancelled",
    "inactive", "disabled",
))  # fmt: skip
_DELETED_ENDS = frozenset((
    "deleted", "removed", "erased", "anonymized", "anonymised", "redacted", "invalid",
))  # fmt: skip
# Beside one of these, an address may have its first form: unsubscribed_ann@, ann.unsub@.
_LEFT_MARKS = frozenset((
    "unsubscribed", "unsub", "optout", "optedout", "abgemeldet", "desabonne", "desinscrit",
    "bounced", "blacklisted", "blocklisted", "suppressed",
))  # fmt: skip
_DELETED_WORDS = frozenset((
    "deleted", "deletion", "removed", "anonymized", "anonymised", "redacted", "erased", "gdpr",
    "purged", "supprime", "geloescht", "eliminado", "excluido", "deleteduser", "removeduser",
    "userdeleted", "deletedaccount",
))  # fmt: skip
# People call themselves so, too: anonymous1984@, the.forgotten@.
_WEAK_WORDS = frozenset(("anonymous", "anonym", "forgotten"))
# What one of these words is recognised by, at a look.
_STEMS = (
    "delet", "remove", "anonym", "redact", "erased", "forgotten", "gdpr", "purged", "supprime",
    "geloescht", "eliminado", "excluido", "unsub", "optout", "optedout", "abgemeldet", "desabonne",
    "desinscrit", "bounced", "listed", "suppressed",
)  # fmt: skip
# deleted@, deleted-user-12@, user_deleted_3f2a@, gdpr.removed@: nothing but such words, what they
# are about, numbers and hashes.
_ACCOUNTS = frozenset((
    "user", "users", "account", "accounts", "member", "subscriber", "contact", "email", "mail",
    "reader", "profile", "person", "request",
))  # fmt: skip
_ABOUT = _ACCOUNTS | {"at", "by", "me", "the"}
# What programs write for a value that is not there, and people for an address that they have not.
_NOTHING = frozenset(("undefined", "null", "none", "nan", "nil", "na", "noemail", "nomail"))
_NOBODYS = frozenset((
    "undefined", "noemail", "nomail", "no-email", "no-mail", "no_email", "no.email", "keinemail",
    "keine-email", "sinemail", "sincorreo", "pasdemail", "semail", "sememail",
))  # fmt: skip
_HEXADECIMAL = frozenset("0123456789abcdef")
_SEPARATORS = str.maketrans("_.+~", "----")
# deleted_2021 may be somebody's name for a mailbox; a longer number is one of an account.
_LONG_NUMBER, _LONG_CODE = 4, 6


def placeholder_reason(email: str) -> str:
    """Return why no person has this address; empty if somebody may have it.

    A service has put it in place of a deleted one, or has marked it, or a program has written
    “undefined” for want of one.
    """
    local, _, domain = email.lower().rpartition("@")
    if reason := _reason_of_domain(domain):
        return reason
    if local in _NOBODYS or (local in _NOTHING and domain.split(".")[0] in _NOTHING):
        return NOBODY
    for stem in _STEMS:
        if stem in local:
            return _reason_of_local(local)
    return ""


@lru_cache(maxsize=50_000)
def _reason_of_domain(domain: str) -> str:
    if domain in _DOMAINS or domain.endswith(tuple(f".{one}" for one in _DOMAINS)):
        return DELETED
    labels = domain.split(".")
    if labels[0] in _DOMAIN_LABELS or labels[-1] in _DELETED_ENDS:
        return DELETED
    return LEFT if labels[-1] in _LEFT_ENDS or labels[0] == "unsubscribed" else ""


def _reason_of_local(local: str) -> str:
    parts = local.translate(_SEPARATORS).split("-")
    if len(parts) > 1 and not _LEFT_MARKS.isdisjoint((parts[0], parts[-1])):
        return LEFT
    mailbox, _, tag = local.partition("+")
    if tag in _DELETED_WORDS or (tag and _is_deleted(mailbox.translate(_SEPARATORS).split("-"))):
        return DELETED
    return DELETED if _is_deleted(parts) or _has_deleted_number(parts) else ""


def _is_deleted(parts: list[str]) -> bool:
    """Return whether the parts say that something is deleted, and nothing else."""
    if any(_is_deletion(part) for part in parts):
        return all(
            not part or part in _ABOUT or part in _WEAK_WORDS or _is_deletion(part)
            or _is_code(part)
            for part in parts
        )  # fmt: skip
    rest = [part for part in parts if part and part not in _WEAK_WORDS]
    return len(rest) < len(parts) and all(
        part in _ACCOUNTS or (len(part) >= _LONG_CODE and _is_code(part)) for part in rest
    )


def _has_deleted_number(parts: list[str]) -> bool:
    """Return whether a number follows or precedes a word of deletion: ann_deleted_12345."""
    return any(
        (_is_deletion(one) and _is_number(other)) or (_is_number(one) and _is_deletion(other))
        for one, other in pairwise(parts)
    )


def _is_deletion(part: str) -> bool:
    return part.rstrip("0123456789") in _DELETED_WORDS


def _is_number(part: str) -> bool:
    return part.isdecimal() and len(part) >= _LONG_NUMBER


def _is_code(part: str) -> bool:
    has_digit = any(c.isdigit() for c in part)
    return has_digit and (len(part) >= 8 or set(part) <= _HEXADECIMAL)
