"""The catalogue of newsletters, and who subscribed to them with what consent."""

from subscribers.models.api_tokens import ApiReceipt, ApiToken, Scope
from subscribers.models.catalogue import Newsletter, Section
from subscribers.models.consent import Consent, Suppression
from subscribers.models.fields import IllegalMove, one_line, validate_timezone
from subscribers.models.growth import GrowthDay, GrowthMark
from subscribers.models.imports import ImportJob, ImportRefusal
from subscribers.models.reader_requests import AddressChange, RequestedMail
from subscribers.models.readers import Subscriber, Subscription
from subscribers.models.webhooks import Event, Webhook, WebhookAttempt, WebhookDelivery

__all__ = [
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
    "one_line",
    "validate_timezone",
]
