"""A server's reply is understood by its codes only."""

import pytest

from digest.delivery.transport.replies import Stage, Verdict, interpret

V = Verdict


@pytest.mark.parametrize(
    ("code", "text", "stage", "verdict"),
    [
        (250, "2.0.0 queued", Stage.CONTENT, V.ACCEPTED),
        (421, "4.3.2 going down", Stage.SENDER, V.DEFERRED),
        (450, "4.2.0 greylisted", Stage.RECIPIENT, V.DEFERRED),
        (451, "try again", Stage.CONTENT, V.DEFERRED),
        (452, "4.2.2 mailbox full", Stage.RECIPIENT, V.DEFERRED),
        (552, "5.2.2 mailbox full", Stage.RECIPIENT, V.DEFERRED),
        (550, "5.1.1 no such user", Stage.RECIPIENT, V.NO_SUCH_ADDRESS),
        (550, "5.1.2 no such host", Stage.RECIPIENT, V.NO_SUCH_ADDRESS),
        (556, "5.1.10 null MX", Stage.RECIPIENT, V.NO_SUCH_ADDRESS),
        (550, "5.2.1 disabled", Stage.RECIPIENT, V.NO_SUCH_ADDRESS),
        (550, "5.1.1 no such user", Stage.CONTENT, V.NO_SUCH_ADDRESS),
        (553, "5.1.3 bad syntax", Stage.RECIPIENT, V.REFUSED),
        (550, "no such user here", Stage.RECIPIENT, V.REFUSED),
        (550, "5.7.1 spam", Stage.CONTENT, V.SENDERS_FAULT),
        (550, "5.7.26 unauthenticated", Stage.CONTENT, V.SENDERS_FAULT),
        (530, "5.7.0 authentication required", Stage.SENDER, V.SENDERS_FAULT),
        (554, "5.7.1 relay access denied", Stage.RECIPIENT, V.SENDERS_FAULT),
        (552, "5.3.4 too big", Stage.SENDER, V.SENDERS_FAULT),
        (554, "5.6.0 malformed", Stage.CONTENT, V.SENDERS_FAULT),
        (550, "5.1.8 bad sender", Stage.SENDER, V.SENDERS_FAULT),
        (554, "transaction failed", Stage.CONTENT, V.SENDERS_FAULT),
        (-1, "gibberish", Stage.CONTENT, V.DEFERRED),
        (354, "go ahead", Stage.CONTENT, V.DEFERRED),
    ],
)
def test_a_reply_has_one_meaning(code, text, stage, verdict):
    assert interpret(code, text, stage=stage).verdict is verdict


def test_the_code_decides_and_not_the_text():
    reply = interpret(550, "5.1.1 message rejected as spam by policy", stage=Stage.RECIPIENT)

    assert reply.verdict is Verdict.NO_SUCH_ADDRESS


def test_the_ledger_keeps_the_reply_on_one_line():
    assert interpret(550, b"5.1.1 no\n such\r\nuser", stage=Stage.RECIPIENT).reply == (
        "550 5.1.1 no such user"
    )
    assert interpret(550, b"no\0 user", stage=Stage.RECIPIENT).reply == "550 no user"
    assert len(interpret(550, b"x" * 999, stage=Stage.RECIPIENT).reply) == 300
