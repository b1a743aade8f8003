"""The part of the admin that is about newsletters and their readers.

newsletters       newsletters and their sections
embedding         builds the snippet for another site
readers           readers and their subscriptions
reader_requests   what a reader requested by mail
privacy           exports or erases one reader's data
exports           exports readers as CSV
imports           imports: upload, map, try, import, watch
import_forms      their forms
import_panel      what their page shows
import_questions  asks what a list leaves open
consent           the ledger of consent, read-only
suppression       addresses that get no mail
growth            who came and who left
api_tokens        API tokens
webhooks          webhooks and their log
read_only         classes for records that nobody changes
large_tables      lists of tables of millions of rows
labels            what labels say, and their colours
"""

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
