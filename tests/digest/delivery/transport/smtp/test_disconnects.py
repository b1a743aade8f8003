"""Only messages that may have arrived are uncertain after a relay disconnects or falls silent."""

import threading
import time

import pytest

from digest.delivery.transport.smtp import Mode, SmtpConnection, timeouts
from tests.digest.delivery.transport.smtp.messages import MESSAGE, OFFERS, put, verdicts
from tests.servers.smtp import CUT, STALL, ScriptedServer, running

LONG = MESSAGE + b"x" * 70 + b"\r\n" + b"A line of news\r\n" * 3000
TOO_MANY = "\r\n".join(["250 again"] * 500)
PIPELINED_MODES = [Mode.DATA, Mode.BDAT]


@pytest.fixture
def short_timeouts(monkeypatch):
    for name in ("REPLY_TIMEOUT", "CONTENT_TIMEOUT", "CLOSING_TIMEOUT"):
        monkeypatch.setattr(timeouts, name, 0.4)


@pytest.fixture
def server():
    with running(ScriptedServer()) as server:
        yield server


def send(server, mode, count, message=MESSAGE):
    server.extensions = OFFERS[mode]
    with SmtpConnection(server.relay) as connection:
        for key in range(count):
            put(connection, key, message)
        outcomes = connection.take()
        assert not connection.is_open
        put(connection, count)
        assert verdicts(connection.take()) == {count: "NOT_SENT"}
    return verdicts(outcomes)


def answer(server, verb, reply, *, key):
    server.script = lambda got, line, _: (
        reply if got == verb and (f"reader{key}@" in line or f"+{key}@" in line) else None
    )


def expected(count, key, own, behind):
    return {n: "ACCEPTED" if n < key else own if n == key else behind for n in range(count)}


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize(
    ("verb", "own"), [("MAIL", "NOT_SENT"), ("RCPT", "DEFERRED"), ("CONTENT", "DEFERRED")]
)
def test_no_message_behind_a_421_is_uncertain(server, mode, verb, own):
    answer(server, verb, "421 4.7.0 enough for one connection", key=5)
    if verb == "CONTENT":
        # Here the server is the one that closes.
        usual = server.script

        def script(got, line, _):
            if got in {"MAIL", "RSET"} and any("421" in line for line in seen):
                return CUT
            reply = usual(got, line, _)
            seen.append(reply or "")
            return reply

        seen: list[str] = []
        server.script = script

    assert send(server, mode, 12) == expected(12, 5, own, "NOT_SENT")
    assert len(server.taken) == 5


def test_a_421_before_a_message_leaves_the_message_unsent(server):
    resets = []

    def script(verb, line, _):
        resets.extend([verb] * (verb == "RSET"))
        return "421 4.3.2 closing" if len(resets) == 4 else None

    server.script = script
    assert send(server, Mode.BDAT, 12) == expected(12, 3, "NOT_SENT", "NOT_SENT")


def test_replies_behind_a_421_leave_the_earlier_outcomes_intact(server, short_timeouts):
    replies = iter(["250 OK"] * 3 + ["421 4.3.2 closing\r\n250 OK"])
    server.script = lambda verb, line, _: next(replies, None) if verb == "RCPT" else None
    outcomes = send(server, Mode.BDAT, 10)
    assert len(outcomes) == 10
    assert {key for key, verdict in outcomes.items() if verdict == "ACCEPTED"} >= {0, 1, 2}


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "CONTENT"])
def test_a_disconnect_leaves_uncertain_only_messages_that_may_have_arrived(server, mode, verb):
    answer(server, verb, CUT, key=4)
    outcomes = send(server, mode, 10)

    assert {outcomes[key] for key in range(4)} == {"ACCEPTED"}
    uncertain = {key for key, verdict in outcomes.items() if verdict == "UNKNOWN"}
    if mode is Mode.BDAT:
        # The ends of these messages were written already.
        assert uncertain <= set(range(4, 10))
    else:
        assert uncertain == ({4} if verb == "CONTENT" else set())
    assert set(outcomes.values()) <= {"ACCEPTED", "UNKNOWN", "NOT_SENT"}
    assert uncertain >= {4} or verb != "CONTENT"


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("after", [60_000, 200_000])
def test_a_message_whose_end_was_not_written_is_not_uncertain(server, mode, after):
    """The message is larger than every buffer, so the disconnect is inside DATA or inside BDAT."""
    server.closes_after = after
    huge = MESSAGE + b"A line of news\r\n" * 2_000_000
    outcomes = send(server, mode, 2, huge)
    assert outcomes == {0: "NOT_SENT", 1: "NOT_SENT"}
    assert not server.taken


