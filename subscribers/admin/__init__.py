"""The catalogue and its readers, as the desk sees them; one module per surface."""

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
