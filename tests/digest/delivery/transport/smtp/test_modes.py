"""Each message gets its own outcome, in every mode that a server may offer."""

import time

import pytest

from digest.delivery.transport.smtp import Mode, SmtpConnection, modes
from tests.digest.delivery.transport.smtp.messages import MESSAGE, OFFERS, address_of, put, verdicts
from tests.servers.smtp import ScriptedServer, running


@pytest.fixture(params=Mode, ids=lambda mode: mode.name)
def mode(request):
    return request.param


@pytest.fixture
def server(mode):
    with running(ScriptedServer(extensions=OFFERS[mode])) as server:
        yield server


def test_the_mode_is_what_the_server_offers(server, mode):
    with SmtpConnection(server.relay) as connection:
        assert connection.mode is mode


def test_every_message_arrives_whole_and_once(server):
    contents = [b".first\r\n..\r\n.\r\nlast\r\n", b"\r\n", b"no line end", b"x" * 300_000 + b"\r\n"]
    with SmtpConnection(server.relay) as connection:
        for key in range(50):
            put(connection, key, contents[key % 4])
        outcomes = connection.take()
        assert connection.accepted == 50

    assert verdicts(outcomes) == dict.fromkeys(range(50), "ACCEPTED")
    whole = server.extensions == OFFERS[Mode.BDAT]
    assert server.arrived == [
        (address_of(key), contents[key % 4] + (b"\r\n" if key % 4 == 2 and not whole else b""))
        for key in range(50)
    ]
    assert server.lines[-1] == "QUIT"


@pytest.mark.parametrize("option", ["replies_byte_by_byte", "batches_replies"])
def test_replies_may_arrive_in_pieces_or_several_together(server, option):
    setattr(server, option, True)
    server.script = lambda verb, line, _: (
        "250-2.1.0 one\r\n250-two\r\n250 three" if verb in {"MAIL", "RCPT", "CONTENT"} else None
    )
    with SmtpConnection(server.relay) as connection:
        for key in range(30):
            put(connection, key)
        outcomes = connection.take()

    assert verdicts(outcomes) == dict.fromkeys(range(30), "ACCEPTED")
    assert outcomes[7][1].reply == "250 2.1.0 one two three"


@pytest.mark.parametrize(
    ("verb", "reply", "verdict"),
    [
        ("RCPT", "550 5.1.1 no such user", "NO_SUCH_ADDRESS"),
        ("RCPT", "550 no", "REFUSED"),
        ("RCPT", "451 4.7.1 greylisted", "DEFERRED"),
        ("RCPT", "354 what", "DEFERRED"),
        ("CONTENT", "452 4.3.1 full", "DEFERRED"),
        ("CONTENT", "554 5.7.1 spam", "SENDERS_FAULT"),
    ],
)
def test_a_refusal_affects_its_own_reader_only(server, verb, reply, verdict):
    server.script = lambda got, line, _: reply if got == verb and "reader7@" in line else None
    with SmtpConnection(server.relay) as connection:
        for key in range(15):
            put(connection, key)
        outcomes = verdicts(connection.take())

    assert outcomes == dict.fromkeys(range(15), "ACCEPTED") | {7: verdict}
    assert server.taken == [
        (f"bounce+{key}@news.example", address_of(key)) for key in outcomes if key != 7
    ]


@pytest.mark.parametrize("reply", ["552 5.3.4 too big", "452 4.3.1 not now"])
def test_a_refused_sender_does_not_affect_the_next_message(server, reply):
    def script(verb, line, _):
        return reply if verb == "MAIL" and "+4@" in line else None

    server.script = script
    with SmtpConnection(server.relay) as connection:
        for key in range(9):
            put(connection, key)
        outcomes = verdicts(connection.take())

    assert outcomes.pop(4) in {"SENDERS_FAULT", "DEFERRED"}
    assert set(outcomes.values()) == {"ACCEPTED"}
    assert server.taken == [(f"bounce+{key}@news.example", address_of(key)) for key in outcomes]


def test_a_connection_stays_open_although_every_reader_is_refused(server):
    server.script = lambda verb, line, _: "550 5.1.1 gone" if verb == "RCPT" else None
    with SmtpConnection(server.relay) as connection:
        for key in range(40):
            put(connection, key)
        assert verdicts(connection.take()) == dict.fromkeys(range(40), "NO_SUCH_ADDRESS")
        assert connection.is_open
    assert not server.arrived
    assert server.lines[-1] == "QUIT"


def test_data_may_be_accepted_although_its_recipient_was_refused():
    """RFC 2920, section 3.1: an empty message to nobody then ends the transaction."""

    def script(verb, line, server):
        return "550 5.1.1 gone" if verb == "RCPT" and "reader1@" in line else None

    with running(
        ScriptedServer(script, OFFERS[Mode.DATA], accepts_data_without_recipient=True)
    ) as server:
        with SmtpConnection(server.relay) as connection:
            for key in range(4):
                put(connection, key)
            outcomes = connection.take()
        assert verdicts(outcomes) == {
            0: "ACCEPTED", 1: "NO_SUCH_ADDRESS", 2: "ACCEPTED", 3: "ACCEPTED",
        }  # fmt: skip
        assert [content for to, content in server.arrived] == [MESSAGE, b"", MESSAGE, MESSAGE]
        assert server.arrived[1][0] == ""


