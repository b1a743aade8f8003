"""Compare what arrived at the sink with what the ledger says."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.utils.timezone import now

from digest.delivery.ledger import WINDOW
from digest.editions.decide.approve import approve
from digest.models import Delivery, Edition
from tests import factories
from tests.faults.deployment import SinkProcess, logger
from tests.servers.sink import Taken
from tests.support.waiting import wait_for

_READERS = """
    WITH made AS (
        INSERT INTO subscribers_subscriber
               (email, email_key, name, language, timezone, created_at)
        SELECT 'r' || n || '@example.com', 'r' || n || '@example.com', '', '', '', now()
          FROM generate_series(1, %(count)s) n
        RETURNING id
    )
    INSERT INTO subscribers_subscription
           (subscriber_id, newsletter_id, status, generation, muted_sections, created_at,
            confirmed_at)
    SELECT id, %(newsletter)s, 'active', 1, '{}', now(), now() FROM made ORDER BY id
"""


def approved_edition(*, readers: int) -> Edition:
    """Make an approved edition that is due now, so that the next tick starts it."""
    newsletter = factories.newsletter()
    with connection.cursor() as cursor:
        cursor.execute(_READERS, {"count": readers, "newsletter": newsletter.pk})
        # Autovacuum would have done this long before a newsroom has this many readers.
        cursor.execute("ANALYZE subscribers_subscription, subscribers_subscriber")
    deadline = now() + timedelta(hours=3)
    # In one transaction: a tick in between would find a draft past its time, and skip it.
    with transaction.atomic():
        edition = factories.edition(newsletter, sends_at=now(), deadline_at=deadline)
        return approve(edition_id=edition.pk, now=now())


def status(edition: Edition) -> str:
    return Edition.objects.values_list("status", flat=True).get(pk=edition.pk)


def wait_until_sent(edition: Edition, *, seconds: float = 90) -> None:
    def is_over() -> bool:
        is_held = status(edition) == Edition.Status.HELD
        assert not is_held, Edition.objects.get(pk=edition.pk).reason_detail
        return status(edition) == Edition.Status.SENT

    def so_far() -> dict[str, int]:
        rows = Delivery.objects.filter(edition=edition).values_list("status", flat=True)
        return dict(Counter(rows))

    try:
        wait_for(is_over, seconds=seconds, what="the edition's end")
    except AssertionError as error:
        raise AssertionError(f"{error}: {status(edition)}, {so_far()}") from None


@dataclass(frozen=True)
class Count:
    """The readers' addresses, by what the sink and the ledger say of them."""

    readers: set[str]
    # At the sink. `arrived`: with or without an answer to the sender; `answered`: only with one.
    arrived: set[str]
    answered: set[str]
    twice: set[str]
    # The number of messages that arrived beyond the first for each reader.
    duplicates: int
    # In the ledger: the readers by status, and those whose outcome was lost at some time.
    by_status: dict[str, set[str]]
    uncertain: set[str]

    @property
    def sent(self) -> set[str]:
        return self.by_status.get(Delivery.Status.SENT, set())

    def assert_everybody_got_it(self) -> None:
        """Check that nobody was lost, and that only readers who were uncertain got it twice."""
        assert self.readers - self.arrived == set(), "lost"
        assert self.sent == self.readers
        self.assert_duplicates_are_uncertain()

    def assert_everybody_got_it_or_is_uncertain(self) -> None:
        """Check the same, except for readers who became uncertain a second time and were left."""
        left = self.by_status.get(Delivery.Status.UNCERTAIN, set())
        assert self.readers - self.arrived <= left
        assert self.sent == self.readers - left
        self.assert_duplicates_are_uncertain()

    def assert_duplicates_are_uncertain(self) -> None:
        assert self.twice - self.uncertain == set(), "arrived twice, and not uncertain"

    def assert_nobody_got_it_twice(self) -> None:
        assert (self.duplicates, self.uncertain) == (0, set())

    def assert_at_most_a_window_per_lane(self, *, lanes: int) -> None:
        """Check that each of the `lanes` that died left at most a window uncertain."""
        assert len(self.uncertain) <= WINDOW * lanes
        assert self.duplicates <= WINDOW * lanes


def count(edition: Edition, sink: SinkProcess, *, scenario: str) -> Count:
    """Count both sides, log the figures, and check that a reader's copies share a Message-ID."""
    rows = Delivery.objects.filter(edition=edition).values_list(
        "subscription__subscriber__email", "status", "uncertain_at"
    )
    by_status: dict[str, set[str]] = {}
    for email, row_status, _ in rows:
        by_status.setdefault(row_status, set()).add(email)
    taken = sink.taken
    copies = Counter(message.recipient for message in taken)
    found = Count(
        readers={email for email, _, _ in rows},
        arrived=set(copies),
        answered={message.recipient for message in taken if message.answered},
        twice={email for email, number in copies.items() if number > 1},
        duplicates=copies.total() - len(copies),
        by_status=by_status,
        uncertain={email for email, _, uncertain_at in rows if uncertain_at},
    )
    _assert_one_message_id_each(taken)
    _log(scenario, found, sink.counts)
    return found


def _assert_one_message_id_each(taken: list[Taken]) -> None:
    ids: dict[str, set[str]] = {}
    for message in taken:
        ids.setdefault(message.recipient, set()).add(message.message_id)
    assert all(len(found) == 1 for found in ids.values()), "another Message-ID on the second try"
    assert len(set().union(*ids.values())) == len(ids), "two readers share a Message-ID"


def _log(scenario: str, found: Count, counts: dict[str, Any]) -> None:
    statuses = ", ".join(f"{len(who)} {name}" for name, who in sorted(found.by_status.items()))
    logger.info(
        "%s: %d readers, %d reached, %d twice; ledger: %s, %d were uncertain; sink: %s",
        scenario, len(found.readers), len(found.arrived), found.duplicates, statuses,
        len(found.uncertain), ", ".join(f"{n} {what}" for what, n in sorted(counts.items())),
    )  # fmt: skip
