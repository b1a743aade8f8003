"""Describe a reader's data export in plain language, for the reader to read and staff to print."""

from __future__ import annotations

import datetime
import zoneinfo
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import get_language_info, gettext
from django.utils.translation import gettext_lazy as _

from subscribers.i18n import timezones
from subscribers.models import Subscription

# How many of the newest deliveries the page shows; the JSON file has all of them.
DELIVERIES_SHOWN = 100

# Tables show an em dash where there is nothing.
NOTHING = "—"

MAIL_OUTCOMES = {
    "": "pending", "sent": "sent", "refused": "failed", "given-up": "failed",
}  # fmt: skip

# The text shown for each stored value. A value that is not listed is shown as it is.
LABELS: dict[str, dict[str, str | Promise]] = {
    "status": {
        "pending": _("waiting for your confirmation"),
        "active": _("subscribed"),
        "unsubscribed": _("unsubscribed"),
    },
    "frequency": {
        "daily": _("every edition"),
        "weekdays": _("Monday to Friday"),
        "weekly": _("the best of the week, once a week"),
    },
    "wants_extras": {
        "yes": _("As it happens, at any hour"),
        "no": _("Only in the usual editions"),
    },
    "ended_why": {
        "too-many": _("too many mails"),
        "not-for-me": _("not what you expected"),
        "never-asked": _("you never signed up"),
        "elsewhere": _("you read the news elsewhere"),
        "other": _("something else"),
    },
    "kind": {
        "signup": _("You signed up"),
        "confirmation": _("You confirmed"),
        "import": _("The newsroom added you from a list"),
        "change": _("You changed something"),
        "withdrawal": _("You left"),
    },
    "delivery": {
        "pending": _("waiting"),
        "sending": _("on its way"),
        "sent": _("sent"),
        "failed": _("could not be delivered"),
        "skipped": _("not sent to you"),
        "uncertain": _("sent, with no answer from your mail server"),
    },
    # Requested mails are called by their subjects. Their outcomes are described under "delivery".
    "requested_mail": {
        "link": _("Your link to your preferences"),
        "data": _("Your link to your data"),
        "old-address": _("Please confirm your new address"),
        "new-address": _("Please confirm this address"),
    },
    "suppression": {
        "bounce": _("mail to it came back"),
        "complaint": _("a mail from us was reported as spam"),
        "manual": _("the newsroom was asked to send nothing"),
        "import": _("it had unsubscribed before, by a list we imported"),
        "erased": _("it was erased"),
    },
    "field": {
        "muted_sections": _("Sections you do not want"),
        "frequency": _("How often"),
        "preferred_time": _("Hour"),
        "wants_extras": _("Breaking news"),
        "paused_until": _("Paused until"),
        "language": _("Language"),
        "timezone": _("Time zone"),
        "email": _("Address"),
        "email_wanted": _("New address, asked for"),
        "old_address_agreed": _("New address, agreed to at the old one"),
        "new_address_agreed": _("New address, agreed to at the new one"),
        "name": _("Name"),
        "status": _("State"),
        "ended_why": _("Why you left"),
        "reader": _("Number of your record"),
        "signed_up_at": _("Signed up"),
        "confirmed_at": _("Confirmed"),
        "moved_to": _("Replaced by the subscription with the number"),
    },
}


def context(contents: dict[str, Any]) -> dict[str, Any]:
    """Return the context of subscribers/data_export.html for a result of `data_export.gather`."""
    deliveries = contents.get("deliveries", [])
    return {
        "person": contents["person"],
        "language_name": _language(contents["person"]["language"]),
        "subscriptions": [_subscription(row) for row in contents["subscriptions"]],
        "consents": [_consent(row) for row in contents["consents"]],
        "suppression": _suppression(contents["suppression"]),
        "address_changes": contents["address_changes"],
        "requested_mails": [_requested_mail(row) for row in contents["requested_mails"]],
        "subscription_mails": [_subscription_mail(row) for row in contents["subscription_mails"]],
        "deliveries": [
            row | {"outcome": _label("delivery", row["status"])}
            for row in deliveries[:DELIVERIES_SHOWN]
        ],
        "older_deliveries": max(0, len(deliveries) - DELIVERIES_SHOWN),
        "webhook_deliveries": contents.get("told_to_other_programs", []),
        "network_days": settings.RETENTION_NETWORK_DAYS,
        "network_years": _years(settings.RETENTION_NETWORK_DAYS),
        "left_days": settings.RETENTION_INACTIVE_DAYS,
        "left_years": _years(settings.RETENTION_INACTIVE_DAYS),
    }