@pytest.mark.parametrize("mode", Mode)
def test_silence_after_the_final_dot_leaves_the_message_uncertain(server, mode, short_timeouts):
    answer(server, "CONTENT", STALL, key=2)
    began = time.monotonic()
    outcomes = send(server, mode, 6)

    assert [outcomes[key] for key in range(3)] == ["ACCEPTED", "ACCEPTED", "UNKNOWN"]
    assert {outcomes[key] for key in range(3, 6)} == (
        {"UNKNOWN"} if mode is Mode.BDAT else {"NOT_SENT"}
    )
    assert 0.3 < time.monotonic() - began < 20


@pytest.mark.parametrize("mode", [Mode.PLAIN, Mode.DATA])
@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
def test_silence_before_the_content_leaves_the_message_unsent(server, mode, verb, short_timeouts):
    answer(server, verb, STALL, key=2)
    if verb == "DATA":
        commands = []
        server.script = lambda got, line, _: (
            (commands.append(1) or (STALL if len(commands) == 3 else None))
            if got == "DATA"
            else None
        )
    assert send(server, mode, 5) == expected(5, 2, "NOT_SENT", "NOT_SENT")


def test_a_server_that_replies_byte_by_byte_runs_into_the_reply_timeout(server, monkeypatch):
    """Each byte arrives in time, but the whole reply never does."""
    monkeypatch.setattr(timeouts, "REPLY_TIMEOUT", 1.0)
    stop = threading.Event()

    def script(verb, line, server):
        if verb == "RCPT":
            while not stop.wait(0.05):
                server.send_raw(b"2")
        return

    server.script = script
    began = time.monotonic()
    try:
        assert send(server, Mode.DATA, 1) == {0: "NOT_SENT"}
    finally:
        stop.set()
    assert time.monotonic() - began < 20


def test_no_message_waits_longer_than_its_lease_however_slow_the_others_are(server, monkeypatch):
    monkeypatch.setattr(timeouts, "MESSAGE_TIMEOUT", 1.5)
    server.seconds = 0.3
    outcomes = send(server, Mode.BDAT, 10)
    assert outcomes[0] == "ACCEPTED"
    assert outcomes[9] == "UNKNOWN"


@pytest.mark.parametrize("mode", Mode)
def test_a_stopping_worker_does_not_wait_for_a_silent_server(server, mode):
    server.script = lambda verb, line, _: STALL if verb == "CONTENT" else None
    server.extensions = OFFERS[mode]
    stop = time.monotonic() + 0.5
    with SmtpConnection(server.relay, should_stop=lambda: time.monotonic() > stop) as connection:
        put(connection, 1)
        assert verdicts(connection.take()) == {1: "UNKNOWN"}
    assert time.monotonic() - stop < 10


def test_a_connection_closed_while_idle_loses_no_message(server):
    server.extensions = OFFERS[Mode.BDAT]
    with SmtpConnection(server.relay) as connection:
        put(connection, 1)
        put(connection, 2)
        assert set(verdicts(connection.take()).values()) == {"ACCEPTED"}
        server.disconnect()
        time.sleep(0.05)
        put(connection, 3, LONG)
        assert verdicts(connection.take()) == {3: "NOT_SENT"}


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize(
    "garbage",
    [
        "hello",
        "2",
        "25O OK",
        "\0\0\0",
        "250-" + "x" * 20_000,
        "\r\n".join(["250-again"] * 500),
        TOO_MANY,
    ],
    ids=["word", "digit", "letter", "zeros", "long line", "no end", "too many"],
)
def test_a_malformed_reply_ends_the_connection_and_loses_no_message(server, mode, garbage):
    answer(server, "RCPT", garbage, key=3)
    outcomes = send(server, mode, 8)
    assert [outcomes[key] for key in range(3)] == ["ACCEPTED"] * 3
    # A 250 counts even if the server sends it before the command that it answers.
    if garbage != TOO_MANY or mode is not Mode.BDAT:
        assert "ACCEPTED" not in [outcomes[key] for key in range(3, 8)]
    assert set(outcomes.values()) <= {"ACCEPTED", "UNKNOWN", "NOT_SENT", "DEFERRED"}


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("reply", ["354 go on", "150 wait", "999 what", "250-half\r\n550 whole"])
def test_a_reply_that_is_neither_success_nor_failure_leaves_the_message_uncertain(
    server, mode, reply
):
    answer(server, "CONTENT", reply, key=0)
    assert send(server, mode, 1) == {0: "UNKNOWN"}


@pytest.mark.parametrize("mode", PIPELINED_MODES)
def test_client_and_server_do_not_deadlock_on_full_buffers(server, mode):
    """The server answers with more than fits into its buffers while we write.

    It reads no further until all of its answer is sent.
    """
    server.reply_padding = 60_000
    server.extensions = OFFERS[mode]
    with SmtpConnection(server.relay) as connection:
        for key in range(30):
            put(connection, key, LONG * 10)
        assert verdicts(connection.take()) == dict.fromkeys(range(30), "ACCEPTED")
