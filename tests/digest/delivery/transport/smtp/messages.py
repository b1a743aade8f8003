"""Messages for the tests of SMTP, and their outcomes."""

from digest.delivery.transport.base import Outgoing
from digest.delivery.transport.smtp import Mode

OFFERS = {
    Mode.PLAIN: ("SIZE 1000000",),
    Mode.DATA: ("SIZE 1000000", "PIPELINING"),
    Mode.BDAT: ("SIZE 1000000", "PIPELINING", "CHUNKING"),
}
MESSAGE = b"Subject: news\r\n\r\n.Morning\r\n"


def address_of(key):
    return f"reader{key}@example.com"


def put(connection, key, message=MESSAGE, *, to=None):
    connection.put(
        Outgoing(key, f"bounce+{key}@news.example", to or address_of(key), message, None)
    )


def verdicts(outcomes):
    """Return {key: verdict's name}; a key that has two outcomes fails the test."""
    found = {key: outcome.verdict.name for key, outcome in outcomes}
    assert len(found) == len(outcomes)
    return found
