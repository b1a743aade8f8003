"""A session with a relay opens in time, encrypted and authenticated, or not at all."""

import socket
import ssl
import threading
import time

import pytest
import trustme

from digest.delivery.transport.base import NoConnection, RelayRefuses
from digest.delivery.transport.smtp import Mode, SmtpConnection, timeouts
from subscribers.mail.relays import parse_relay
from tests.digest.delivery.transport.smtp.messages import OFFERS, put, verdicts
from tests.servers.smtp import CUT, STALL, ScriptedServer, running


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def context(authority, tmp_path, monkeypatch):
    trusted = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(trusted))
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def server():
    with running(ScriptedServer()) as server:
        yield server


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("starttls", [False, True], ids=["smtps", "starttls"])
def test_messages_arrive_under_tls_as_they_do_without(server, context, mode, starttls):
    server.context, server.starttls = context, starttls
    server.extensions = (*OFFERS[mode], *["STARTTLS"] * starttls)
    server.replies_byte_by_byte = True
    big = b"A line of news\r\n" * 20_000
    with SmtpConnection(server.relay) as connection:
        assert connection.mode is mode
        for key in range(25):
            put(connection, key, big)
        assert verdicts(connection.take()) == dict.fromkeys(range(25), "ACCEPTED")
    assert [content for _, content in server.arrived] == [big] * 25


@pytest.mark.parametrize("mode", Mode)
def test_a_disconnect_under_tls_loses_no_message(server, context, mode):
    server.context, server.extensions = context, OFFERS[mode]
    server.script = lambda verb, line, _: CUT if verb == "CONTENT" and "reader3@" in line else None
    with SmtpConnection(server.relay) as connection:
        for key in range(6):
            put(connection, key)
        outcomes = verdicts(connection.take())
    assert [outcomes[key] for key in range(4)] == ["ACCEPTED"] * 3 + ["UNKNOWN"]
    assert set(outcomes.values()) <= {"ACCEPTED", "UNKNOWN", "NOT_SENT"}


@pytest.mark.parametrize("starttls", [False, True])
def test_a_certificate_of_an_unknown_authority_is_not_trusted(
    server, context, monkeypatch, starttls
):
    monkeypatch.delenv("SSL_CERT_FILE")
    server.context, server.starttls = context, starttls
    server.extensions = ("STARTTLS",)
    with pytest.raises(NoConnection, match="certificate"):
        SmtpConnection(server.relay)


def test_a_relay_that_lacks_the_required_starttls_gets_nothing(server):
    relay = parse_relay(f"smtp+starttls://u:p@127.0.0.1:{server.port}")
    with pytest.raises(RelayRefuses, match="STARTTLS"):
        SmtpConnection(relay)
    assert not any("AUTH" in line for line in server.lines)


def test_replies_injected_before_tls_begins_end_the_connection(server, context):
    """CVE-2011-0411: an attacker between us and the server may have sent them."""
    server.context, server.starttls = context, True
    server.extensions = ("STARTTLS",)
    server.script = lambda verb, line, _: (
        "220 go on\r\n250-hello\r\n250 PIPELINING" if verb == "STARTTLS" else None
    )
    with pytest.raises(NoConnection):
        SmtpConnection(server.relay)


def test_credentials_are_sent_and_their_refusal_is_final(server):
    server.extensions = ("AUTH PLAIN",)
    relay = parse_relay(f"smtp://daybreak:secret@127.0.0.1:{server.port}")
    with SmtpConnection(relay) as connection:
        assert connection.is_open
    assert any(line.startswith("AUTH PLAIN") for line in server.lines)

    server.script = lambda verb, line, _: "535 5.7.8 wrong" if verb == "AUTH" else None
    with pytest.raises(RelayRefuses, match=r"535 5\.7\.8"):
        SmtpConnection(relay)


