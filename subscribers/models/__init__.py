"""Newsletters, their readers, and what is recorded about both.

catalogue        newsletters and their sections
readers          readers, and what they subscribed to
consent          what they agreed to, and which addresses get no mail
reader_requests  changes of address and links, each with its mails
growth           counts that outlive the readers
imports          imports of lists, and the rows that were refused
webhooks         webhooks, their events and attempts
api_tokens       API tokens, and receipts of answered requests
fields           what several models have in common
"""

from subscribers.models.api_tokens import ApiReceipt, ApiToken, Scope
from subscribers.models.catalogue import Newsletter, Section
from subscribers.models.consent import Consent, Suppression
from subscribers.models.fields import (
    EARLIEST_TIME,
    LATEST_TIME,
    IllegalMove,
    is_storable_time,
    one_line,
    validate_time,
    validate_timezone,
)
from subscribers.models.growth import GrowthDay, GrowthMark
from subscribers.models.imports import ImportJob, ImportRefusal
from subscribers.models.reader_requests import AddressChange, RequestedMail
from subscribers.models.readers import Subscriber, Subscription
from subscribers.models.webhooks import Event, Webhook, WebhookAttempt, WebhookDelivery

__all__ = [
    "EARLIEST_TIME",
    "LATEST_TIME",
    "AddressChange",
    "ApiReceipt",
    "ApiToken",
    "Consent",
    "Event",
    "GrowthDay",
    "GrowthMark",
    "IllegalMove",
    "ImportJob",
    "ImportRefusal",
    "Newsletter",
    "RequestedMail",
    "Scope",
    "Section",
    "Subscriber",
    "Subscription",
    "Suppression",
    "Webhook",
    "WebhookAttempt",
    "WebhookDelivery",
    "is_storable_time",
    "one_line",
    "validate_time",
    "validate_timezone",
]
