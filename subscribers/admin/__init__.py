"""The part of the admin that is about newsletters and their readers: one module per page."""

from subscribers.admin import (
    access,
    catalogue,
    consent,
    growth,
    imports,
    readers,
    suppression,
    webhooks,
)

__all__ = [
    "access",
    "catalogue",
    "consent",
    "growth",
    "imports",
    "readers",
    "suppression",
    "webhooks",
]
