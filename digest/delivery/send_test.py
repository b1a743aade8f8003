"""Send one copy of an edition to an editor, as a reader would get it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.conf import settings

from digest.delivery.transport.base import NoConnection, Outgoing, RelayRefuses
from digest.delivery.transport.connect import connect
from digest.delivery.transport.replies import Verdict
from digest.models import Edition
from digest.rendering.assemble import assemble
from digest.rendering.freeze import PageTooLong, freeze_page
from digest.rendering.headers import UnsafeHeader
from digest.rendering.identifiers import verp_sender
from digest.rendering.personalise import personalise
from digest.rendering.placeholders import BrokenPage
from digest.rendering.readers import SAMPLE_SUBSCRIPTION_ID, sample_reader


class TestNotSent(Exception):
    """The test was not sent; the exception's message names the fault of the relay or the page."""

    __test__ = False  # pytest would collect the class as a test


def send_test(*, edition_id: int, to: str, now: datetime) -> None:
    """Render the edition as it is now and hand one copy to the relay; nothing is stored.

    The subject begins with [Test], so that nobody mistakes the copy for the edition.

    Raises:
        TestNotSent: The page cannot be made, or the relay did not take the message.
    """
    edition = Edition.objects.select_related("newsletter").get(pk=edition_id)
    reader = sample_reader(edition_id=edition_id, email=to, date=now)
    try:
        page = assemble(edition)
        marked = replace(page, subject=f"[Test] {page.subject}")
        frozen = freeze_page(edition, marked)
        message = personalise(frozen, reader)
    except (PageTooLong, UnsafeHeader, BrokenPage) as error:
        raise TestNotSent(f"The edition cannot be sent as it is: {error}") from error
    if message is None:
        raise TestNotSent("The edition has no stories.")
    outgoing = Outgoing(
        key=0,
        sender=verp_sender(edition_id, SAMPLE_SUBSCRIPTION_ID),
        recipient=to,
        message=message,
        reader=reader,
    )
    relay = settings.EMAIL_RELAYS[0]
    try:
        with connect(relay, should_stop=lambda: False, frozen=frozen) as transport:
            transport.put(outgoing)
            [(_key, outcome)] = transport.take()
    except (NoConnection, RelayRefuses) as error:
        raise TestNotSent(str(error)) from error
    if outcome.verdict is not Verdict.ACCEPTED:
        raise TestNotSent(outcome.reply)
