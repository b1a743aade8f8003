"""A relay that cannot do what it offers gets a simpler mode; nobody is lost or sent to twice."""

import logging

import pytest
from django.conf import settings
from django.core.cache import cache
from redis import Redis

from digest.delivery.transport.smtp import Mode, SmtpConnection, modes, timeouts
from subscribers.plumbing import shared_cache, shared_redis
from tests.digest.delivery.transport.smtp.messages import OFFERS, address_of, put, verdicts
from tests.servers.smtp import CUT, STALL, ScriptedServer, running
from tests.support.no_redis import take_redis_away

pytestmark = pytest.mark.usefixtures("_short_timeouts")


@pytest.fixture
def _short_timeouts(monkeypatch):
    for name in ("REPLY_TIMEOUT", "CONTENT_TIMEOUT", "CLOSING_TIMEOUT"):
        monkeypatch.setattr(timeouts, name, 0.3)


@pytest.fixture
def server():
    with running(ScriptedServer(extensions=OFFERS[Mode.BDAT])) as server:
        yield server


def deliver(server, count=6):
    """Send until nobody is left, as lanes do; return ([modes used], keys ever uncertain)."""
    left, used, uncertain = list(range(count)), [], set()
    while left:
        assert len(used) < 6
        with SmtpConnection(server.relay) as connection:
            used.append(connection.mode)
            for key in left:
                put(connection, key)
            outcomes = verdicts(connection.take())
        assert sorted(outcomes) == left
        assert set(outcomes.values()) <= {"ACCEPTED", "NOT_SENT", "UNKNOWN"}
        uncertain |= {key for key, verdict in outcomes.items() if verdict == "UNKNOWN"}
        left = [key for key, verdict in outcomes.items() if verdict != "ACCEPTED"]
    return used, uncertain


def times_taken(server, key):
    return sum(to == address_of(key) for _, to in server.taken)


def pipelined(server):
    """Return whether commands came in a pipeline."""
    return server.lines.count("RSET") > 0


def test_a_server_that_drops_pipelined_commands_gets_the_plain_mode(server):
    server.drops_pipelined = True
    used, uncertain = deliver(server)

    assert used == [Mode.BDAT, Mode.DATA, Mode.PLAIN]
    assert not uncertain
    assert [to for _, to in server.taken] == [address_of(key) for key in range(6)]


@pytest.mark.parametrize("code", ["500", "501 5.5.4", "502 5.5.1", "503"])
def test_a_server_that_refuses_the_bdat_it_offered_gets_data(server, code):
    """By RFC 3030 the server drops the content; some servers read it as commands."""
    server.script = lambda verb, line, _: f"{code} what?" if verb == "BDAT" else None
    for reads_refused_bdat in (False, True):
        server.reads_refused_bdat = reads_refused_bdat
        cache.clear()
        used, uncertain = deliver(server)
        assert used == [Mode.BDAT, Mode.DATA]
        assert not uncertain
    assert all(times_taken(server, key) == 2 for key in range(6))


@pytest.mark.parametrize("reply", [STALL, CUT])
def test_a_server_that_hangs_or_closes_at_bdat_gets_data(server, reply):
    server.script = lambda verb, line, _: reply if verb == "BDAT" else None
    used, uncertain = deliver(server)

    assert used == [Mode.BDAT, Mode.DATA]
    # The end of this message was written, and nobody knows what the server did with it.
    assert uncertain <= {0}
    assert all(times_taken(server, key) == 1 for key in range(6))


@pytest.mark.parametrize("code", ["500", "502 5.5.1", "503 5.5.0"])
@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
def test_a_server_that_refuses_pipelined_commands_gets_the_plain_mode(server, verb, code):
    server.extensions = OFFERS[Mode.DATA]

    def script(got, line, server):
        return f"{code} too fast" if got == verb and server.connections == 1 else None

    server.script = script
    used, uncertain = deliver(server)
    assert used == [Mode.DATA, Mode.PLAIN]
    assert not uncertain
    assert [to for _, to in server.taken] == [address_of(key) for key in range(6)]


@pytest.mark.parametrize("reply", [STALL, CUT])
@pytest.mark.parametrize("mode", [Mode.DATA, Mode.BDAT])
def test_a_server_that_hangs_or_closes_on_pipelining_gets_the_plain_mode(server, mode, reply):
    server.extensions = OFFERS[mode]
    server.script = lambda verb, line, server: (
        reply if verb == "RCPT" and server.connections <= mode else None
    )
    used, uncertain = deliver(server)
    assert used == list(range(mode, -1, -1))
    assert not uncertain
    assert [to for _, to in server.taken] == [address_of(key) for key in range(6)]


def test_a_server_that_drops_input_behind_the_final_dot_gets_the_plain_mode(server):
    server.extensions = OFFERS[Mode.DATA]
    server.drops_after_content = True
    used, uncertain = deliver(server)

    assert used == [Mode.DATA, Mode.PLAIN]
    assert not uncertain
    assert [to for _, to in server.taken] == [address_of(key) for key in range(6)]


def test_a_server_that_reads_refused_content_as_commands_gets_data(server):
    """This is the worst fault: nobody can tell any more which reply answers which command."""
    server.reads_refused_bdat = True
    server.script = lambda verb, line, server: (
        "550 5.1.1 no" if verb == "RCPT" and "reader2@" in line and server.connections == 1
        else None
    )  # fmt: skip
    with SmtpConnection(server.relay) as connection:
        for key in range(8):
            put(connection, key)
        outcomes = verdicts(connection.take())
        assert not connection.is_open

    assert [outcomes.pop(key) for key in range(3)] == ["ACCEPTED", "ACCEPTED", "NO_SUCH_ADDRESS"]
    assert set(outcomes.values()) <= {"UNKNOWN", "NOT_SENT"}
    for key in outcomes:
        assert outcomes[key] == "UNKNOWN" or not times_taken(server, key)
    assert modes.fastest_working(server.relay) is Mode.DATA


