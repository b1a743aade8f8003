"""An edition goes out through an ESP's API as it would go out through SMTP."""

from __future__ import annotations

import os
import smtplib
import subprocess
import sys
import warnings

import pytest

from digest.delivery.esp import table
from digest.delivery.proof import send_test
from digest.delivery.replies import Verdict
from digest.delivery.transport import connect
from subscribers.mail import compose
from subscribers.models import Section
from subscribers.relays import parse_relay
from tests import factories
from tests.conftest import ROOT, Received
from tests.delivery.esp_server import (
    frozen_with,
    mailgun_delivers,
    outgoing,
    send,
    verdicts,
)
from tests.factories import NOW

pytestmark = pytest.mark.django_db
SYNTAX = "{{x}} {% y %} -daybreak_x- -x- *|z|* <% b %> [[c]] {$d} %5 = 100 %"
MAILGUN_SYNTAX = "What %recipient.daybreak_UNSUBSCRIBE% means"


# --- What goes over the wire ----------------------------------------------------------------------


def test_postmark_gets_whole_messages_in_one_request(esp, postmark_relay, page):
    letters = [outgoing(page, n) for n in range(1, 4)]

    outcomes, transport = send(postmark_relay, page, letters)

    assert verdicts(outcomes) == [Verdict.ACCEPTED] * 3
    assert list(outcomes) == [1001, 1002, 1003]
    assert transport.accepted == 3
    [request] = esp.asked
    assert request.path == "/email/batch"
    assert request.headers["X-Postmark-Server-Token"] == "token-of-mine"
    for letter, message in zip(letters, request.json, strict=True):
        headers = {one["Name"]: one["Value"] for one in message["Headers"]}
        assert headers["List-Unsubscribe"] == f"<{letter.reader.unsubscribe_url}>"
        assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert headers["Message-ID"] == letter.reader.message_id
        assert headers["X-PM-KeepID"] == "true"
        assert message["Metadata"] == {
            "edition": str(page.edition_id), "delivery": str(letter.key),
        }  # fmt: skip
        assert (message["TrackOpens"], message["TrackLinks"]) == (False, "None")
        assert message["Tag"] == page.edition.newsletter.slug
        assert message["Subject"] == "Today: A plain headline"
        assert message["From"].startswith('"Café, Daily" <')
        assert message["ReplyTo"] == "desk@example.com"
        for body in (message["TextBody"], message["HtmlBody"]):
            assert letter.reader.unsubscribe_url in body
            assert letter.recipient in body
    to = [message["To"] for message in request.json]
    assert to == [
        "Reader Nº 1 <reader1@example.com>", "reader2@example.com",
        "Reader Nº 3 <reader3@example.com>",
    ]  # fmt: skip


