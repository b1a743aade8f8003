"""Erase a person, and keep only what stops an import from writing to them again."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import partial

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from subscribers import signals
from subscribers.addresses.address import compare_key
from subscribers.addresses.mentions import addresses_in
from subscribers.consent import guard, merged, suppression
from subscribers.models import AddressChange, Consent, RequestedMail, Subscriber, Subscription
from subscribers.reports import growth
from subscribers.transfer.refusals import anonymise_refusals
from subscribers.webhooks.erasure import notify_erased

Status = Subscription.Status

AT_READERS_REQUEST = "at the reader's request"


def erase(*, subscriber_id: int, now: datetime, why: str = AT_READERS_REQUEST) -> bool:
    """Empty the reader's row and delete their consent records; they get no more mail.

    The rows of the reader and the subscriptions stay, without any personal data, so that deliveries
    can still be counted. Suppression keeps a keyed hash of the address, so no import brings the
    reader back. They themselves may sign up again, as a new reader.

    Returns:
        Whether there was somebody to erase. A second call changes nothing.

    Raises:
        Subscriber.DoesNotExist: no such reader.
    """
    with transaction.atomic():
        suppression.block_imports()
        subscriber = _locked(subscriber_id)
        if subscriber.erased_at:
            return False
        addresses = _addresses(subscriber)
        for address in addresses:
            suppression.replace_by_hash(email=address, detail=why, now=now)
        anonymise_refusals(addresses)
        _count_growth(subscriber, now)
        states = _end_subscriptions(subscriber, now)
        ids = list(states)
        with guard.erasing():
            Consent.objects.filter(subscription__in=ids).delete()
        AddressChange.objects.filter(subscriber=subscriber).delete()
        _delete_requests(addresses)
        _anonymise_admin_log(addresses, subscriber, ids)
        _empty(subscriber, now)
        signals.subscriber_erased.send(
            sender=Subscriber, subscriber_id=subscriber_id, subscription_ids=ids, now=now
        )
        _notify(states, subscriber.email, now)
        replaced = merged.replaced_by(ids).values_list("subscriber", flat=True)
        for merged_id in sorted(set(replaced)):
            erase(subscriber_id=merged_id, now=now, why=why)
    return True


def erase_address(*, email: str, now: datetime, why: str = AT_READERS_REQUEST) -> bool:
    """Erase the reader at the address, if there is one. Imports leave it out in either case.

    Returns:
        Whether there was a reader.
    """
    found = Subscriber.objects.filter(email_key=compare_key(email)).values_list("pk", flat=True)
    with transaction.atomic():
        suppression.block_imports()  # an import may be adding them now
        if subscriber_id := found.first():
            return erase(subscriber_id=subscriber_id, now=now, why=why)
        suppression.replace_by_hash(email=email, detail=why, now=now)
        anonymise_refusals([email])
        _delete_requests({email})
        _anonymise_admin_log({email})
    return False


def _locked(subscriber_id: int) -> Subscriber:
    """Lock the reader's subscriptions and then the reader, in the order of preferences.locks."""
    theirs = Subscription.objects.filter(subscriber=subscriber_id).order_by("pk")
    list(theirs.select_for_update().values_list("pk"))
    return Subscriber.objects.select_for_update().get(pk=subscriber_id)


def _addresses(subscriber: Subscriber) -> set[str]:
    """Return the reader's present and earlier addresses: an old list may hold any of them."""
    changes = Consent.objects.filter(subscription__subscriber=subscriber, details__has_key="email")
    earlier = changes.values_list("details__email__from", flat=True)
    return {subscriber.email, *(address for address in earlier if isinstance(address, str))}


def _count_growth(subscriber: Subscriber, now: datetime) -> None:
    """Count the reader as a leaver, and count the records that are not counted yet."""
    for subscription in subscriber.subscriptions.select_related("newsletter").order_by(
        "newsletter"  # one order, so that two erasures at the same time cannot deadlock
    ):
        leaving = [subscription.pk] if subscription.status == Status.ACTIVE else []
        growth.count_before_deletion(
            newsletter=subscription.newsletter, ids=[subscription.pk], leaving=leaving, now=now
        )


def _end_subscriptions(subscriber: Subscriber, now: datetime) -> dict[int, str]:
    """End all subscriptions, and invalidate the links in old mails.

    What the statistics need is kept. The reader's preferences are not.

    Returns:
        The former status of each subscription.
    """
    subscriptions = Subscription.objects.filter(subscriber=subscriber)
    states = dict(subscriptions.order_by("pk").values_list("pk", "status"))
    subscriptions.update(
        status=Status.UNSUBSCRIBED,
        ended_at=Coalesce("ended_at", now),
        generation=F("generation") + 1,
        mail_due_at=None,
        muted_sections=[],
        paused_until=None,
        preferred_time=None,
        wants_extras=True,
        frequency=Subscription.Frequency.DAILY,
    )
    return states


def _notify(states: dict[int, str], email: str, now: datetime) -> None:
    """Signal each subscription that ended just now, and notify webhooks of all of them."""
    ended = partial(signals.subscription_ended.send, sender=Subscription, now=now)
    for subscription_id, status in states.items():
        if status != Status.UNSUBSCRIBED:
            transaction.on_commit(partial(ended, subscription_id=subscription_id))
        notify_erased(subscription_id=subscription_id, email=email, now=now)


def _delete_requests(addresses: set[str]) -> None:
    """Delete what was requested for these addresses, also another reader's change to one."""
    keys = [compare_key(address) for address in addresses]
    AddressChange.objects.filter(email_key__in=keys).delete()
    RequestedMail.objects.filter(email_key__in=keys).delete()


def _anonymise_admin_log(
    addresses: set[str],
    subscriber: Subscriber | None = None,
    subscription_ids: Collection[int] = (),
) -> None:
    """Replace the addresses in the admin's log, which calls each changed object by its name.

    A suppression, for example, is called by its address.
    """
    by_name = Q()
    for address in addresses:
        by_name |= Q(object_repr__icontains=address) | Q(change_message__icontains=address)
    keys = {compare_key(address) for address in addresses}
    named = [
        entry.pk
        for entry in LogEntry.objects.filter(by_name)
        if not keys.isdisjoint(addresses_in(f"{entry.object_repr} {entry.change_message}"))
    ]
    entries = LogEntry.objects.filter(pk__in=named)
    entries.update(object_repr="an erased reader", change_message="")
    if subscriber:
        types = ContentType.objects.get_for_models(Subscriber, Subscription)
        LogEntry.objects.filter(
            Q(content_type=types[Subscriber], object_id=str(subscriber.pk))
            | Q(content_type=types[Subscription], object_id__in=list(map(str, subscription_ids)))
        ).update(object_repr="an erased reader")


def _empty(subscriber: Subscriber, now: datetime) -> None:
    placeholder = f"erased-{subscriber.pk}@erased.invalid"  # RFC 2606: no mail ever goes there
    Subscriber.objects.filter(pk=subscriber.pk).update(
        email=placeholder,
        email_key=placeholder,
        mailbox="",
        email_as_typed="",
        name="",
        language="",
        timezone="",
        erased_at=now,
    )
