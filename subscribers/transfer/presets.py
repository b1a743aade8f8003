"""What the columns of a list mean, if it is ours, one of seven other services, or anybody's."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Field(StrEnum):
    """What is read from a row; the value is the name of the column on the command line."""

    EMAIL = "email"
    NAME = "name"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    LANGUAGE = "language"
    TIMEZONE = "timezone"
    STATUS = "status"
    SIGNED_UP_AT = "signed_up_at"
    SIGNED_UP_IP = "signed_up_ip"
    CONFIRMED_AT = "confirmed_at"
    CONFIRMED_IP = "confirmed_ip"
    LEFT_AT = "left_at"
    WHY = "why"


class RowKind(StrEnum):
    """What a row says about a person."""

    READER = "reader"
    UNCONFIRMED = "unconfirmed"  # signed up and never confirmed: not a reader yet
    UNSUBSCRIBED = "left"
    CLEANED = "cleaned"
    COMPLAINED = "complained"
    BLOCKED = "blocked"


@dataclass(frozen=True)
class Preset:
    r"""The format of one service's export.

    - `columns`: the names in its header for each field, compared without case.
    - `known_headers`: sets of names. A header that has all names of one set is this service's.
    - `statuses`: what the values of its status column mean.
    - `default_kind`: what every row of the file is, if no column says it of any.
    - `no_signs`: names of columns that sound as if they said who left, and do not. Each is written
      in lower case, without marks.
    - `has_backslashes`: a quotation mark within a value is written \", and not "" as in CSV.
    - `lenient`: a time zone or language that we do not know is left out. A service has its own
      codes for them, which is no reader's fault.
    """

    name: str
    label: str
    columns: Mapping[Field, tuple[str, ...]]
    known_headers: tuple[frozenset[str], ...] = ()
    statuses: Mapping[str, RowKind] = field(default_factory=dict)
    default_kind: RowKind = RowKind.READER
    no_signs: frozenset[str] = frozenset()
    has_backslashes: bool = False
    lenient: bool = True

    @property
    def service(self) -> str:
        """The service that made the export; empty if we do not know it."""
        return "" if self.name == "daybreak" else self.label.partition(",")[0]


def _header_names(*names: str) -> frozenset[str]:
    return frozenset(names)


def _mailchimp_headers(*names: str) -> tuple[frozenset[str], ...]:
    """Return the names with each pair of columns that Mailchimp's users cannot rename."""
    pairs = (("member_rating", "optin_time"), ("leid", "euid"), ("optin_time", "confirm_time"))
    return tuple(frozenset((*names, *pair)) for pair in pairs)


# The names that other lists give these fields, as far as they cannot mean anything else.
_USUAL_NAMES: dict[Field, tuple[str, ...]] = {
    Field.EMAIL: (
        "email", "e-mail", "mail", "email address", "e-mail address", "subscriber",
        "e-mail-adresse", "emailadresse", "adresse e-mail", "courriel", "correo",
        "correo electrónico", "dirección de correo electrónico", "endereço de e-mail",
        "endereço de email", "email_address", "user_email", "e_mail",
        "subscriber_email", "e-mail adresse", "adresse mail", "adresse courriel", "mailadresse",
        "adresse électronique", "dirección de correo", "correo-e", "endereço eletrônico",
        "email id", "contact email", "adresse de courriel", "e-post", "indirizzo email",
        "メールアドレス", "メール", "eメール", "البريد الإلكتروني", "البريد",
    ),
    Field.NAME: ("name", "full name", "fullname", "nom complet", "nombre completo", "名前"),
    Field.FIRST_NAME: ("first name", "firstname", "given name", "vorname", "prénom", "fname"),
    Field.LAST_NAME: ("last name", "lastname", "surname", "family name", "nachname", "lname"),
    Field.LANGUAGE: ("language", "lang", "locale", "sprache", "langue", "idioma"),
    Field.TIMEZONE: ("timezone", "time zone", "tz", "zeitzone"),
    Field.CONFIRMED_AT: (
        "confirmed at", "confirmation date", "confirm_time", "optin_confirmed_at", "confirmed on",
        "confirmation time", "verified at",
    ),
    Field.CONFIRMED_IP: ("confirmed ip", "confirm_ip"),
    Field.SIGNED_UP_AT: ("signed up at", "subscribed at", "sign-up date", "optin_time"),
    Field.SIGNED_UP_IP: ("signed up ip", "optin_ip"),
    Field.LEFT_AT: ("left at", "unsubscribed at", "unsub_time"),
}  # fmt: skip


# What people rename most, also in a service that we know.
_RENAMED = frozenset({Field.EMAIL, Field.NAME, Field.FIRST_NAME, Field.LAST_NAME})

