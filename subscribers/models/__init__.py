"""The catalogue of newsletters, and who subscribed to them with what consent."""

from subscribers.models.catalogue import Newsletter, Section
from subscribers.models.consent import Consent, Suppression
from subscribers.models.fields import IllegalMove, one_line, validate_timezone
from subscribers.models.moving import AddressChange, Letter
from subscribers.models.readers import Subscriber, Subscription

__all__ = [
    "AddressChange",
    "Consent",
    "IllegalMove",
    "Letter",
    "Newsletter",
    "Section",
    "Subscriber",
    "Subscription",
    "Suppression",
    "one_line",
    "validate_timezone",
]