@pytest.mark.parametrize(
    ("verb", "reply", "raised"),
    [
        ("GREETING", "421 4.3.2 not now", NoConnection),
        ("GREETING", "554 5.7.1 never", RelayRefuses),
        ("GREETING", "hello", NoConnection),
        ("GREETING", CUT, NoConnection),
        ("GREETING", "220-" + "x" * 20_000, NoConnection),
        ("EHLO", CUT, NoConnection),
        ("EHLO", "421 4.7.0 too many connections", NoConnection),
    ],
)
def test_a_failed_handshake_is_temporary_or_final(server, verb, reply, raised):
    server.script = lambda got, line, _: reply if got == verb else None
    with pytest.raises(raised, match=r"127\.0\.0\.1"):
        SmtpConnection(server.relay)


@pytest.mark.parametrize("verb", ["GREETING", "EHLO"])
def test_a_silent_relay_does_not_block_the_worker(server, monkeypatch, verb):
    server.script = lambda got, line, _: STALL if got == verb else None
    began = time.monotonic()
    with pytest.raises(NoConnection):
        SmtpConnection(server.relay, should_stop=lambda: time.monotonic() > began + 0.3)
    monkeypatch.setattr(timeouts, "REPLY_TIMEOUT", 0.3)
    with pytest.raises(NoConnection):
        SmtpConnection(server.relay)
    assert time.monotonic() - began < 20


def test_a_tls_handshake_that_never_begins_times_out(server, context, monkeypatch):
    server.script = lambda verb, line, _: STALL if verb == "GREETING" else None
    monkeypatch.setattr(timeouts, "CONNECT_TIMEOUT", 0.3)
    began = time.monotonic()
    with pytest.raises(NoConnection):
        SmtpConnection(parse_relay(f"smtps://127.0.0.1:{server.port}"))
    assert time.monotonic() - began < 10


def test_a_relay_that_does_not_accept_the_connection_times_out(monkeypatch):
    """Its backlog is full; a host behind a firewall that drops packets looks the same."""
    monkeypatch.setattr(timeouts, "CONNECT_TIMEOUT", 0.3)
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        callers = [socket.socket() for _ in range(4)]
        for caller in callers:
            caller.setblocking(False)
            caller.connect_ex(full.getsockname())
        began = time.monotonic()
        try:
            with pytest.raises(NoConnection, match="time"):
                SmtpConnection(parse_relay(f"smtp://127.0.0.1:{full.getsockname()[1]}"))
        finally:
            for caller in callers:
                caller.close()
    assert time.monotonic() - began < 10


def test_an_old_server_that_knows_only_helo_gets_the_plain_mode(server):
    server.script = lambda verb, line, _: "502 what?" if verb == "EHLO" else None
    with SmtpConnection(server.relay) as connection:
        assert connection.mode is Mode.PLAIN
        put(connection, 1)
        assert verdicts(connection.take()) == {1: "ACCEPTED"}


@pytest.mark.parametrize("reason", ["the worker stops", "no time is left"])
def test_a_dead_resolver_does_not_block_the_worker(monkeypatch, reason):
    release, resolve = threading.Event(), socket.getaddrinfo

    def dead(host, *args, flags=0, **how):
        if not flags & socket.AI_NUMERICHOST:
            release.wait(60)
        return resolve(host, *args, flags=flags, **how)

    monkeypatch.setattr(socket, "getaddrinfo", dead)
    began = time.monotonic()
    if reason == "no time is left":
        monkeypatch.setattr(timeouts, "CONNECT_TIMEOUT", 0.3)
    try:
        with pytest.raises(NoConnection, match="not resolved"):
            SmtpConnection(
                parse_relay("smtp://localhost:1"),
                should_stop=lambda: reason == "the worker stops" and time.monotonic() > began + 0.3,
            )
        assert time.monotonic() - began < 20
    finally:
        release.set()


def test_a_host_name_is_resolved_and_an_unknown_one_is_an_error(server):
    with SmtpConnection(parse_relay(f"smtp://localhost:{server.port}")) as connection:
        assert connection.is_open
    with pytest.raises(NoConnection, match=r"nowhere\.invalid"):
        SmtpConnection(parse_relay("smtp://nowhere.invalid:25"))