# Our own export, and any list whose column names say plainly what the columns hold.
DAYBREAK = Preset(
    name="daybreak",
    label="Daybreak, or any other list",
    columns={one: (one.value, *_USUAL_NAMES.get(one, ())) for one in Field},
    statuses={
        **dict.fromkeys(("active", "subscribed", "confirmed"), RowKind.READER),
        **dict.fromkeys(("pending", "unconfirmed"), RowKind.UNCONFIRMED),
        **dict.fromkeys(("unsubscribed", "left"), RowKind.UNSUBSCRIBED),
        **dict.fromkeys(("bounced", "cleaned"), RowKind.CLEANED),
        "complained": RowKind.COMPLAINED,
        **dict.fromkeys(("suppressed", "blocked"), RowKind.BLOCKED),
    },
    lenient=False,
)

# Audience → Export: a ZIP with subscribed_, unsubscribed_, nonsubscribed_ and cleaned_… CSVs. The
# merge fields in front are the account's own; what follows MEMBER_RATING is Mailchimp's.
_MAILCHIMP = {
    Field.EMAIL: ("email address",),
    Field.FIRST_NAME: ("first name", "fname"),
    Field.LAST_NAME: ("last name", "lname"),
    Field.TIMEZONE: ("timezone",),
    Field.SIGNED_UP_AT: ("optin_time",),
    Field.SIGNED_UP_IP: ("optin_ip",),
    Field.CONFIRMED_AT: ("confirm_time",),
    Field.CONFIRMED_IP: ("confirm_ip",),
}

# Columns about what a reader pays, who may get the free editions all the same.
_SUBSTACK_PLANS = frozenset({
    "active subscription", "plan", "expiry", "expires at", "cancel date", "stripe plan",
    "subscription type", "is bestseller", "bestseller", "type", "digest enabled",
})  # fmt: skip
_BUTTONDOWN_READERS = (
    "regular", "premium", "trialed", "gifted", "churning", "churned", "past_due", "unpaid",
    "paused",
)  # fmt: skip

# The first preset that fits a header is used. The order matters for Mailchimp: its exports of
# unsubscribed and cleaned contacts also have the columns of its subscribed contacts.
PRESETS = (
    Preset(
        name="mailchimp-unsubscribed",
        label="Mailchimp, unsubscribed contacts",
        columns=_MAILCHIMP
        | {Field.LEFT_AT: ("unsub_time",), Field.WHY: ("unsub_reason", "unsub_reason_other")},
        known_headers=_mailchimp_headers("unsub_time"),
        default_kind=RowKind.UNSUBSCRIBED,
    ),
    Preset(
        name="mailchimp-cleaned",
        label="Mailchimp, cleaned contacts",
        columns=_MAILCHIMP | {Field.LEFT_AT: ("clean_time",), Field.WHY: ("clean_campaign_title",)},
        known_headers=_mailchimp_headers("clean_time"),
        default_kind=RowKind.CLEANED,
    ),
    Preset(
        name="mailchimp",
        label="Mailchimp, subscribed contacts",
        columns=_MAILCHIMP,
        known_headers=(
            _header_names("member_rating", "optin_time"),
            _header_names("leid", "euid"),
        ),
    ),
    # Settings → Exports: email_list.….csv. A reader who left has their mail disabled.
    Preset(
        name="substack",
        label="Substack",
        columns={
            Field.EMAIL: ("email",),
            Field.NAME: ("name",),
            Field.STATUS: ("email_disabled",),
            Field.SIGNED_UP_AT: ("created_at",),
        },
        known_headers=(_header_names("active_subscription", "email_disabled"),),
        statuses={"false": RowKind.READER, "true": RowKind.UNSUBSCRIBED},
        no_signs=_SUBSTACK_PLANS,
    ),
    # Dashboard → Subscribers → Export. A reader for whom no section is named gets no mail.
    Preset(
        name="substack-dashboard",
        label="Substack, list of the dashboard",
        columns={
            Field.EMAIL: ("email",),
            Field.NAME: ("name",),
            Field.STATUS: ("receiving emails for",),
            Field.SIGNED_UP_AT: ("subscription date", "start date"),
        },
        known_headers=(
            _header_names("receiving emails for", "activity"),
            _header_names("receiving emails for", "subscription type"),
            _header_names("receiving emails for", "subscription date"),
        ),
        statuses={"": RowKind.UNSUBSCRIBED},
        no_signs=_SUBSTACK_PLANS,
    ),
    # Members → Export: id,email,name,note,subscribed_to_emails,…,labels,tiers (once products).
    Preset(
        name="ghost",
        label="Ghost",
        columns={
            Field.EMAIL: ("email",),
            Field.NAME: ("name",),
            Field.STATUS: ("subscribed_to_emails",),
            Field.SIGNED_UP_AT: ("created_at",),
        },
        known_headers=(_header_names("subscribed_to_emails"),),
        statuses={"true": RowKind.READER, "false": RowKind.UNSUBSCRIBED},
    ),
    # Its API named two columns email and subscriber_type until 2024-08, email_address and type
    # since then.
    Preset(
        name="buttondown",
        label="Buttondown",
        columns={
            Field.EMAIL: ("email_address", "email"),
            Field.STATUS: ("subscriber_type", "type"),
            Field.SIGNED_UP_AT: ("creation_date", "subscription_date"),
            Field.SIGNED_UP_IP: ("ip_address",),
            Field.LEFT_AT: ("unsubscription_date", "undeliverability_date"),
            Field.WHY: ("unsubscription_reason", "undeliverability_reason"),
        },
        known_headers=(
            _header_names("subscriber_type", "creation_date"),
            _header_names("type", "creation_date", "undeliverability_date"),
            _header_names("email_address", "type", "creation_date"),
        ),
        statuses={
            **dict.fromkeys(_BUTTONDOWN_READERS, RowKind.READER),
            **dict.fromkeys(("unactivated", "upcoming"), RowKind.UNCONFIRMED),
            **dict.fromkeys(("unsubscribed", "removed"), RowKind.UNSUBSCRIBED),
            **dict.fromkeys(("undeliverable", "malformed"), RowKind.CLEANED),
            "complained": RowKind.COMPLAINED,
            **dict.fromkeys(("blocked", "spammy", "disabled"), RowKind.BLOCKED),
        },
    ),
    # Subscribers → Export. It has a column optedin, which is 0 for nearly everybody.
    Preset(
        name="phplist",
        label="phpList",
        columns={
            Field.EMAIL: ("email",),
            Field.SIGNED_UP_AT: ("entered",),
        },
        known_headers=(_header_names("uniqid", "blacklisted", "confirmed"),),
        no_signs=frozenset({"optedin", "htmlemail"}),
    ),
    # Subscribers → Export: uuid,email,name,attributes,status,created_at,updated_at. `status` is
    # the person's. The file does not say whether they confirmed a list.
    Preset(
        name="listmonk",
        label="listmonk",
        columns={
            Field.EMAIL: ("email",),
            Field.NAME: ("name",),
            Field.STATUS: ("status",),
            Field.SIGNED_UP_AT: ("created_at",),
        },
        known_headers=(_header_names("uuid", "attributes", "status"),),
        statuses={
            "enabled": RowKind.READER,
            "disabled": RowKind.UNSUBSCRIBED,
            "blocklisted": RowKind.BLOCKED,
        },
    ),
    # Subscribers → Export; its user chooses the columns. Nobody has left by being inactive:
    # MailPoet calls those so who have opened and clicked nothing for some months
    # (kb.mailpoet.com, article 264).
    Preset(
        name="mailpoet",
        label="MailPoet",
        columns={
            Field.EMAIL: ("email",),
            Field.FIRST_NAME: ("first name",),
            Field.LAST_NAME: ("last name",),
            Field.STATUS: ("global status",),
            Field.SIGNED_UP_AT: ("subscription time",),
            Field.SIGNED_UP_IP: ("subscription ip",),
            Field.CONFIRMED_AT: ("confirmation time",),
            Field.CONFIRMED_IP: ("confirmation ip",),
        },
        known_headers=(
            _header_names("global status", "list status"),
            _header_names("global status", "subscription time"),
            _header_names("global status", "list"),
        ),
        statuses={
            **dict.fromkeys(("subscribed", "inactive"), RowKind.READER),
            "unconfirmed": RowKind.UNCONFIRMED,
            "unsubscribed": RowKind.UNSUBSCRIBED,
            "bounced": RowKind.CLEANED,
        },
        has_backslashes=True,
    ),
)
BY_NAME = {preset.name: preset for preset in (DAYBREAK, *PRESETS)}


