"""Tell which mailbox receives the mail to an address, so that limits count mailboxes."""

from __future__ import annotations

from collections.abc import Callable

# One rule holds at nearly every provider: a tag after a plus sign does not belong to the mailbox's
# name (RFC 5233, section 1). At a provider where it does, two mailboxes share a limit, which is no
# harm. The tables have what large providers document beyond that. No library is used: those for
# Python look up MX records for each address, and know neither Proton's rules nor Yahoo's.

# The domains of one provider where a name is the same mailbox. The first one stands for all; it is
# the shortest, so that a key is never longer than its address.
_SAME_DOMAIN = (
    # Google's help on "Google Mail", as Gmail was called in the United Kingdom and in Germany.
    "gmail.com googlemail.com",
    # https://proton.me/support/addresses-and-aliases
    "pm.me proton.me protonmail.com protonmail.ch",
    # https://support.apple.com/118230
    "me.com mac.com icloud.com",
    # https://yandex.com/support/domain/additional/mailbox-alias.xml
    "ya.ru yandex.ru yandex.com yandex.by yandex.kz yandex.ua yandex.com.tr",
)
# Providers that let a reader write tag@name.fastmail.com for name+tag@fastmail.com:
# https://www.fastmail.help/hc/en-us/articles/360060591053
_NAMED_IN_HOST = frozenset(("fastmail.com", "fastmail.fm"))
# What follows a hyphen is the keyword of a disposable address: https://help.yahoo.com/kb/SLN3523.html
_YAHOO = """
yahoo.com yahoo.co.uk yahoo.de yahoo.fr yahoo.es yahoo.it yahoo.ca yahoo.com.br yahoo.com.mx
yahoo.com.ar yahoo.co.in yahoo.in yahoo.com.au yahoo.com.sg yahoo.com.ph yahoo.co.id ymail.com
rocketmail.com
"""


def _without_dots(name: str) -> str:
    return name.replace(".", "")


def _without_separators(name: str) -> str:
    return name.translate(dict.fromkeys(map(ord, "._-")))


def _dots_as_hyphens(name: str) -> str:
    return name.replace(".", "-")


def _before_hyphen(name: str) -> str:
    return name.partition("-")[0]


# How a provider reads a name.
_READ_NAME: dict[str, Callable[[str], str]] = {
    "gmail.com": _without_dots,  # https://support.google.com/mail/answer/7436150
    # Proton's web client (packages/shared/lib/helpers/email.ts): "Emails that have the same
    # canonical form end up in the same inbox."
    "pm.me": _without_separators,
    # https://yandex.ru/dev/direct/doc/dg-v4/concepts/finance-token.html
    "ya.ru": _dots_as_hyphens,
    **dict.fromkeys(_YAHOO.split(), _before_hyphen),
}
_FIRST_DOMAIN = {host: hosts.split()[0] for hosts in _SAME_DOMAIN for host in hosts.split()}


def mailbox_of(email_key: str) -> str:
    """Return what all addresses of one mailbox have in common.

    It is for counting alone: mail goes to the address as the reader wrote it, and two addresses of
    one mailbox are two readers.

    Args:
        email_key: an address as `compare_key` returns it, in lower case and with an IDNA domain.

    Returns:
        Text in the form of an address, no longer than `email_key`. No mail is ever sent to it.
    """
    name, _, host = email_key.rpartition("@")
    label, _, provider = host.partition(".")
    if label and provider in _NAMED_IN_HOST:
        name, host = label, provider
    host = _FIRST_DOMAIN.get(host, host)
    # A name of tags or dots alone is kept: a mailbox has a name.
    name = name.partition("+")[0] or name
    if read_name := _READ_NAME.get(host):
        name = read_name(name) or name
    return f"{name}@{host}"
