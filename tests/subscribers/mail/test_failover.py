"""Our own mail goes to the first reachable relay; what one relay refuses goes to no other."""

import asyncio
import smtplib
import socket
from collections import Counter
from threading import Thread

import pytest
from django.core.mail import EmailMessage, get_connection

from subscribers.mail import failover
from subscribers.mail.backends import make_backend
from subscribers.mail.relays import parse_relay
from tests.servers.relay import running_relay

DEAD = "smtp://127.0.0.1:9?name=dead"  # nobody listens there


@pytest.fixture(autouse=True)
def _no_relay_is_skipped(monkeypatch):
    monkeypatch.setattr(failover, "_skipped_until", {})


@pytest.fixture
def spare():
    """A second relay."""
    with running_relay() as relay:
        yield relay


@pytest.fixture
def use_relays(relay, settings):
    def use(*urls):
        settings.EMAIL_RELAYS = [parse_relay(url) for url in urls]

    return use


def url(relay):
    return f"smtp://127.0.0.1:{relay.port}"


def message(to="ann@example.com", **options):
    return EmailMessage("Hello", "Hello", "us@example.com", [to], **options)


def send(to="ann@example.com", **options):
    return message(to, **options).send()


def refusing(greeting):
    """Start a server that sends this greeting, disconnects, and counts its connections."""
    listening = socket.create_server(("127.0.0.1", 0))
    greeted = Counter()

    def serve():
        while True:
            try:
                caller, _ = listening.accept()
            except OSError:
                return
            with caller:
                greeted["times"] += 1
                caller.sendall(greeting)
                caller.recv(100)

    Thread(target=serve, daemon=True).start()
    return listening, greeted


def test_the_first_relay_gets_every_mail_while_it_is_reachable(relay, spare, use_relays):
    use_relays(url(relay), url(spare))

    assert [send(), send()] == [1, 1]

    assert (len(relay.received), len(spare.received)) == (2, 0)


def test_the_next_relay_takes_over_from_an_unreachable_one(relay, use_relays, caplog):
    use_relays(DEAD, url(relay))

    assert send() == 1

    assert len(relay.received) == 1
    assert "dead cannot be reached, the next relay is tried" in caplog.text


@pytest.mark.parametrize("greeting", [b"421 4.3.2 Too busy\r\n", b"554 5.7.1 Not you\r\n"])
def test_the_next_relay_takes_over_from_one_that_refuses_us(relay, use_relays, greeting):
    server, greeted = refusing(greeting)
    use_relays(f"smtp://127.0.0.1:{server.getsockname()[1]}", url(relay))
    with server:
        assert send() == 1
        assert len(relay.received) == 1

        # The next relay stays first for a minute, so that no mail waits for the refusing server.
        assert send() == 1
        assert len(relay.received) == 2
    assert greeted["times"] == 1


def test_the_first_relay_is_tried_first_again_after_a_minute(relay, spare, use_relays, monkeypatch):
    use_relays(url(spare), url(relay))
    monkeypatch.setitem(failover._skipped_until, f"127.0.0.1:{spare.port}", float("inf"))
    send()
    monkeypatch.setitem(failover._skipped_until, f"127.0.0.1:{spare.port}", 0.0)
    send()

    assert (len(relay.received), len(spare.received)) == (1, 1)


def test_a_skipped_relay_is_tried_when_all_are_skipped(relay, use_relays, monkeypatch):
    use_relays(DEAD, url(relay))
    for name in ("dead", f"127.0.0.1:{relay.port}"):
        monkeypatch.setitem(failover._skipped_until, name, float("inf"))

    assert send() == 1
    # The relay was reached, so it is no longer skipped.
    assert set(failover._skipped_until) == {"dead"}


@pytest.mark.parametrize("reply", ["550 5.1.1 No such user", "451 4.7.1 Later"])
def test_a_mail_that_a_relay_refuses_is_tried_at_no_other_relay(relay, spare, use_relays, reply):
    use_relays(url(relay), url(spare))
    relay.replies["ann@example.com"] = reply

    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send()

    assert spare.received == []
    assert send("bob@example.com") == 1
    assert len(relay.received) == 1


def test_the_last_relays_error_is_raised_when_no_relay_is_reachable(use_relays):
    use_relays(DEAD, "smtp://127.0.0.1:9?name=too")

    with pytest.raises(ConnectionRefusedError):
        send()
    assert message().send(fail_silently=True) == 0


def test_a_mail_counts_as_sent_even_if_the_relay_never_answers_quit(spare, use_relays, settings):
    async def hang(*_):
        await asyncio.sleep(30)

    spare.handle_QUIT = hang
    settings.EMAIL_TIMEOUT = 0.5
    use_relays(url(spare))

    assert send() == 1

    assert len(spare.received) == 1


def test_one_connection_sends_several_mails(relay, use_relays):
    use_relays(DEAD, url(relay))

    with get_connection() as connection:
        assert not connection.open()  # it is open already
        assert [send(connection=connection), send(connection=connection)] == [1, 1]
        assert connection.send_messages([]) == 0

    assert len(relay.received) == 2


def test_a_relays_url_sets_host_credentials_and_encryption():
    backend = make_backend(parse_relay("smtp+starttls://me:secret@relay.example:2525"), timeout=7)

    assert (backend.host, backend.port, backend.timeout) == ("relay.example", 2525, 7)
    assert (backend.username, backend.password) == ("me", "secret")
    assert (backend.use_tls, backend.use_ssl) == (True, False)
    assert make_backend(parse_relay("smtps://relay.example"), timeout=(3, 9)).use_ssl