def test_an_outcome_is_returned_once_and_as_soon_as_it_is_known(server, mode):
    with SmtpConnection(server.relay) as connection:
        assert connection.take() == []
        for key in range(25):
            put(connection, key)
        first = connection.take(unanswered=20)
        assert len(first) >= 5
        rest = connection.take()
        assert connection.take() == []
    assert [key for key, _ in first + rest] == list(range(25))


def test_at_most_twenty_messages_are_unanswered():
    scripted = ScriptedServer(extensions=OFFERS[Mode.BDAT], seconds=0.01)
    with running(scripted) as server, SmtpConnection(server.relay) as connection:
        for key in range(40):
            put(connection, key)
            answered = len(connection._dialogue.known)
            assert key + 1 - answered <= 20
        assert len(connection.take()) == 40


def test_a_connection_at_its_message_limit_takes_no_more(server):
    relay = server.relay.__class__(**{**vars(server.relay), "messages": 7})
    with SmtpConnection(relay) as connection:
        for key in range(7):
            assert connection.is_open
            put(connection, key)
        assert not connection.is_open
        assert verdicts(connection.take()) == dict.fromkeys(range(7), "ACCEPTED")
    assert server.lines[-1] == "QUIT"


def test_an_old_connection_takes_no_more(server, monkeypatch):
    monkeypatch.setattr("digest.delivery.transport.smtp.connection.MAX_SECONDS", 0.0)
    with SmtpConnection(server.relay) as connection:
        put(connection, 1)
        assert not connection.is_open
        assert verdicts(connection.take()) == {1: "ACCEPTED"}


def test_a_closed_connection_sends_nothing(server):
    connection = SmtpConnection(server.relay)
    connection.close()
    put(connection, 1)
    assert verdicts(connection.take()) == {1: "NOT_SENT"}
    assert not connection.is_open


def test_a_message_that_still_waits_is_not_sent_on_close(server, mode):
    connection = SmtpConnection(server.relay)
    put(connection, 1)
    put(connection, 2)
    connection.close()
    outcomes = verdicts(connection.take())
    assert outcomes[1] == "ACCEPTED"
    assert outcomes[2] == ("NOT_SENT" if mode is Mode.DATA else "ACCEPTED")
    assert len(server.taken) == (1 if mode is Mode.DATA else 2)


@pytest.mark.parametrize(
    "address", ["a@example.com\r\nRCPT TO:<b@example.com>", "a\0@example.com", "\ud800@example.com"]
)
def test_an_address_that_breaks_an_smtp_command_never_reaches_the_server(server, address):
    server.extensions = (*server.extensions, "SMTPUTF8")
    with SmtpConnection(server.relay) as connection:
        put(connection, 1, to=address)
        put(connection, 2)
        assert verdicts(connection.take()) == {1: "REFUSED", 2: "ACCEPTED"}
    assert not any(
        "a" in line and "RCPT" in line and "reader2" not in line for line in server.lines
    )


def test_a_distant_relay_gets_small_batches(mode, monkeypatch):
    def slow(verb, line, server):
        if verb == "EHLO":
            time.sleep(0.01)

    with (
        running(ScriptedServer(slow, OFFERS[mode])) as server,
        SmtpConnection(server.relay) as connection,
    ):
        assert connection.batch == (5 if mode is Mode.BDAT else 14)
    monkeypatch.setattr("digest.delivery.transport.smtp.connection._NEAR", 1.0)
    with (
        running(ScriptedServer(slow, OFFERS[mode])) as server,
        SmtpConnection(server.relay) as connection,
    ):
        assert connection.batch == (10 if mode is Mode.BDAT else 14)


def test_the_first_message_goes_alone_and_the_others_back_to_back():
    scripted = ScriptedServer(extensions=OFFERS[Mode.BDAT], seconds=0.2)
    with running(scripted) as server, SmtpConnection(server.relay) as connection:
        put(connection, 0)
        assert len(connection._dialogue.known) == 1
        for key in range(1, 6):
            put(connection, key)
        assert len(connection._dialogue.known) == 1
        connection.take()
    assert server.lines[1:5] == [
        "RSET", "MAIL FROM:<bounce+0@news.example> SIZE=27",
        f"RCPT TO:<{address_of(0)}>", "BDAT 27 LAST",
    ]  # fmt: skip


def test_a_recorded_failure_counts_more_than_what_the_relay_offers(server, mode):
    modes.downgrade(server.relay, Mode.BDAT, "for the test", is_certain=True)
    with SmtpConnection(server.relay) as connection:
        assert connection.mode is min(mode, Mode.DATA)
    with SmtpConnection(server.relay, fastest=Mode.PLAIN) as connection:
        assert connection.mode is Mode.PLAIN
