"""Recognise the addresses that services write for accounts that were deleted."""

from __future__ import annotations

from functools import lru_cache

# Substack moves the address of whoever asks for erasure to deletion-request.substack.com
# (TryGhost/migrate, pull request 148). RFC 2606 reserves .invalid.
_DOMAINS = ("deletion-request.substack.com", "invalid")
_DOMAIN_LABELS = frozenset((
    "deleted", "removed", "anonymized", "anonymised", "anonymous", "redacted", "erased",
    "forgotten", "deletion-request", "deleted-user", "deleted-users", "deleteduser", "gdpr-deleted",
))  # fmt: skip
_WORDS = (
    "deleted", "deletion", "removed", "anonymized", "anonymised", "anonymous", "anonym", "redacted",
    "erased", "forgotten", "gdpr", "purged", "supprime", "geloescht", "eliminado", "excluido",
)  # fmt: skip
# What one of these words is recognised by, at a look.
_STEMS = (
    "delet", "remove", "anonym", "redact", "erased", "forgotten", "gdpr", "purged", "supprime",
    "geloescht", "eliminado", "excluido",
)  # fmt: skip
# deleted@, deleted-user-12@, user_deleted_3f2a@, gdpr.removed@: nothing but such words, what they
# are about, numbers and hashes.
_ABOUT = frozenset((
    "user", "users", "account", "accounts", "member", "subscriber", "contact", "email", "mail",
    "request", "at", "by", "me", "the", "reader", "profile", "person",
))  # fmt: skip
_HEXADECIMAL = frozenset("0123456789abcdef")
_SEPARATORS = str.maketrans("_.+~", "----")


def is_placeholder(email: str) -> bool:
    """Return whether no person has this address: a service has put it in place of a deleted one."""
    local, _, domain = email.lower().rpartition("@")
    if _is_domain_of_nobody(domain):
        return True
    for stem in _STEMS:
        if stem in local:
            break
    else:
        return False
    parts = local.translate(_SEPARATORS).split("-")
    return any(_is_deleted(part) for part in parts) and all(
        not part or part in _ABOUT or _is_deleted(part) or _is_code(part) for part in parts
    )


@lru_cache(maxsize=50_000)
def _is_domain_of_nobody(domain: str) -> bool:
    if domain in _DOMAINS or domain.endswith(tuple(f".{one}" for one in _DOMAINS)):
        return True
    return domain.split(".")[0] in _DOMAIN_LABELS


def _is_deleted(part: str) -> bool:
    word = part.rstrip("0123456789")
    return word in _WORDS or word in ("deleteduser", "removeduser", "userdeleted", "deletedaccount")


def _is_code(part: str) -> bool:
    has_digit = any(c.isdigit() for c in part)
    return has_digit and (len(part) >= 8 or set(part) <= _HEXADECIMAL)