def detect(header: Sequence[str]) -> Preset:
    """Return the service whose export has such a header, or DAYBREAK if it could be anybody's."""
    names = {_normalised(name) for name in header}
    for preset in PRESETS:
        if any(required <= names for required in preset.known_headers):
            return preset
    return DAYBREAK


def columns(header: Sequence[str], preset: Preset) -> dict[Field, int]:
    """Return which column of the header, counted from 0, holds each field that is there.

    If a name comes twice, the first column counts.
    """
    columns_by_name: dict[str, int] = {}
    for number, name in enumerate(header):
        columns_by_name.setdefault(_normalised(name), number)
    found: dict[Field, int] = {}
    for one in Field:
        names = preset.columns.get(one, ())
        if one in _RENAMED:
            names += _USUAL_NAMES[one]
        column = next((columns_by_name[name] for name in names if name in columns_by_name), None)
        if column is None and one is Field.EMAIL:
            known = set(map(_squeezed, names))
            column = next((n for n, name in enumerate(header) if _squeezed(name) in known), None)
        if column is not None and column not in found.values():
            found[one] = column
    return found


def no_address_message(header: Sequence[str]) -> str:
    """Return what to tell an operator if no column's name shows that it holds the addresses."""
    named = ", ".join(header)
    shown = named if len(named) <= 80 else f"{named[:80]}…"
    return (
        "The first line must name the columns, and none of them holds the addresses as far as "
        f"their names tell: {shown}. Say which it is: --column email=NAME."
    )


def _squeezed(name: str) -> str:
    """Return the letters of a name: E-Mail Adresse, Email_Adresse and emailadresse are one."""
    letters = unicodedata.normalize("NFKD", name).casefold()
    return "".join(c for c in letters if c.isalnum())


def _normalised(name: str) -> str:
    return " ".join(name.strip("\ufeff\u200b\"' ").casefold().split())
