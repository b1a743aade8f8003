"""Change a reader's address once the owners of both addresses have agreed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils.translation import gettext

from subscribers import signed_links
from subscribers.addresses.address import compare_key, normalise
from subscribers.addresses.mailbox import mailbox_of
from subscribers.addresses.screening import screen
from subscribers.consent import suppression
from subscribers.consent.record import NO_ORIGIN, Origin, record_consent
from subscribers.models import (
    AddressChange,
    Consent,
    Event,
    RequestedMail,
    Subscriber,
    Subscription,
)
from subscribers.preferences import requested_mail
from subscribers.preferences.locks import lock_readers
from subscribers.preferences.merging import merge, placeholder_address
from subscribers.signup import flow
from subscribers.webhooks.emit import emit_for_subscription

Status = AddressChange.Status
OLD, NEW = "old", "new"

# How many changes one reader may request on one day, and how many mails a mailbox gets on a day
# from the requests of all readers, that of a new address and the reader's own. The holder of a link
# must not be able to fill somebody's mailbox with it.
CHANGES_PER_DAY = 5
MAILS_PER_DAY = {RequestedMail.Kind.NEW_ADDRESS: 3, RequestedMail.Kind.OLD_ADDRESS: CHANGES_PER_DAY}
COOLDOWN = timedelta(minutes=5)


class SameAddress(ValueError):
    """The reader has this address already."""


class TooManyChanges(ValueError):
    """The reader has requested CHANGES_PER_DAY changes within a day."""


@dataclass(frozen=True)
class ChangeSide:
    """Where a change of address stands, seen from the side whose link was opened."""

    change: AddressChange
    side: str

    @property
    def agreed(self) -> bool:
        at = self.change.old_agreed_at if self.side == OLD else self.change.new_agreed_at
        return at is not None

    @property
    def done(self) -> bool:
        return self.change.status == Status.DONE


def button_sentence(change: AddressChange) -> str:
    """Return the sentence beside the button, which is the same on both sides."""
    return gettext("Yes, send these newsletters to %(email)s from now on.") % {
        "email": change.email
    }


def request_change(
    *,
    subscription_id: int,
    email: str,
    address_confirmed: bool = False,
    origin: Origin = NO_ORIGIN,
    now: datetime,
) -> AddressChange:
    """Request a change of address, and have both addresses mailed; the newest request counts.

    It makes no difference here whether the new address already belongs to a reader.

    Args:
        address_confirmed: the reader was asked about this address (BadAddress.may_insist) and
            confirmed it.

    Raises:
        BadAddress, SameAddress, TooManyChanges
    """
    address = normalise(email)
    screen(address, policy=flow.screening_policy(), confirmed=address_confirmed)
    key = compare_key(address)
    with transaction.atomic():
        subscription = Subscription.objects.select_related("newsletter").get(pk=subscription_id)
        reader = lock_readers(Q(pk=subscription.subscriber_id))[subscription.subscriber_id]
        if key == reader.email_key:
            raise SameAddress
        found = reader.address_changes.filter(status=Status.OPEN, email_key=key).first()
        if found and found.created_at > now - signed_links.CONFIRM_WITHIN:
            _request_mails(found, reader, now=now)
            return found
        change = _open(reader, address, email, now=now)
        _request_mails(change, reader, now=now)
        record_consent(
            subscription_id=subscription.pk,
            newsletter=subscription.newsletter,
            kind=Consent.Kind.CHANGE,
            origin=origin,
            details={"email_wanted": {"from": reader.email, "to": address}},
            seen=button_sentence(change),
            now=now,
        )
    return change


def cancel(*, change_id: int, now: datetime) -> bool:
    """Cancel the change, from either side or from the preferences; return whether it was open."""
    rows = AddressChange.objects.filter(pk=change_id, status=Status.OPEN)
    return bool(rows.update(status=Status.DROPPED, ended_at=now))


def cancel_open(*, subscriber_id: int, now: datetime) -> bool:
    """Cancel the reader's open change, if any; return whether there was one."""
    rows = AddressChange.objects.filter(subscriber=subscriber_id, status=Status.OPEN)
    return bool(rows.update(status=Status.DROPPED, ended_at=now))


def find_open(*, subscriber_id: int, now: datetime) -> AddressChange | None:
    """Return the reader's open change, if its links are still valid."""
    return AddressChange.objects.filter(
        subscriber=subscriber_id,
        status=Status.OPEN,
        created_at__gt=now - signed_links.CONFIRM_WITHIN,
    ).first()


def read_link(*, token: str, now: datetime) -> ChangeSide:
    """Return the change and the side that a link to agree stands for; store nothing.

    Raises:
        BadToken: it is not a link of ours, or the reader has been erased.
        ExpiredToken: it is too old, or its change has been cancelled.
    """
    change_id, side = signed_links.read_address_change(token, now=now)
    change = AddressChange.objects.select_related("subscriber").filter(pk=change_id).first()
    if change is None:
        raise signed_links.BadToken
    if change.status == Status.DROPPED:
        raise signed_links.ExpiredToken
    return ChangeSide(change, side)


