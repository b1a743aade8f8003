"""An edition goes out through an ESP's API as it would go out through SMTP."""

from __future__ import annotations

import os
import smtplib
import subprocess
import sys
import warnings

import pytest

from digest.delivery.send_test import send_test
from digest.delivery.transport.connect import connect
from digest.delivery.transport.esp import capabilities
from digest.delivery.transport.replies import Verdict
from subscribers.mail.compose import compose
from subscribers.mail.relays import parse_relay
from subscribers.models import Section
from tests import factories
from tests.factories import NOW
from tests.servers.esp import (
    frozen_with,
    mailgun_delivers,
    outgoing,
    send,
    verdicts,
)
from tests.servers.relay import ReceivedMail
from tests.support.paths import ROOT

pytestmark = pytest.mark.django_db
SYNTAX = "{{x}} {% y %} -daybreak_x- -x- *|z|* <% b %> [[c]] {$d} %5 = 100 %"
MAILGUN_SYNTAX = "What %recipient.daybreak_UNSUBSCRIBE% means"


# --- What goes over the wire ----------------------------------------------------------------------


def test_postmark_gets_each_readers_message_in_a_request_of_its_own(esp, postmark_relay, page):
    copies = [outgoing(page, n) for n in range(1, 4)]

    outcomes, transport = send(postmark_relay, page, copies)

    assert verdicts(outcomes) == [Verdict.ACCEPTED] * 3
    assert list(outcomes) == [1001, 1002, 1003]
    assert transport.accepted == 3
    for copy, request in zip(copies, esp.posts, strict=True):
        assert request.path == "/email"
        assert request.headers["X-Postmark-Server-Token"] == "token-of-mine"
        message = request.json
        headers = {one["Name"]: one["Value"] for one in message["Headers"]}
        assert headers["List-Unsubscribe"] == f"<{copy.reader.unsubscribe_url}>"
        assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert headers["Message-ID"] == copy.reader.message_id
        assert headers["X-PM-KeepID"] == "true"
        assert message["Metadata"] == {
            "edition": str(page.edition_id), "delivery": str(copy.key),
        }  # fmt: skip
        assert (message["TrackOpens"], message["TrackLinks"]) == (False, "None")
        assert message["Tag"] == page.edition.newsletter.slug
        assert message["Subject"] == "Today: A plain headline"
        assert message["From"].startswith('"Café, Daily" <')
        assert message["ReplyTo"] == "desk@example.com"
        for body in (message["TextBody"], message["HtmlBody"]):
            assert copy.reader.unsubscribe_url in body
            assert copy.recipient in body
    assert [request.json["To"] for request in esp.posts] == [
        "Reader Nº 1 <reader1@example.com>", "reader2@example.com",
        "Reader Nº 3 <reader3@example.com>",
    ]  # fmt: skip