def test_mailgun_merges_each_readers_own(esp, mailgun_relay, page):
    letters = [outgoing(page, n) for n in range(1, 4)]

    outcomes, _ = send(mailgun_relay, page, letters)

    assert verdicts(outcomes) == [Verdict.ACCEPTED] * 3
    [request] = esp.asked
    assert request.path == "/v3/mg.example.com/messages"
    delivered = mailgun_delivers(request)
    for letter in letters:
        form = delivered[letter.recipient]
        assert form["h:List-Unsubscribe"] == f"<{letter.reader.unsubscribe_url}>"
        assert form["h:List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert (form["v:edition"], form["v:delivery"]) == (str(page.edition_id), str(letter.key))
        assert (form["o:tracking-opens"], form["o:tracking-clicks"]) == ("no", "no")
        assert form["o:tag"] == page.edition.newsletter.slug
        assert_is_what_smtp_would_send(letter, form["text"], form["html"])


def assert_is_what_smtp_would_send(letter, text, html):
    written = Received(letter.sender, letter.recipient, letter.message)
    assert text.replace("\r\n", "\n") == written.part("plain").replace("\r\n", "\n")
    assert html.replace("\r\n", "\n") == written.part("html").replace("\r\n", "\n")


@pytest.mark.parametrize("headline", [SYNTAX, MAILGUN_SYNTAX])
@pytest.mark.parametrize("name", ["postmark", "mailgun"])
def test_a_headline_full_of_merge_syntax_arrives_verbatim(request, esp, name, headline):
    relay, page = request.getfixturevalue(f"{name}_relay"), frozen_with(headline)
    letters = [outgoing(page, n) for n in range(1, 4)]

    outcomes, _ = send(relay, page, letters)

    assert verdicts(outcomes) == [Verdict.ACCEPTED] * 3
    if name == "postmark":
        sent = [(m["Subject"], m["TextBody"], m["HtmlBody"]) for m in esp.asked[0].json]
    else:
        # Where Mailgun would take the headline for a field, each message goes alone.
        assert len(esp.asked) == (3 if headline == MAILGUN_SYNTAX else 1)
        forms = [form for asked in esp.asked for form in mailgun_delivers(asked).values()]
        sent = [(form["subject"], form["text"], form["html"]) for form in forms]
    for letter, (subject, text, html) in zip(letters, sent, strict=True):
        assert subject == f"Today: {headline}"
        assert headline in text
        assert_is_what_smtp_would_send(letter, text, html)


def test_no_readers_address_or_link_is_in_anothers_message(esp, postmark_relay, page):
    letters = [outgoing(page, n) for n in range(1, 6)]
    send(postmark_relay, page, letters)

    for letter, message in zip(letters, esp.asked[0].json, strict=True):
        for other in letters:
            if other is not letter:
                assert other.recipient not in str(message)
                assert other.reader.unsubscribe_url not in str(message)


def test_no_readers_address_or_link_is_in_anothers_merge_data(esp, mailgun_relay, page):
    letters = [outgoing(page, n) for n in range(1, 6)]
    send(mailgun_relay, page, letters)

    form = esp.asked[0].form
    common = str({k: v for k, v in form.items() if k not in ("to", "recipient-variables")})
    delivered = mailgun_delivers(esp.asked[0])
    for letter in letters:
        assert letter.recipient not in common
        assert letter.reader.unsubscribe_url not in common
        for other in letters:
            if other is not letter:
                assert other.recipient not in str(delivered[letter.recipient])


def test_readers_who_muted_the_same_sections_share_a_request(esp, mailgun_relay, page):
    sport = frozenset({Section.objects.get().pk})
    letters = [outgoing(page, n, muted=sport if n % 2 else frozenset()) for n in range(6)]

    outcomes, _ = send(mailgun_relay, page, letters)

    assert verdicts(outcomes) == [Verdict.ACCEPTED] * 6
    assert len(esp.asked) == 2
    delivered = mailgun_delivers(esp.asked[0]) | mailgun_delivers(esp.asked[1])
    for letter in letters:
        form = delivered[letter.recipient]
        assert ("The final" in form["text"]) == (not letter.reader.muted_sections)
        assert_is_what_smtp_would_send(letter, form["text"], form["html"])


@pytest.mark.subprocess
def test_a_worker_without_an_esp_does_not_load_anymail():
    code = (
        "import sys, django; django.setup(); import digest.tasks, digest.delivery.transport;"
        "sys.exit('anymail' in sys.modules)"
    )
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    assert subprocess.run([sys.executable, "-c", code], env=env, cwd=ROOT).returncode == 0


def test_a_reader_whose_name_is_a_merge_field_is_written_to_alone(esp, mailgun_relay, page):
    letters = [
        outgoing(page, n, email=f"%recipient.x%{n}@example.com" * (n == 2)) for n in range(4)
    ]

    outcomes, _ = send(mailgun_relay, page, letters)

    assert verdicts(outcomes) == [Verdict.ACCEPTED] * 4
    assert sorted(len(asked.form["to"]) for asked in esp.asked) == [1, 3]
    [alone] = [asked.form for asked in esp.asked if len(asked.form["to"]) == 1]
    assert "recipient-variables" not in alone


def test_addresses_that_differ_in_capitals_alone_do_not_share_a_request(esp, postmark_relay, page):
    letters = [
        outgoing(page, 1, email="Ann@example.com"),
        outgoing(page, 2, email="ann@example.com"),
    ]

    outcomes, _ = send(postmark_relay, page, letters)

    assert verdicts(outcomes) == [Verdict.ACCEPTED] * 2
    assert len(esp.asked) == 2


def test_no_more_than_the_ledgers_window_goes_in_one_request(esp, postmark_relay, page):
    outcomes, transport = send(postmark_relay, page, [outgoing(page, n) for n in range(25)])

    assert transport.batch == 20
    assert len(outcomes) == 25
    assert [len(asked.json) for asked in esp.asked] == [20, 5]


def test_an_esp_without_batches_gets_each_message_at_once(esp, page):
    esp.answer = lambda asked: (200, {"status": "success", "data": {"messages": {
        asked.json["to"][0].partition("<")[2].strip(">") or asked.json["to"][0]: {"id": 1}
    }}})  # fmt: skip
    relay = parse_relay(f"anymail+postal://key-of-mine@?api_url={esp.url}")
    letter = outgoing(page, 2)

    with connect(relay, give_up=lambda: False, frozen=page) as transport:
        transport.put(letter)
        assert len(esp.asked) == 1, "it may not wait for others: the reader may leave meanwhile"
        assert verdicts(dict(transport.take(unanswered=20))) == [Verdict.ACCEPTED]
    # Postal sends from the envelope sender that it is given: bounces come to us as over SMTP.
    assert esp.asked[0].json["sender"] == letter.sender
    assert transport.batch <= 5


@pytest.mark.parametrize(
    ("esp_name", "reply", "bodies"),
    [
        (
            "resend",
            lambda asked: {"data": [{"id": "1"} for _ in asked.json]},
            lambda data: [(one["text"], one["html"]) for one in data],
        ),
        (
            "mailtrap",
            lambda asked: {
                "success": True,
                "responses": [{"success": True, "message_ids": ["1"]}]
                * len(asked.json["requests"]),
            },
            lambda data: [(one["text"], one["html"]) for one in data["requests"]],
        ),
        (
            "mailjet",
            lambda asked: {
                "Messages": [
                    {"Status": "success", "To": [{"Email": one["To"][0]["Email"], "MessageID": 1}]}
                    for one in asked.json["Messages"]
                ]
            },
            lambda data: [(one["TextPart"], one["HTMLPart"]) for one in data["Messages"]],
        ),
    ],
)
def test_other_esps_that_take_a_list_get_whole_messages_too(esp, page, esp_name, reply, bodies):
    esp.answer = lambda asked: (200, reply(asked))
    relay = parse_relay(f"anymail+{esp_name}://key-of-mine:secret-of-mine@?api_url={esp.url}")
    letters = [outgoing(page, n) for n in range(1, 4)]

    outcomes, _ = send(relay, page, letters)

    assert verdicts(outcomes) == [Verdict.ACCEPTED] * 3
    [request] = esp.asked
    assert request.body.count(letters[0].reader.unsubscribe_url.encode()) >= 3
    for letter, (text, html) in zip(letters, bodies(request.json), strict=True):
        assert_is_what_smtp_would_send(letter, text, html)
        for other in letters:
            if other is not letter:
                assert other.recipient not in text + html


def test_sendgrid_substitutes_each_readers_own(esp, page):
    esp.answer = lambda asked: (202, "")
    relay = parse_relay(f"anymail+sendgrid://key-of-mine@?api_url={esp.url}")
    letters = [outgoing(page, n) for n in range(1, 4)]

    with warnings.catch_warnings():  # anymail has no account any more to test its SendGrid with
        warnings.simplefilter("ignore")
        outcomes, _ = send(relay, page, letters)

    assert verdicts(outcomes) == [Verdict.ACCEPTED] * 3
    [request] = esp.asked
    for letter, own in zip(letters, request.json["personalizations"], strict=True):
        assert own["headers"]["List-Unsubscribe"] == f"<{letter.reader.unsubscribe_url}>"
        text, html = (part["value"] for part in request.json["content"])
        for token, value in own["substitutions"].items():
            text, html = text.replace(token, value), html.replace(token, value)
        assert_is_what_smtp_would_send(letter, text, html)


def test_an_esp_that_would_render_a_headline_gets_none(esp, page):
    """Brevo cannot be told that braces are only braces: better held than changed."""
    esp.answer = lambda asked: (201, {"messageId": "<1@brevo>"})
    relay = parse_relay(f"anymail+brevo://key-of-mine@?api_url={esp.url}")
    braces = frozen_with("{{x}}")

    outcomes, _ = send(relay, braces, [outgoing(braces, 1)])
    assert verdicts(outcomes) == [Verdict.SENDERS_FAULT]
    assert esp.asked == []

    outcomes, _ = send(relay, page, [outgoing(page, 1)])
    assert verdicts(outcomes) == [Verdict.ACCEPTED]
    assert esp.asked[0].headers["api-key"] == "key-of-mine"


@pytest.mark.parametrize("esp_name", ["brevo", "mailgun"])
def test_an_address_that_an_esp_would_render_is_refused_alone(esp, page, esp_name):
    """Else anybody could stop every edition by subscribing."""
    address = {"brevo": "{{x}}@evil.org", "mailgun": "%unsubscribe_url%@evil.org"}[esp_name]
    answer = {"messageId": "<1@brevo>", "id": "<1@mailgun>", "message": "Queued"}
    esp.answer = lambda asked: (200, answer)
    domain = "&sender_domain=mg.example.com" * (esp_name == "mailgun")
    relay = parse_relay(f"anymail+{esp_name}://key-of-mine@?api_url={esp.url}{domain}")
    letters = [outgoing(page, n, email=address * (n == 2)) for n in range(1, 4)]

    outcomes, _ = send(relay, page, letters)

    expected = {1001: Verdict.ACCEPTED, 1002: Verdict.REFUSED, 1003: Verdict.ACCEPTED}
    assert {key: outcome.verdict for key, outcome in outcomes.items()} == expected
    assert "reader's address" in outcomes[1002].reply
    assert not any(b"evil.org" in asked.body for asked in esp.asked)


def test_a_readers_braces_do_not_excuse_the_editions(esp):
    relay, braces = parse_relay(f"anymail+brevo://k@?api_url={esp.url}"), frozen_with("{{x}}")

    outcomes, _ = send(relay, braces, [outgoing(braces, 1, email="{{x}}@evil.org")])

    assert verdicts(outcomes) == [Verdict.SENDERS_FAULT]


def test_every_esp_of_anymails_has_a_row():
    import pkgutil

    import anymail.backends

    found = {module.name for module in pkgutil.iter_modules(anymail.backends.__path__)}
    assert found - set(table.ESPS) == {
        "base", "base_requests", "console", "test", "sendinblue",
    }  # fmt: skip


# --- The rest of Daybreak -------------------------------------------------------------------------


def test_a_test_copy_goes_through_the_esp(esp, postmark_relay, page, settings):
    settings.EMAIL_RELAYS = [postmark_relay]

    send_test(edition_id=page.edition_id, to="desk@example.com", now=NOW)

    [request] = esp.asked
    assert request.path == "/email"
    assert request.json["To"] == "desk@example.com"
    assert request.json["Subject"] == "[Test] Today: A plain headline"


def test_confirmation_mail_goes_through_the_first_relay(esp, postmark_relay, settings):
    settings.EMAIL_RELAYS = [postmark_relay]
    settings.EMAIL_BACKEND = "subscribers.failover.FirstReachable"

    compose(
        template="confirm", context={"newsletter": factories.newsletter(), "hours": 72},
        to="new@example.com", from_name="Daily", from_email="daily@example.com",
    ).send()  # fmt: skip

    [request] = esp.asked
    assert request.json["To"] == "new@example.com"
    assert request.headers["X-Postmark-Server-Token"] == "token-of-mine"
    esp.answer = lambda asked: (500, "no")
    with pytest.raises(OSError, match="500"):  # what subscribers.confirmation puts off
        compose(
            template="confirm", context={"newsletter": factories.newsletter(), "hours": 72},
            to="new@example.com", from_name="Daily", from_email="daily@example.com",
        ).send()  # fmt: skip
    assert issubclass(smtplib.SMTPException, OSError)
