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
    # https://yandex.com/support/domain/additional/mailbox-alias.xml names the first seven. The
    # others are the domains of its national sites.
    "ya.ru yandex.ru yandex.com yandex.by yandex.kz yandex.ua yandex.com.tr "
    "yandex.az yandex.co.il yandex.com.am yandex.com.ge yandex.com.ru yandex.ee yandex.eu "
    "yandex.fr yandex.kg yandex.lt yandex.lv yandex.md yandex.pl yandex.tj yandex.tm yandex.uz",
)
# Fastmail lets a reader write tag@name.fastmail.com for name+tag@fastmail.com, at all its domains:
# https://www.fastmail.help/hc/en-us/articles/360060591053
_FASTMAIL = """
fastmail.com fastmail.fm fastmail.ca fastmail.cn fastmail.co.uk fastmail.com.au fastmail.de
fastmail.es fastmail.fr fastmail.im fastmail.in fastmail.jp fastmail.mx fastmail.net fastmail.nl
fastmail.org fastmail.se fastmail.to fastmail.tw fastmail.uk fastmail.us
123mail.org 150mail.com 150ml.com 16mail.com 2-mail.com 4email.net 50mail.com airpost.net
allmail.net bestmail.us cluemail.com elitemail.org emailcorner.net emailengine.net emailengine.org
emailgroups.net emailplus.org emailuser.net eml.cc f-m.fm fast-email.com fast-mail.org fastem.com
fastemail.us fastemailer.com fastest.cc fastimap.com fastmailbox.net fastmessaging.com fea.st
fmail.co.uk fmailbox.com fmgirl.com fmguy.com ftml.net h-mail.us hailmail.net imap-mail.com imap.cc
imapmail.org inoutbox.com internet-e-mail.com internet-mail.org internetemails.net
internetmailing.net jetemail.net justemail.net letterboxes.org mail-central.com mail-page.com
mailandftp.com mailas.com mailbolt.com mailc.net mailcan.com mailforce.net mailftp.com
mailhaven.com mailingaddress.org mailite.com mailmight.com mailnew.com mailsent.net mailservice.ms
mailup.net mailworks.org ml1.net mm.st myfastmail.com mymacmail.com nospammail.net ownmail.net
petml.com postinbox.com postpro.net proinbox.com promessage.com realemail.net reallyfast.biz
reallyfast.info rushpost.com sent.as sent.at sent.com speedpost.net speedymail.org ssl-mail.com
swift-mail.com the-fastest.net the-quickest.com theinternetemail.com veryfast.biz veryspeedy.net
warpmail.net xsmail.com yepmail.net your-mail.com
"""
# What follows a hyphen is the keyword of a disposable address: https://help.yahoo.com/kb/SLN3523.html
# Yahoo! JAPAN calls them safety addresses, and has two domains.
_YAHOO = """
yahoo.com yahoo.at yahoo.be yahoo.bg yahoo.ca yahoo.ch yahoo.cl yahoo.cn yahoo.co.hu yahoo.co.id
yahoo.co.il yahoo.co.in yahoo.co.jp yahoo.co.kr yahoo.co.nz yahoo.co.th yahoo.co.uk yahoo.co.za
yahoo.com.ar yahoo.com.au yahoo.com.br yahoo.com.cn yahoo.com.co yahoo.com.hk yahoo.com.mx
yahoo.com.my yahoo.com.pe yahoo.com.ph yahoo.com.sg yahoo.com.tr yahoo.com.tw yahoo.com.ua
yahoo.com.ve yahoo.com.vn yahoo.cz yahoo.de yahoo.dk yahoo.ee yahoo.es yahoo.fi yahoo.fr yahoo.gr
yahoo.hr yahoo.hu yahoo.ie yahoo.in yahoo.it yahoo.lt yahoo.lv yahoo.nl yahoo.no yahoo.pl yahoo.pt
yahoo.ro yahoo.rs yahoo.se yahoo.si yahoo.sk ybb.ne.jp myyahoo.com ymail.com ymail.ne.jp
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
_NAMED_IN_HOST = frozenset(_FASTMAIL.split())
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
    # A mailbox has a name, so a plus sign in front begins none of a tag (Postfix, split_addr(3)).
    name = name[:1] + name[1:].partition("+")[0]
    if read_name := _READ_NAME.get(host):
        name = read_name(name) or name
    return f"{name}@{host}"