def test_a_broken_bdat_stream_is_followed_by_a_connection_with_data(server):
    """Some relays close without a 421 after a certain number of messages."""
    server.script = lambda verb, line, server: (
        CUT if verb == "MAIL" and len(server.taken) == 3 * server.connections else None
    )
    with SmtpConnection(server.relay) as connection:
        for key in range(8):
            put(connection, key)
        assert "UNKNOWN" in verdicts(connection.take()).values()
    with SmtpConnection(server.relay) as connection:
        assert connection.mode is Mode.DATA
        for key in range(8):
            put(connection, key)
        assert "UNKNOWN" not in verdicts(connection.take()).values()
    # The disconnect does not count against DATA.
    assert modes.fastest_working(server.relay) is Mode.DATA


@pytest.mark.parametrize(
    ("verb", "reply"),
    [
        ("MAIL", "501 5.1.7 bad sender"),
        ("MAIL", "550 5.7.1 no"),
        ("RCPT", "501 5.1.3 bad address"),
        ("RCPT", "550 5.1.1 no such user"),
        ("CONTENT", "554 5.7.1 spam"),
        ("MAIL", "421 4.7.0 enough"),
        ("RCPT", "451 4.7.1 greylisted"),
    ],
)
def test_a_refused_message_does_not_change_the_mode(server, verb, reply):
    server.script = lambda got, line, _: reply if got == verb else None
    for _ in range(2):
        with SmtpConnection(server.relay) as connection:
            put(connection, 0)
            connection.take()
    assert modes.fastest_working(server.relay) is Mode.BDAT


def test_a_501_for_one_recipient_does_not_change_the_mode(server):
    server.script = lambda verb, line, _: (
        "501 bad address" if verb == "RCPT" and "reader3@" in line else None
    )
    expected = dict.fromkeys(range(6), "ACCEPTED") | {3: "REFUSED"}
    with SmtpConnection(server.relay) as connection:
        for key in range(6):
            put(connection, key)
        assert verdicts(connection.take()) == expected
    assert modes.fastest_working(server.relay) is Mode.BDAT


def test_a_stopping_worker_does_not_change_the_mode(server):
    server.script = lambda verb, line, _: STALL if verb in {"RCPT", "BDAT"} else None
    with SmtpConnection(
        server.relay, should_stop=lambda: "RCPT" in str(server.lines)
    ) as connection:
        put(connection, 0)
        assert verdicts(connection.take()) == {0: "NOT_SENT"}
    server.script = lambda verb, line, _: None
    assert modes.fastest_working(server.relay) is Mode.BDAT


def test_a_suspicion_lasts_for_minutes_and_the_second_one_for_a_day(server, caplog):
    with caplog.at_level(logging.WARNING):
        modes.downgrade(server.relay, Mode.BDAT, "closed", is_certain=False)
        assert modes.fastest_working(server.relay) is Mode.DATA
        assert "DATA for 600 s" in caplog.text
        modes.downgrade(server.relay, Mode.BDAT, "closed", is_certain=False)
        assert "DATA for 86400 s" in caplog.text
        modes.downgrade(server.relay, Mode.DATA, "closed", is_certain=False)
    assert "PLAIN for 600 s" in caplog.text
    assert modes.fastest_working(server.relay) is Mode.PLAIN


def test_other_processes_learn_the_mode_from_the_cache(server):
    modes.downgrade(server.relay, Mode.BDAT, "503", is_certain=True)
    assert modes.fastest_working(server.relay) is Mode.DATA


def test_a_process_remembers_the_mode_whatever_becomes_of_redis(server, settings, tmp_path):
    modes.downgrade(server.relay, Mode.BDAT, "503", is_certain=True)
    Redis.from_url(settings.REDIS_URL).flushdb()
    assert modes.fastest_working(server.relay) is Mode.DATA
    take_redis_away(settings, tmp_path)
    assert modes.fastest_working(server.relay) is Mode.DATA
    cache.clear()
    shared_redis.reset_redis_for_tests()


def test_what_one_lane_knows_is_not_shortened_by_what_another_suspects(server, caplog):
    modes.downgrade(server.relay, Mode.DATA, "closed", is_certain=False)
    modes.downgrade(server.relay, Mode.BDAT, "503", is_certain=True)
    assert modes.fastest_working(server.relay) is Mode.PLAIN
    for store in (cache, shared_cache._local()):
        store.delete(modes._key(server.relay, Mode.DATA))
    assert modes.fastest_working(server.relay) is Mode.DATA

    caplog.clear()
    modes.downgrade(server.relay, Mode.BDAT, "closed", is_certain=False)
    assert caplog.text == ""
    redis = Redis.from_url(settings.REDIS_URL)
    assert redis.ttl(cache.make_key(modes._key(server.relay, Mode.BDAT))) > 80_000


def test_a_process_without_redis_remembers_the_mode_by_itself(server, no_redis):
    server.drops_pipelined = True
    used, uncertain = deliver(server)
    assert used == [Mode.BDAT, Mode.DATA, Mode.PLAIN]
    assert not uncertain
