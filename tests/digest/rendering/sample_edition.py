"""A sample edition as a newsroom might fill it, and the message that a reader gets from it."""

from __future__ import annotations

from typing import Any

from digest.models import Edition
from digest.rendering.assemble import assemble
from digest.rendering.freeze import freeze_page
from digest.rendering.personalise import personalise
from digest.rendering.readers import reader_for
from subscribers.models import Newsletter
from tests import factories
from tests.factories import NOW
from tests.servers.relay import ReceivedMail


def full_edition(newsletter: Newsletter | None = None, **fields: Any) -> Edition:
    """Make an edition: a lead with an image, a story without a section, two sections of two."""
    newsletter = newsletter or factories.newsletter()
    defaults = {
        "subject": "Ferries return to the estuary",
        "preheader": "And what the new timetable leaves out.",
        "note": "Good morning.\n\nA short edition today, for a long weekend.",
    }
    edition = factories.edition(newsletter, stories=0, **defaults | fields)
    town = factories.section(newsletter, name="Town", position=2)
    money = factories.section(newsletter, name="Money", position=1)
    image = {"image_url": "https://img.example.com/a.jpg", "image_alt": "A ferry at its pier"}
    items = [
        (town, image | {"image_width": 1600, "image_height": 900, "image_credit": "A. Meyer"}),
        (town, image),
        (None, {}),
        (money, image | {"image_width": 240, "image_height": 160}),
        (town, {}),
        (money, {}),
    ]
    for position, (section, story) in enumerate(items):
        factories.item(
            edition, factories.story(newsletter, **story), section=section, position=position
        )
    return edition


def message_to(edition: Edition, *, subscription_id: int = 7, **reader: Any) -> ReceivedMail:
    """Return the message that a reader gets from the edition in its present state."""
    reader = {"email": "ann@example.com", "name": "Ann Reader", "date": NOW} | reader
    raw = personalise(
        freeze_page(edition, assemble(edition)),
        reader_for(edition_id=edition.pk, subscription_id=subscription_id, **reader),
    )
    assert raw is not None, "the reader has muted everything"
    return ReceivedMail(mail_from="", rcpt_to=reader["email"], raw=raw)
