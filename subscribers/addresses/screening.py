"""Screen for valid addresses that are probably not the ones that their readers want."""

from __future__ import annotations

from dataclasses import dataclass

from disposable_email_domains import blocklist

from subscribers.addresses import homoglyphs, typos
from subscribers.addresses.address import BadAddress, domain

ALLOW, WARN, REFUSE = "allow", "warn", "refuse"

# The names of RFC 2142, and others that providers use. Whoever reads such a mailbox did not mean to
# get news there.
_ROLES = """
abuse admin administrator billing compliance contact ftp help helpdesk hostmaster info inoc jobs
legal list mail marketing news newsletter noc office phishing postmaster press privacy registrar
root sales security service spam staff subscribe support sysadmin team tech unsubscribe usenet
uucp webmaster www
"""
ROLE_MAILBOXES = frozenset(_ROLES.split())
# Nobody reads these mailboxes at all.
_UNREAD = """
bounce bounces devnull do-not-reply donotreply mailer-daemon mailerdaemon no-reply no.reply nobody
noreply null undisclosed-recipients
"""
UNREAD_MAILBOXES = frozenset(_UNREAD.split())


def _(sentence: str) -> str:
    """Mark a sentence for the catalogues (`make messages`); the caller translates it."""
    return sentence


_DISPOSABLE = _("This address is a throw-away one: the newsletter would soon be lost there.")
_ROLE = _("This mailbox belongs to a role and not to a person. Is it the one you read?")
_NOBODY = _("Nobody reads the mail to this address. Please write your own.")
_LOOKALIKE = _(
    "After the @-sign there are letters of several alphabets that look alike. Please type the "
    "address anew."
)
_SPELLING = _("Please check the spelling: almost the same address is a very common one.")


@dataclass(frozen=True)
class ScreeningPolicy:
    """What happens to each kind of address: `allow`, `warn` (the reader may insist) or `refuse`."""

    disposable: str = WARN
    roles: str = WARN
    mixed_scripts: str = REFUSE


def screen(address: str, *, policy: ScreeningPolicy, confirmed: bool) -> None:
    """Raise BadAddress if a normalised address is questionable.

    `confirmed` means that the reader was asked and insists. An address that the policy only warns
    about is accepted then.
    """
    local, host = address.rpartition("@")[0], domain(address)
    role = local.lower().partition("+")[0]
    imitated = homoglyphs.impersonated(host)
    if imitated:
        _refuse_or_warn(
            _LOOKALIKE,
            policy.mixed_scripts,
            confirmed,
            f"{local}@{imitated}" if imitated in typos.COMMON_DOMAINS else "",
        )
    elif meant := typos.suggest(host):
        _refuse_or_warn(_SPELLING, WARN, confirmed, f"{local}@{meant}")
    if role in UNREAD_MAILBOXES:
        _refuse_or_warn(_NOBODY, ALLOW if policy.roles == ALLOW else REFUSE, confirmed)
    if role in ROLE_MAILBOXES:
        _refuse_or_warn(_ROLE, policy.roles, confirmed)
    if policy.disposable != ALLOW and is_disposable(host):
        _refuse_or_warn(_DISPOSABLE, policy.disposable, confirmed)


def is_disposable(host: str) -> bool:
    """Tell whether the domain, or one above it, hands out disposable addresses."""
    labels = host.split(".")
    return any(".".join(labels[start:]) in blocklist for start in range(len(labels) - 1))


def _refuse_or_warn(sentence: str, level: str, confirmed: bool, suggestion: str = "") -> None:
    if level == REFUSE or (level == WARN and not confirmed):
        raise BadAddress(sentence, suggestion=suggestion, may_insist=level == WARN)
