"""Keep the list of addresses that get no mail, whatever they subscribe to.

Of a reader who was erased only a keyed hash is on it (`erased_key`). It keeps imports from bringing
them back, says nothing to who reads the table, and does not stand in the reader's own way: they may
sign up again, and confirming takes it off. Where an address had been refused, complained about or
put on the list by hand before it was erased, its hash keeps that reason, and it gets no mail.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Collection
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet

from subscribers.addresses import compare_key
from subscribers.models import Event, Suppression
from subscribers.signatures import signing
from subscribers.webhooks.emit import emit_of_address

_ERASED = Suppression.Reason.ERASED
# These say what a reader wanted then: signing up and confirming says what they want now.
_TAKEN_BACK = [Suppression.Reason.ERASED, Suppression.Reason.IMPORT]
# No address begins so: what stands before the @-sign has no colon.
_PREFIX = "erased:"
# The advisory lock between an import's batch and an erasure.
_ERASING = "hashtextextended('subscribers.erasing', 0)"
# What the newsroom's own programs are told of; what it or an import did, it knows.
_EVENTS = {
    Suppression.Reason.BOUNCE: Event.BOUNCED,
    Suppression.Reason.COMPLAINT: Event.COMPLAINED,
}


def suppress(*, email: str, reason: str, detail: str = "", now: datetime) -> bool:
    """Put the address on the list; the first reason stays, but for one that lets sign-ups through.

    Of an address that was erased only the hash is there, and stays all there is: a bounce of what
    was under way then must not write it down again.

    Returns:
        Whether it keeps more mail away than before.
    """
    key = compare_key(email)
    hashed = Suppression.objects.filter(email_key__in=_hashes(key))
    if hashed.exists():
        return bool(hashed.filter(reason=_ERASED).update(reason=reason))
    with transaction.atomic():
        entry = {"reason": reason, "detail": detail[:300], "created_at": now}
        _, created = Suppression.objects.get_or_create(email_key=key, defaults=entry)
        if not created and reason not in _TAKEN_BACK:
            weaker = Suppression.objects.filter(email_key=key, reason__in=_TAKEN_BACK)
            created = bool(weaker.update(**entry))
        if created and (event := _EVENTS.get(Suppression.Reason(reason))):
            extra = {"detail": detail[:300]}
            emit_of_address(event=event, email_key=key, extra=extra, now=now)
    return created


def is_suppressed(email: str) -> bool:
    """Whether this address gets no mail, not even one to confirm.

    Having been erased does not count, nor having left a list before it was imported: whoever signs
    up again after that is welcome.
    """
    key = compare_key(email)
    found = Suppression.objects.filter(email_key__in=[key, *_hashes(key)])
    return found.exclude(reason__in=_TAKEN_BACK).exists()


def entry_of(email: str) -> Suppression | None:
    """What stands on the list of an address, in plain or as a hash (`is_hash`)."""
    key = compare_key(email)
    return Suppression.objects.filter(email_key__in=[key, *_hashes(key)]).first()


def is_hash(entry: Suppression) -> bool:
    return entry.email_key.startswith(_PREFIX)


def suppressed_among(keys: Collection[str]) -> dict[str, str]:
    """Those of the compare keys that no import may bring in, each with its Suppression.Reason.

    Erased readers count. Two queries, however many keys; the hashes are only made where there is
    one to compare them with.
    """
    wanted = list(keys)
    return erased_among(wanted) | dict(_reasons(Suppression.objects.filter(email_key__in=wanted)))


def erased_among(keys: Collection[str]) -> dict[str, str]:
    """Those of the compare keys of which only a hash is on the list, each with its reason."""
    if not _all_hashed().exists():
        return {}
    hashes = {hashed: key for key in keys for hashed in _hashes(key)}
    found = _reasons(Suppression.objects.filter(email_key__in=list(hashes)))
    return {hashes[hashed]: reason for hashed, reason in found}


def erased_key(email: str) -> str:
    """Return what stands in Suppression.email_key for an address that was erased."""
    return _hashes(compare_key(email))[0]


def conceal(*, email: str, detail: str = "", now: datetime) -> None:
    """Leave a hash where the address stood, with its reason; where it did not stand, a new one."""
    known = Suppression.objects.filter(email_key=compare_key(email))
    reason = known.values_list("reason", flat=True).first() or str(_ERASED)
    # What a server said about an address mostly repeats it.
    Suppression.objects.get_or_create(
        email_key=erased_key(email),
        defaults={"reason": reason, "detail": detail, "created_at": now},
    )
    known.delete()


def keep_erasures_waiting() -> None:
    """Let nobody be erased before this transaction, which stores an import's batch, is over.

    An import has looked who was erased before it stores; whoever is erased in between would be
    brought back. Imports do not wait for each other.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock_shared({_ERASING})")


def keep_imports_waiting() -> None:
    """Let no import store anything before this transaction, which erases somebody, is over.

    To be called before a row is locked: an import that has begun may need that row. It waits for
    the batch under way, about a second.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock({_ERASING})")


def lift_for_who_confirmed(email: str) -> bool:
    """Take a reader off the list who was erased, or left before, and came back; whether one was."""
    key = compare_key(email)
    found = Suppression.objects.filter(email_key__in=[key, *_hashes(key)])
    return bool(found.filter(reason__in=_TAKEN_BACK).delete()[0])


def _hashes(key: str) -> list[str]:
    """The hash that is stored now, and those of keys that were in use before."""
    secrets = settings.ERASURE_KEYS or [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [_hash(key, secret) for secret in secrets]


def _hash(key: str, secret: str) -> str:
    # 128 bits: with a key that nobody else has they cannot be tried out against a list.
    mac = signing("subscribers.suppression.erased", secret)(key.encode())[:16]
    return _PREFIX + urlsafe_b64encode(mac).decode().rstrip("=")


def _all_hashed() -> QuerySet[Suppression]:
    # LIKE 'erased:%', which the unique index answers, being of collation "C".
    return Suppression.objects.filter(email_key__startswith=_PREFIX)


def _reasons(rows: QuerySet[Suppression]) -> QuerySet[Suppression, tuple[str, str]]:
    return rows.values_list("email_key", "reason")