def agree(*, token: str, origin: Origin = NO_ORIGIN, now: datetime) -> ChangeSide:
    """Record that one side agrees; once both have, change the address. Repeating it is harmless.

    Raises:
        BadToken, ExpiredToken: as in `read_link`.
    """
    change_side = read_link(token=token, now=now)
    with transaction.atomic():
        lock_readers(_both_readers(change_side.change))
        change = AddressChange.objects.select_for_update().filter(pk=change_side.change.pk).first()
        if change is None or change.status == Status.DROPPED:
            raise signed_links.ExpiredToken
        change_side = ChangeSide(change, change_side.side)
        if change_side.done or change_side.agreed:
            return change_side
        field = "old_agreed_at" if change_side.side == OLD else "new_agreed_at"
        setattr(change, field, now)
        change.save(update_fields=[field])
        _record_agreement(change_side, origin=origin, now=now)
        if change.old_agreed_at and change.new_agreed_at:
            _apply(change, origin=origin, now=now)
    return change_side


def _open(reader: Subscriber, address: str, typed: str, *, now: datetime) -> AddressChange:
    recent = reader.address_changes.filter(created_at__gt=now - timedelta(days=1))
    if recent.count() >= CHANGES_PER_DAY:
        raise TooManyChanges
    reader.address_changes.filter(status=Status.OPEN).update(status=Status.DROPPED, ended_at=now)
    return AddressChange.objects.create(
        subscriber=reader,
        email=address,
        email_key=compare_key(address),
        email_as_typed=typed if typed != address else "",
        created_at=now,
    )


def _request_mails(change: AddressChange, reader: Subscriber, *, now: datetime) -> None:
    kinds = {
        reader.email_key: RequestedMail.Kind.OLD_ADDRESS,
        change.email_key: RequestedMail.Kind.NEW_ADDRESS,
    }
    # Always in the same order, so that two transactions cannot deadlock.
    for key in sorted(kinds, key=mailbox_of):
        requested_mail.lock_mailbox(key)
        kind = kinds[key]
        today = requested_mail.requested_today(kind, key, now=now)
        if today.filter(change=change, asked_at__gt=now - COOLDOWN).exists():
            continue  # this very mail was requested a moment ago
        if requested_mail.not_refused(today).count() >= MAILS_PER_DAY[kind]:
            requested_mail.record_refusal(kind=kind, email_key=key, change=change, now=now)
        else:
            requested_mail.submit(kind=kind, email_key=key, change=change, due_at=now, now=now)


def _record_agreement(change_side: ChangeSide, *, origin: Origin, now: datetime) -> None:
    reader = change_side.change.subscriber
    subscriptions = reader.subscriptions.select_related("newsletter").order_by("pk")
    if (subscription := subscriptions.first()) is None:
        return
    details = {
        f"{change_side.side}_address_agreed": {"from": reader.email, "to": change_side.change.email}
    }
    record_consent(
        subscription_id=subscription.pk,
        newsletter=subscription.newsletter,
        kind=Consent.Kind.CHANGE,
        origin=origin,
        details=details,
        seen=button_sentence(change_side.change),
        now=now,
    )


def _apply(change: AddressChange, *, origin: Origin, now: datetime) -> None:
    """Change the address, and record it for each newsletter."""
    before = change.subscriber.email
    try:
        with transaction.atomic():
            reader = _set_address(change, origin=origin, now=now)
    except IntegrityError:  # somebody signed up with the new address at this very moment
        reader = _set_address(change, origin=origin, now=now)
    # Whoever agrees at an address reads it, even if it was erased at their wish before.
    suppression.lift_after_confirmation(change.email)
    for subscription in reader.subscriptions.select_related("newsletter").order_by("pk"):
        record_consent(
            subscription_id=subscription.pk,
            newsletter=subscription.newsletter,
            kind=Consent.Kind.CHANGE,
            origin=origin,
            details={"email": {"from": before, "to": change.email}},
            seen=button_sentence(change),
            now=now,
        )
    change.status, change.ended_at = Status.DONE, now
    change.save(update_fields=["status", "ended_at"])


def _set_address(change: AddressChange, *, origin: Origin, now: datetime) -> Subscriber:
    """Give the reader the new address; a reader who already has it is merged with this one."""
    readers = lock_readers(_both_readers(change))
    reader = readers.pop(change.subscriber_id)
    before = (reader.email, reader.email_key, reader.email_as_typed)
    remaining: Subscriber | None = None
    ended: list[Subscription] = []
    _invalidate_confirmation_links(reader)
    for other in readers.values():
        remaining, ended = merge(reader=reader, other=other, origin=origin, now=now)
    if remaining:
        placeholder = placeholder_address(remaining.pk)
        _store_address(remaining, placeholder, placeholder, "")
    _store_address(reader, change.email, change.email_key, change.email_as_typed)
    if remaining:
        _store_address(remaining, *before)
    for subscription in ended:
        # Only now, because the event must name the former address: that one gets no more mail.
        extra = {"moved_to": subscription.moved_to_id}
        emit_for_subscription(
            event=Event.UNSUBSCRIBED, subscription_id=subscription.pk, extra=extra, now=now
        )
    return reader


def _invalidate_confirmation_links(reader: Subscriber) -> None:
    """Invalidate the confirmation links that were sent to the former address.

    Whoever reads the former address must not confirm for the new one, because the page after the
    confirmation links to the preferences. An outdated link offers a fresh one, which goes to the
    new address.
    """
    waiting = reader.subscriptions.filter(status=Subscription.Status.PENDING)
    waiting.update(generation=F("generation") + 1)


def _both_readers(change: AddressChange) -> Q:
    return Q(pk=change.subscriber_id) | Q(email_key=change.email_key)


def _store_address(reader: Subscriber, email: str, key: str, typed: str) -> None:
    reader.email, reader.email_key, reader.email_as_typed = email, key, typed
    reader.mailbox = mailbox_of(key)
    reader.save(update_fields=["email", "email_key", "mailbox", "email_as_typed"])
