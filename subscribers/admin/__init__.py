"""The part of the admin that is about newsletters and their readers: one module per page."""

from subscribers.admin import (
    api_tokens,
    consent,
    growth,
    imports,
    newsletters,
    readers,
    suppression,
    webhooks,
)

__all__ = [
    "api_tokens",
    "consent",
    "growth",
    "imports",
    "newsletters",
    "readers",
    "suppression",
    "webhooks",
]