def zone_of(subscription: Subscription) -> zoneinfo.ZoneInfo:
    """Return the time zone of the page's times: the reader's, or else the newsroom's."""
    return timezones.first_valid(subscription.subscriber.timezone, subscription.newsletter.timezone)


def _language(code: str) -> str:
    """Return the language's own name, or the code if it has none: an import may bring any code."""
    try:
        return str(get_language_info(code)["name_local"]) if code else ""
    except KeyError:
        return code


def _subscription(row: dict[str, Any]) -> dict[str, Any]:
    return row | {
        "status": _label("status", row["status"]),
        "frequency": _label("frequency", row["frequency"]),
        "wants_extras": _label("wants_extras", "yes" if row["wants_extras"] else "no"),
        "ended_why": row["ended_why"] and _label("ended_why", row["ended_why"]),
    }


def _consent(row: dict[str, Any]) -> dict[str, Any]:
    changes, evidence = [], []
    for name, value in row["details"].items():
        field = _label("field", name)
        if isinstance(value, dict) and set(value) == {"from", "to"}:
            texts = [_value_label(name, value[side]) for side in ("from", "to")]
            changes.append({"field": field, "from": texts[0], "to": texts[1]})
        else:
            evidence.append({"field": field, "value": _value_label(name, value)})
    return row | {
        "title": _label("kind", row["kind"]),
        "changes": changes,
        "evidence": evidence,
    }


def _requested_mail(row: dict[str, Any]) -> dict[str, Any]:
    outcome = MAIL_OUTCOMES.get(row["outcome"], "skipped")
    return row | {
        "kind": _label("requested_mail", row["kind"]),
        "outcome": _label("delivery", outcome),
    }


def _subscription_mail(row: dict[str, Any]) -> dict[str, Any]:
    name = row["newsletter"]
    # Mails are called by their subjects.
    titles = {
        "confirm": gettext("Please confirm: %(name)s") % {"name": name},
        "reminder": gettext("Still waiting for your click: %(newsletter)s") % {"newsletter": name},
        "welcome": gettext("Welcome to %(newsletter)s") % {"newsletter": name},
    }
    return row | {"title": titles[row["kind"]], "outcome": _label("delivery", row["status"])}


def _years(days: int) -> int:
    """Return the whole years that a number of days is, or 0 if it is none: 1095 is three."""
    return 0 if days % 365 else days // 365


def _suppression(row: dict[str, Any] | None) -> dict[str, Any] | None:
    """Mark an erasure: it stops no mail to a reader who signed up again.

    See suppression.is_suppressed.
    """
    return row and row | {
        "reason": _label("suppression", row["reason"]),
        "was_erased": row["reason"] == "erased",
    }


def _value_label(name: str, value: Any) -> str | Promise | datetime.datetime | datetime.time:
    """Return a value of the ledger as a person would write it.

    A time is returned as such: the template writes it in the page's language and time zone.
    """
    if isinstance(value, list):
        return ", ".join(map(str, value)) or NOTHING
    if value in (None, "", {}):
        return NOTHING
    return _time(str(value)) or _label(name, str(value))


def _time(value: str) -> datetime.datetime | datetime.time | None:
    """Return what the ledger holds in ISO 8601: a moment with its offset, or an hour of the day."""
    if ":" not in value:
        return None
    with suppress(ValueError):
        return datetime.time.fromisoformat(value)
    with suppress(ValueError):
        moment = datetime.datetime.fromisoformat(value)
        return moment if moment.tzinfo else None
    return None


def _label(table: str, value: str) -> str | Promise:
    return LABELS.get(table, {}).get(value, value)
