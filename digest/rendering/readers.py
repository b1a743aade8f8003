"""Sign what is a reader's own in a message."""

from __future__ import annotations

from datetime import datetime

from digest.rendering import envelope, links
from digest.rendering.personalise import Reader
from digest.rendering.wording import plain

# No subscription has this id, so the links of a sample lead nowhere and harm nobody.
NOBODY = 0
SAMPLE_EMAIL = "reader@example.com"


def reader_for(
    *,
    edition_id: int,
    subscription_id: int,
    email: str,
    name: str = "",
    muted_sections: frozenset[int] = frozenset(),
    date: datetime,
    test: bool = False,
) -> Reader:
    """Return the reader with their links and Message-ID; `date` is the message's Date.

    A test has a Message-ID of its own each second: mail clients hide what they have seen before.
    """
    return Reader(
        edition_id=edition_id,
        subscription_id=subscription_id,
        email=email,
        # Neither a stray control of a badly converted list nor a line break loses its reader.
        name=plain(name),
        muted_sections=muted_sections,
        date=date,
        unsubscribe_url=links.unsubscribe_url(subscription_id),
        preferences_url=links.preferences_url(subscription_id),
        message_id=envelope.message_id(
            edition_id=edition_id,
            subscription_id=subscription_id,
            copy=f".{email}.{date.timestamp():.0f}" if test else "",
        ),
        test=test,
    )


def sample_reader(*, edition_id: int, date: datetime, email: str = SAMPLE_EMAIL) -> Reader:
    """A reader that does not exist, for previews, exports and tests of an edition."""
    return reader_for(
        edition_id=edition_id, subscription_id=NOBODY, email=email, date=date, test=True
    )
