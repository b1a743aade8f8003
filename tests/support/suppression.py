"""What the suppression list says of some addresses."""

from __future__ import annotations

from subscribers.consent import suppression


def suppressed_among(addresses: list[str]) -> dict[str, str]:
    """Return the reasons of those addresses that are on the list, in plain or as a hash."""
    found = {address: suppression.entry_of(address) for address in addresses}
    return {address: entry.reason for address, entry in found.items() if entry}