def test_mailgun_merges_each_readers_own_values(esp, mailgun_relay, page):
    copies = [outgoing(page, n) for n in range(1, 4)]

    outcomes, _ = send(mailgun_relay, page, copies)

    assert verdicts(outcomes) == [Verdict.ACCEPTED] * 3
    [request] = esp.posts
    assert request.path == "/v3/mg.example.com/messages"
    delivered = mailgun_delivers(request)
    for copy in copies:
        form = delivered[copy.recipient]
        assert form["h:List-Unsubscribe"] == f"<{copy.reader.unsubscribe_url}>"
        assert form["h:List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert (form["v:edition"], form["v:delivery"]) == (str(page.edition_id), str(copy.key))
        assert (form["o:tracking-opens"], form["o:tracking-clicks"]) == ("no", "no")
        assert form["o:tag"] == page.edition.newsletter.slug
        assert_is_what_smtp_would_send(copy, form["text"], form["html"])


def assert_is_what_smtp_would_send(copy, text, html):
    written = ReceivedMail(copy.sender, copy.recipient, copy.message)
    assert text.replace("\r\n", "\n") == written.part("plain").replace("\r\n", "\n")
    assert html.replace("\r\n", "\n") == written.part("html").replace("\r\n", "\n")


@pytest.mark.parametrize("headline", [SYNTAX, MAILGUN_SYNTAX])
@pytest.mark.parametrize("name", ["postmark", "mailgun"])
def test_a_headline_full_of_merge_syntax_arrives_verbatim(request, esp, name, headline):
    relay, page = request.getfixturevalue(f"{name}_relay"), frozen_with(headline)
    copies = [outgoing(page, n) for n in range(1, 4)]

    outcomes, _ = send(relay, page, copies)

    assert verdicts(outcomes) == [Verdict.ACCEPTED] * 3
    if name == "postmark":
        requests = [post.json for post in esp.posts]
        sent = [(m["Subject"], m["TextBody"], m["HtmlBody"]) for m in requests]
    else:
        # If Mailgun would read the headline as a field, each message gets its own request.
        assert len(esp.posts) == (3 if headline == MAILGUN_SYNTAX else 1)
        forms = [form for post in esp.posts for form in mailgun_delivers(post).values()]
        sent = [(form["subject"], form["text"], form["html"]) for form in forms]
    for copy, (subject, text, html) in zip(copies, sent, strict=True):
        assert subject == f"Today: {headline}"
        assert headline in text
        assert_is_what_smtp_would_send(copy, text, html)


def test_no_readers_address_or_link_is_in_anothers_message(esp, postmark_relay, page):
    copies = [outgoing(page, n) for n in range(1, 6)]
    send(postmark_relay, page, copies)

    for copy, message in zip(copies, [post.json for post in esp.posts], strict=True):
        for other in copies:
            if other is not copy:
                assert other.recipient not in str(message)
                assert other.reader.unsubscribe_url not in str(message)


def test_no_readers_address_or_link_is_in_anothers_merge_data(esp, mailgun_relay, page):
    copies = [outgoing(page, n) for n in range(1, 6)]
    send(mailgun_relay, page, copies)

    form = esp.posts[0].form
    common = str({k: v for k, v in form.items() if k not in ("to", "recipient-variables")})
    delivered = mailgun_delivers(esp.posts[0])
    for copy in copies:
        assert copy.recipient not in common
        assert copy.reader.unsubscribe_url not in common
        for other in copies:
            if other is not copy:
                assert other.recipient not in str(delivered[copy.recipient])


def test_readers_who_muted_the_same_sections_share_a_request(esp, mailgun_relay, page):
    sport = frozenset({Section.objects.get().pk})
    copies = [outgoing(page, n, muted=sport if n % 2 else frozenset()) for n in range(6)]

    outcomes, _ = send(mailgun_relay, page, copies)

    assert verdicts(outcomes) == [Verdict.ACCEPTED] * 6
    assert len(esp.posts) == 2
    delivered = mailgun_delivers(esp.posts[0]) | mailgun_delivers(esp.posts[1])
    for copy in copies:
        form = delivered[copy.recipient]
        assert ("The final" in form["text"]) == (not copy.reader.muted_sections)
        assert_is_what_smtp_would_send(copy, form["text"], form["html"])


@pytest.mark.subprocess
def test_a_worker_without_an_esp_does_not_load_anymail():
    code = (
        "import sys, django; django.setup(); import digest.tasks;"
        "import digest.delivery.transport.connect;"
        "sys.exit('anymail' in sys.modules)"
    )
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    assert subprocess.run([sys.executable, "-c", code], env=env, cwd=ROOT).returncode == 0


def test_a_reader_whose_address_is_a_merge_field_gets_a_request_of_their_own(
    esp, mailgun_relay, page
):
    copies = [outgoing(page, n, email=f"%recipient.x%{n}@example.com" * (n == 2)) for n in range(4)]

    outcomes, _ = send(mailgun_relay, page, copies)

    assert verdicts(outcomes) == [Verdict.ACCEPTED] * 4
    assert sorted(len(post.form["to"]) for post in esp.posts) == [1, 3]
    [single] = [post.form for post in esp.posts if len(post.form["to"]) == 1]
    assert "recipient-variables" not in single


def test_addresses_that_differ_only_in_case_do_not_share_a_request(esp, mailgun_relay, page):
    copies = [
        outgoing(page, 1, email="Ann@example.com"),
        outgoing(page, 2, email="ann@example.com"),
    ]

    outcomes, _ = send(mailgun_relay, page, copies)

    assert verdicts(outcomes) == [Verdict.ACCEPTED] * 2
    assert len(esp.posts) == 2


def test_a_request_carries_at_most_one_window(esp, mailgun_relay, page):
    outcomes, transport = send(mailgun_relay, page, [outgoing(page, n) for n in range(25)])

    assert transport.batch == 20
    assert len(outcomes) == 25
    assert [len(post.form["to"]) for post in esp.posts] == [20, 5]


def test_an_esp_without_batches_gets_each_message_immediately(esp, page):
    esp.answer = lambda post: (200, {"status": "success", "data": {"messages": {
        post.json["to"][0].partition("<")[2].strip(">") or post.json["to"][0]: {"id": 1}
    }}})  # fmt: skip
    relay = parse_relay(f"anymail+postal://key-of-mine@?api_url={esp.url}")
    copy = outgoing(page, 2)

    with connect(relay, should_stop=lambda: False, frozen=page) as transport:
        transport.put(copy)
        assert len(esp.posts) == 1, (
            "the message may not wait for others: its reader may unsubscribe"
        )
        assert verdicts(dict(transport.take(unanswered=20))) == [Verdict.ACCEPTED]
    # Postal sends from the envelope sender that it is given: bounces come to us as over SMTP.
    assert esp.posts[0].json["sender"] == copy.sender
    assert transport.batch <= 5


@pytest.mark.parametrize(
    ("esp_name", "reply", "body"),
    [
        (
            "resend",
            lambda post: {"id": "1"},
            lambda data: (data["text"], data["html"]),
        ),
        (
            "mailtrap",
            lambda post: {"success": True, "message_ids": ["1"]},
            lambda data: (data["text"], data["html"]),
        ),
        (
            "mailjet",
            lambda post: {
                "Messages": [
                    {"Status": "success", "To": [{"Email": one["To"][0]["Email"], "MessageID": 1}]}
                    for one in post.json["Messages"]
                ]
            },
            lambda data: (data["Globals"]["TextPart"], data["Globals"]["HTMLPart"]),
        ),
    ],
)
def test_other_esps_get_what_smtp_would_send(esp, page, esp_name, reply, body):
    esp.answer = lambda post: (200, reply(post))
    relay = parse_relay(f"anymail+{esp_name}://key-of-mine:secret-of-mine@?api_url={esp.url}")
    copies = [outgoing(page, n) for n in range(1, 4)]

    outcomes, _ = send(relay, page, copies)

    assert verdicts(outcomes) == [Verdict.ACCEPTED] * 3
    for copy, request in zip(copies, esp.posts, strict=True):
        assert request.body.count(copy.reader.unsubscribe_url.encode()) >= 3
        text, html = body(request.json)
        assert_is_what_smtp_would_send(copy, text, html)
        for other in copies:
            if other is not copy:
                assert other.recipient not in text + html


def test_sendgrid_substitutes_each_readers_own_values(esp, page):
    esp.answer = lambda post: (202, "")
    relay = parse_relay(f"anymail+sendgrid://key-of-mine@?api_url={esp.url}")
    copies = [outgoing(page, n) for n in range(1, 4)]

    with warnings.catch_warnings():  # anymail has no account to test SendGrid with, and warns
        warnings.simplefilter("ignore")
        outcomes, _ = send(relay, page, copies)

    assert verdicts(outcomes) == [Verdict.ACCEPTED] * 3
    [request] = esp.posts
    for copy, own in zip(copies, request.json["personalizations"], strict=True):
        assert own["headers"]["List-Unsubscribe"] == f"<{copy.reader.unsubscribe_url}>"
        text, html = (part["value"] for part in request.json["content"])
        for token, value in own["substitutions"].items():
            text, html = text.replace(token, value), html.replace(token, value)
        assert_is_what_smtp_would_send(copy, text, html)


def test_a_headline_that_an_esp_would_render_is_not_sent(esp, page):
    """Brevo has no way to escape braces, so the edition is held rather than changed."""
    esp.answer = lambda post: (201, {"messageId": "<1@brevo>"})
    relay = parse_relay(f"anymail+brevo://key-of-mine@?api_url={esp.url}")
    braces = frozen_with("{{x}}")

    outcomes, _ = send(relay, braces, [outgoing(braces, 1)])
    assert verdicts(outcomes) == [Verdict.SENDERS_FAULT]
    assert esp.posts == []

    outcomes, _ = send(relay, page, [outgoing(page, 1)])
    assert verdicts(outcomes) == [Verdict.ACCEPTED]
    assert esp.posts[0].headers["api-key"] == "key-of-mine"


@pytest.mark.parametrize("esp_name", ["brevo", "mailgun"])
def test_an_address_that_an_esp_would_render_is_refused_alone(esp, page, esp_name):
    """Otherwise anybody could stop every edition by subscribing."""
    address = {"brevo": "{{x}}@evil.org", "mailgun": "%unsubscribe_url%@evil.org"}[esp_name]
    answer = {"messageId": "<1@brevo>", "id": "<1@mailgun>", "message": "Queued"}
    esp.answer = lambda post: (200, answer)
    domain = "&sender_domain=mg.example.com" * (esp_name == "mailgun")
    relay = parse_relay(f"anymail+{esp_name}://key-of-mine@?api_url={esp.url}{domain}")
    copies = [outgoing(page, n, email=address * (n == 2)) for n in range(1, 4)]

    outcomes, _ = send(relay, page, copies)

    expected = {1001: Verdict.ACCEPTED, 1002: Verdict.REFUSED, 1003: Verdict.ACCEPTED}
    assert {key: outcome.verdict for key, outcome in outcomes.items()} == expected
    assert "reader's address" in outcomes[1002].reply
    assert not any(b"evil.org" in post.body for post in esp.posts)


def test_an_edition_with_braces_is_held_although_a_reader_has_braces_too(esp):
    relay, braces = parse_relay(f"anymail+brevo://k@?api_url={esp.url}"), frozen_with("{{x}}")

    outcomes, _ = send(relay, braces, [outgoing(braces, 1, email="{{x}}@evil.org")])

    assert verdicts(outcomes) == [Verdict.SENDERS_FAULT]


def test_every_esp_that_anymail_knows_is_in_the_table():
    import pkgutil

    import anymail.backends

    found = {module.name for module in pkgutil.iter_modules(anymail.backends.__path__)}
    assert found - set(capabilities.ESPS) == {
        "base", "base_requests", "console", "test", "sendinblue",
    }  # fmt: skip


# --- Test copies and confirmation mail ------------------------------------------------------------


def test_a_test_copy_goes_through_the_esp(esp, postmark_relay, page, settings):
    settings.EMAIL_RELAYS = [postmark_relay]

    send_test(edition_id=page.edition_id, to="desk@example.com", now=NOW)

    [request] = esp.posts
    assert request.path == "/email"
    assert request.json["To"] == "desk@example.com"
    assert request.json["Subject"] == "[Test] Today: A plain headline"


def test_confirmation_mail_goes_through_the_first_relay(esp, postmark_relay, settings):
    settings.EMAIL_RELAYS = [postmark_relay]
    settings.EMAIL_BACKEND = "subscribers.mail.failover.FailoverBackend"

    compose(
        template="confirm", context={"newsletter": factories.newsletter(), "link_days": 3},
        to="new@example.com", from_name="Daily", from_email="daily@example.com",
    ).send()  # fmt: skip

    [request] = esp.posts
    assert request.json["To"] == "new@example.com"
    assert request.headers["X-Postmark-Server-Token"] == "token-of-mine"
    esp.answer = lambda post: (500, "no")
    with pytest.raises(OSError, match="500"):  # which subscribers.signup.confirmation_mail defers
        compose(
            template="confirm", context={"newsletter": factories.newsletter(), "link_days": 3},
            to="new@example.com", from_name="Daily", from_email="daily@example.com",
        ).send()  # fmt: skip
    assert issubclass(smtplib.SMTPException, OSError)
