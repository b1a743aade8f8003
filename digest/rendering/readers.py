"""Make the signed values that are a reader's own in a message."""

from __future__ import annotations

from datetime import datetime

from digest.rendering import identifiers, links
from digest.rendering.personalise import ReaderFields
from digest.rendering.safe_text import single_line

# No subscription has this id, so the links of a sample lead nowhere and harm nobody.
SAMPLE_SUBSCRIPTION_ID = 0
SAMPLE_EMAIL = "reader@example.com"


class ReaderSigner:
    """Signs for the readers of one edition, with the settings at the time it was created.

    One signer serves thousands of readers: it looks up keys, URLs and the domain beforehand.
    """

    def __init__(self, edition_id: int) -> None:
        self.edition_id = edition_id
        self._unsubscribe_url = links.unsubscribe_url_factory()
        self._preferences_url = links.preferences_url_factory()
        self._message_id = identifiers.message_id_factory(edition_id)
        # A function from subscription id to the envelope sender of its message.
        self.sender = identifiers.verp_sender_factory(edition_id)

    def reader(
        self,
        *,
        subscription_id: int,
        email: str,
        name: str = "",
        muted_sections: frozenset[int] = frozenset(),
        date: datetime,
    ) -> ReaderFields:
        """Return the reader with their links and Message-ID; `date` is the message's Date."""
        return ReaderFields(
            self.edition_id,
            subscription_id,
            email,
            # A badly converted list may have left a control character or a line break in the name;
            # without them its reader still gets the message.
            single_line(name) if name else "",
            muted_sections,
            date,
            self._unsubscribe_url(subscription_id),
            self._preferences_url(subscription_id, email),
            self._message_id(subscription_id),
        )


def reader_for(
    *,
    edition_id: int,
    subscription_id: int,
    email: str,
    name: str = "",
    muted_sections: frozenset[int] = frozenset(),
    date: datetime,
    test: bool = False,
) -> ReaderFields:
    """Return one reader, as `ReaderSigner.reader` does.

    A test gets a new Message-ID each second, because mail clients hide what they have seen before.
    """
    reader = ReaderSigner(edition_id).reader(
        subscription_id=subscription_id,
        email=email,
        name=name,
        muted_sections=muted_sections,
        date=date,
    )
    if not test:
        return reader
    variant = f".{email}.{date.timestamp():.0f}"
    message_id = identifiers.message_id(
        edition_id=edition_id, subscription_id=subscription_id, variant=variant
    )
    return reader._replace(message_id=message_id, test=True)


def sample_reader(*, edition_id: int, date: datetime, email: str = SAMPLE_EMAIL) -> ReaderFields:
    """Return a reader that does not exist, for previews, exports and tests of an edition."""
    return reader_for(
        edition_id=edition_id,
        subscription_id=SAMPLE_SUBSCRIPTION_ID,
        email=email,
        date=date,
        test=True,
    )
