"""Remove erased people's addresses from the refused rows of lists."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from subscribers.addresses.address import compare_key
from subscribers.addresses.mentions import addresses_in
from subscribers.consent import suppression
from subscribers.models import ImportRefusal
from subscribers.models.imports import UNUSUAL
from subscribers.transfer.spreadsheet import Refusal

_CHUNK_ROWS = 2000


def anonymise_refusals(addresses: Collection[str]) -> None:
    """Delete an erased person's addresses from the stored refusals, however the list wrote them.

    A refused row holds what stood in the list: often no plain address, which is why it was refused.
    """
    keys = {compare_key(address) for address in addresses}
    for address in addresses:
        ImportRefusal.objects.filter(email__iexact=address).update(email="")
    unusual = ImportRefusal.objects.filter(UNUSUAL).order_by()
    rows = unusual.values_list("pk", "email").iterator(chunk_size=_CHUNK_ROWS)
    found = [pk for pk, text in rows if not keys.isdisjoint(addresses_in(text))]
    ImportRefusal.objects.filter(pk__in=found).update(email="")


def without_erased(refusals: Iterable[Refusal]) -> list[Refusal]:
    """Return the refusals, without the text of those that hold an erased person's address."""
    named = [(refusal, addresses_in(refusal.email)) for refusal in refusals]
    all_keys = {key for _, keys in named for key in keys}
    erased = suppression.erased_among(all_keys) if all_keys else {}
    return [
        refusal if erased.keys().isdisjoint(keys) else refusal._replace(email="")
        for refusal, keys in named
    ]
