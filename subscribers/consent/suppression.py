"""Keep the list of addresses that get no mail, whatever they subscribe to.

For a reader who was erased, the list has only a keyed hash (`erased_key`):
- It stops imports from bringing the reader back.
- It tells nothing to somebody who reads the table.
- It does not stop the reader: they may sign up again, and confirming removes the hash.
- An address may have bounced, complained or been listed by hand before it was erased. Its hash
  keeps that reason, and the address gets no mail.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Collection
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet

from subscribers.addresses.address import compare_key
from subscribers.models import Event, Suppression
from subscribers.plumbing.signing import hmac_signer
from subscribers.webhooks.emit import emit_for_address

_ERASED = Suppression.Reason.ERASED
# These reasons say what a reader once wanted. Signing up and confirming says what they want now.
_LIFTED_BY_CONFIRMATION = [Suppression.Reason.ERASED, Suppression.Reason.IMPORT]
# No address begins with this: there is no colon before an @-sign.
_PREFIX = "erased:"
# The advisory lock between an import's batch and an erasure.
_ERASING = "hashtextextended('subscribers.erasing', 0)"
# The reasons that webhooks are notified of. The newsroom knows already what it did or imported.
_EVENTS = {
    Suppression.Reason.BOUNCE: Event.BOUNCED,
    Suppression.Reason.COMPLAINT: Event.COMPLAINED,
}


def suppress(*, email: str, reason: str, detail: str = "", now: datetime) -> bool:
    """Put the address on the list. The first reason stays, unless it lets sign-ups through.

    For an address that was erased, the hash stays the only entry: a bounce of a mail that was under
    way must not store the address again.

    Returns:
        Whether the list stops more mail to the address than before.
    """
    key = compare_key(email)
    hashed = Suppression.objects.filter(email_key__in=_hashes(key))
    if hashed.exists():
        return bool(hashed.filter(reason=_ERASED).update(reason=reason))
    with transaction.atomic():
        entry = {"reason": reason, "detail": detail[:300], "created_at": now}
        _, created = Suppression.objects.get_or_create(email_key=key, defaults=entry)
        if not created and reason not in _LIFTED_BY_CONFIRMATION:
            weaker = Suppression.objects.filter(email_key=key, reason__in=_LIFTED_BY_CONFIRMATION)
            created = bool(weaker.update(**entry))
        if created and (event := _EVENTS.get(Suppression.Reason(reason))):
            extra = {"detail": detail[:300]}
            emit_for_address(event=event, email_key=key, extra=extra, now=now)
    return created


def is_suppressed(email: str) -> bool:
    """Tell whether this address gets no mail, not even one to confirm.

    Two reasons do not count: that the reader was erased, and that they had left a list before it
    was imported. A reader who signs up again after that is welcome.
    """
    key = compare_key(email)
    found = Suppression.objects.filter(email_key__in=[key, *_hashes(key)])
    return found.exclude(reason__in=_LIFTED_BY_CONFIRMATION).exists()


def entry_of(email: str) -> Suppression | None:
    """Return the entry of an address, which is stored in plain or as a hash (`is_hash`)."""
    key = compare_key(email)
    return Suppression.objects.filter(email_key__in=[key, *_hashes(key)]).first()


def is_hash(entry: Suppression) -> bool:
    return entry.email_key.startswith(_PREFIX)


def erased_among(keys: Collection[str]) -> dict[str, str]:
    """Return those of the compare keys that are on the list only as a hash, with their reasons.

    It takes two queries, however many keys there are, or one if the list has no hashes. Only with
    hashes are the keys hashed.
    """
    if not _all_hashed().exists():
        return {}
    hashes = {hashed: key for key in keys for hashed in _hashes(key)}
    found = _reasons(Suppression.objects.filter(email_key__in=list(hashes)))
    return {hashes[hashed]: reason for hashed, reason in found}


def erased_key(email: str) -> str:
    """Return what stands in Suppression.email_key for an address that was erased."""
    return _hashes(compare_key(email))[0]


def replace_by_hash(*, email: str, detail: str = "", now: datetime) -> None:
    """Replace the address by its hash, with its reason; add a hash if it was not on the list."""
    known = Suppression.objects.filter(email_key=compare_key(email))
    reason = known.values_list("reason", flat=True).first() or str(_ERASED)
    # The old detail is dropped: what a server said about an address mostly repeats the address.
    Suppression.objects.get_or_create(
        email_key=erased_key(email),
        defaults={"reason": reason, "detail": detail, "created_at": now},
    )
    known.delete()


def block_erasures() -> None:
    """Make erasures wait for the end of this transaction, which stores an import's batch.

    An import looks up who was erased before it stores its batch. A reader who is erased in between
    would be brought back. Imports do not wait for each other.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock_shared({_ERASING})")


def block_imports() -> None:
    """Make imports wait for the end of this transaction, which erases somebody.

    Call it before any row is locked: an import that has begun may need that row. It waits for the
    batch under way, about a second.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock({_ERASING})")


def lift_after_confirmation(email: str) -> bool:
    """Remove the entry of a reader who had been erased or had left; return whether it was there."""
    key = compare_key(email)
    found = Suppression.objects.filter(email_key__in=[key, *_hashes(key)])
    return bool(found.filter(reason__in=_LIFTED_BY_CONFIRMATION).delete()[0])


def _hashes(key: str) -> list[str]:
    """Return the hash by the present key first, and then those by keys that were in use before."""
    secrets = settings.ERASURE_KEYS or [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [_hash(key, secret) for secret in secrets]


def _hash(key: str, secret: str) -> str:
    # The salt is no module's name and must not change, or imports would bring erased readers back.
    # 128 bits. Nobody else has the key, so nobody can try a list of addresses against the hashes.
    mac = hmac_signer("subscribers.suppression.erased", secret)(key.encode())[:16]
    return _PREFIX + urlsafe_b64encode(mac).decode().rstrip("=")


def _all_hashed() -> QuerySet[Suppression]:
    # This is LIKE 'erased:%'. The unique index answers it, since its collation is "C".
    return Suppression.objects.filter(email_key__startswith=_PREFIX)


def _reasons(rows: QuerySet[Suppression]) -> QuerySet[Suppression, tuple[str, str]]:
    return rows.values_list("email_key", "reason")
