"""The mail for a sign-up has the right content, and goes out once."""

import re
from datetime import timedelta
from email import policy
from email.parser import BytesParser
from html.parser import HTMLParser

import pytest
from django.core import mail
from django.db.models import F

from subscribers import signed_links, tasks
from subscribers.consent import suppression
from subscribers.consent.record import Origin
from subscribers.mail import due
from subscribers.mail.relays import parse_relay
from subscribers.models import Subscriber, Subscription, Webhook, WebhookDelivery
from subscribers.signup import confirmation_mail, flow
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def newsletter():
    return factories.newsletter(name="The Daily", slug="daily", reply_to="desk@example.com")


def pending(newsletter, email="ann@example.com", **fields):
    defaults = {"status": "pending", "confirmed_at": None, "mail_due_at": NOW, "created_at": NOW}
    return factories.subscription(newsletter, email, **defaults | fields)


def signed_up(newsletter):
    """Return a pending subscription that a sign-up made, unlike that of `pending`."""
    flow.sign_up(newsletter=newsletter, email="ann@example.com", origin=Origin(), now=NOW)
    return Subscription.objects.get()


def send(subscription, *, now=NOW):
    sent = confirmation_mail.send_if_due(subscription.pk, now=now)
    subscription.refresh_from_db()
    return sent


# --- Content ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["confirm", "reminder"])
@pytest.mark.parametrize("language", ["en", "ar", "de", "es", "fr", "ja", "pt"])
def test_an_imported_reader_is_not_told_that_they_entered_their_address(newsletter, language, kind):
    texts = []
    for source in ("news.example.com/", Subscription.FROM_LIST):
        reader = pending(newsletter, f"ann{source[:4]}@example.com", source=source, mail_kind=kind)
        Subscriber.objects.update(language=language)
        send(reader)
        texts.append(mail.outbox[-1].body)

    entered, from_list = (" ".join(text.split()) for text in texts)
    words = {"en": ("entered", "older list"), "de": ("eingetragen", "älteren Liste")}
    for word, text in zip(words.get(language, ()), (entered, from_list), strict=False):
        assert word in text
        assert (word in entered) != (word in from_list)
    first = [text.split("http")[0] for text in (entered, from_list)]
    assert first[0] != first[1]


def test_an_imported_reader_who_signs_up_is_told_that_the_address_was_entered(newsletter):
    reader = signed_up(newsletter)
    Subscription.objects.update(source=Subscription.FROM_LIST)

    send(reader)

    assert "This address was entered" in mail.outbox[0].body


@pytest.fixture(params=["pending", "active"])
def sent_mail(request, newsletter):
    """Return each of the two mails in turn."""
    confirmed = NOW if request.param == "active" else None
    send(pending(newsletter, status=request.param, confirmed_at=confirmed))
    return mail.outbox[0]


def test_a_strict_parser_finds_no_defect(sent_mail):
    raw = sent_mail.message().as_bytes(linesep="\r\n")

    message = BytesParser(policy=policy.strict).parsebytes(raw)

    assert [part.defects for part in message.walk()] == [[], [], []]
    assert message.get_content_type() == "multipart/alternative"
    kinds = [part.get_content_type() for part in message.iter_parts()]
    assert kinds == ["text/plain", "text/html"]
    for part in message.iter_parts():
        assert part["Content-Transfer-Encoding"] == "quoted-printable"
        assert part.get_content_charset() == "utf-8"
    head, _, body = raw.partition(b"\r\n\r\n")
    assert max(map(len, body.split(b"\r\n"))) <= 76
    assert max(map(len, head.split(b"\r\n"))) < 998
    for name in ("From", "To", "Date", "Subject", "Message-ID", "Auto-Submitted"):
        assert len(message.get_all(name)) == 1
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].endswith("@mail.example.com>")
    assert message["Reply-To"] == "desk@example.com"
    assert message["From"] == "The Daily <daily@mail.example.com>"


class Tags(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.tags = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


def test_the_html_is_fit_for_mail_clients(sent_mail, newsletter):
    html = sent_mail.alternatives[0].content
    tags = Tags(html).tags

    assert html.startswith("<!DOCTYPE html>")
    assert dict(tags)["html"] == {"lang": "en", "dir": "ltr"}
    assert '<meta http-equiv="Content-Type" content="text/html; charset=utf-8">' in html
    assert all(attrs.get("role") == "presentation" for tag, attrs in tags if tag == "table")
    links = [attrs["href"] for tag, attrs in tags if tag == "a"]
    assert links
    assert all(link.startswith("http://localhost") for link in links)
    assert not {tag for tag, _ in tags} & {"script", "form", "link", "img"}
    assert "!important" in html
    assert not re.search(r"\{\{|\{%|__[A-Z]+__", html + sent_mail.body)
    assert newsletter.postal_line in html
    assert newsletter.postal_line in sent_mail.body
    assert len(html) < 20_000


def test_the_text_has_every_link_of_the_html(sent_mail):
    html = sent_mail.alternatives[0].content

    for link in {attrs["href"] for tag, attrs in Tags(html).tags if tag == "a"}:
        assert link in sent_mail.body


def test_the_mail_repeats_nothing_that_a_stranger_wrote(newsletter):
    subscription = pending(newsletter)
    subscription.subscriber.name = "Win a prize at evil.example"
    subscription.subscriber.save()

    send(subscription)

    message = mail.outbox[0]
    assert "evil.example" not in message.message().as_string()
    assert "ann@example.com" not in message.body + message.alternatives[0].content


def test_a_newsletters_name_is_escaped_where_it_must_be(newsletter):
    newsletter.name = 'Müller & <Sons> "Daily"'
    newsletter.save()

    send(pending(newsletter))

    message = mail.outbox[0]
    assert message.subject == 'Please confirm: Müller & <Sons> "Daily"'
    assert 'Müller & <Sons> "Daily"' in message.body
    html = message.alternatives[0].content
    assert "Müller &amp; &lt;Sons&gt;" in html
    assert "<Sons>" not in html
    parsed = BytesParser(policy=policy.strict).parsebytes(message.message().as_bytes())
    assert parsed["From"].addresses[0].display_name == 'Müller & <Sons> "Daily"'


# --- Which mail is sent, if any -----------------------------------------------------------------


def test_a_pending_reader_gets_the_link(newsletter):
    subscription = pending(newsletter)

    assert send(subscription)

    assert mail.outbox[0].subject == "Please confirm: The Daily"
    token = re.search(r"/confirm/(\S+)/", mail.outbox[0].body)[1]
    assert flow.confirm(token=token, origin=Origin(), now=NOW).subscription == subscription
    assert subscription.mail_due_at is None
    assert subscription.mail_sent_at == NOW


def test_an_active_reader_is_told_of_the_existing_subscription(newsletter):
    send(pending(newsletter, status="active", confirmed_at=NOW))

    assert mail.outbox[0].subject == "You already get The Daily"


def test_a_suppressed_address_gets_nothing(newsletter):
    suppression.suppress(email="ANN@example.com", reason="complaint", now=NOW)
    subscription = pending(newsletter)

    assert not send(subscription)
    assert mail.outbox == []
    assert subscription.mail_due_at is None


def test_an_unsubscribed_reader_gets_nothing(newsletter):
    assert not send(pending(newsletter, status="unsubscribed"))
    assert mail.outbox == []


# --- Each mail goes out once --------------------------------------------------------------------


def test_a_task_that_runs_twice_sends_one_mail(newsletter):
    subscription = pending(newsletter)

    assert [send(subscription), send(subscription)] == [True, False]
    assert len(mail.outbox) == 1


def test_a_mail_leased_by_another_worker_is_not_sent(newsletter):
    subscription = pending(newsletter)
    Subscription.objects.update(mail_due_at=F("mail_due_at") + due.LEASE)

    assert not send(subscription)


def test_the_mail_of_a_killed_worker_is_due_again_after_the_lease(newsletter, monkeypatch):
    subscription = pending(newsletter)

    def killed(*args, **kwargs):
        raise SystemExit

    monkeypatch.setattr("django.core.mail.EmailMessage.send", killed)
    with pytest.raises(SystemExit):
        send(subscription)

    assert confirmation_mail.due_ids(now=NOW) == []
    assert confirmation_mail.due_ids(now=NOW + due.LEASE) == [subscription.pk]


def test_the_longest_waiting_mail_goes_first_and_reminders_go_last(newsletter):
    for name, minutes, kind in [
        ("reminded", 9, "reminder"), ("late", 1, "confirm"), ("early", 2, "confirm")
    ]:  # fmt: skip
        due_at = NOW - timedelta(minutes=minutes)
        pending(newsletter, f"{name}@example.com", mail_due_at=due_at, mail_kind=kind)
    pending(newsletter, "none@example.com", mail_due_at=None)
    pending(newsletter, "later@example.com", mail_due_at=NOW + timedelta(seconds=1))

    assert not confirmation_mail.send_all_due(clock=lambda: NOW)

    names = [message.to[0].partition("@")[0] for message in mail.outbox]
    assert names == ["early", "late", "reminded"]


def test_a_mail_that_fails_does_not_hold_up_the_others(newsletter, monkeypatch, caplog):
    broken = pending(newsletter, "broken@example.com", mail_due_at=NOW - timedelta(minutes=1))
    pending(newsletter)
    compose = confirmation_mail._compose

    def break_one(subscription, *, now):
        if subscription.pk == broken.pk:
            raise ZeroDivisionError
        return compose(subscription, now=now)

    monkeypatch.setattr(confirmation_mail, "_compose", break_one)
    confirmation_mail.send_all_due(clock=lambda: NOW)

    assert [message.to for message in mail.outbox] == [["ann@example.com"]]
    assert f"Mail for subscription {broken.pk} failed" in caplog.text


def test_the_tick_enqueues_send_mails_when_a_mail_is_due(newsletter, monkeypatch):
    calls = []
    monkeypatch.setattr(tasks, "enqueue_once", calls.append)

    tasks.tick()
    pending(newsletter)
    tasks.tick()

    assert calls == [tasks.send_mails.name]


def test_a_confirmation_before_the_relay_has_answered_loses_no_welcome(newsletter, monkeypatch):
    subscription = pending(newsletter)
    token = signed_links.confirm_token(subscription, now=NOW)

    def press(message):
        flow.confirm(token=token, origin=Origin(), now=NOW)

    monkeypatch.setattr("django.core.mail.EmailMessage.send", press)
    assert send(subscription)

    assert (subscription.mail_kind, subscription.mail_due_at) == ("welcome", NOW)


# --- A relay that fails -------------------------------------------------------------------------


def test_the_pauses_double_while_the_relay_is_unreachable(newsletter, settings):
    settings.EMAIL_BACKEND = "subscribers.mail.failover.FailoverBackend"
    settings.EMAIL_RELAYS = [parse_relay("smtp://127.0.0.1:9")]
    subscription = pending(newsletter)

    pauses, now = [], NOW
    for _ in range(5):
        assert not send(subscription, now=now)
        pauses.append((subscription.mail_due_at - now) // timedelta(minutes=1))
        now = subscription.mail_due_at

    assert pauses == [1, 1, 2, 4, 8]


def test_the_mail_is_given_up_after_three_days(newsletter, settings):
    settings.EMAIL_BACKEND = "subscribers.mail.failover.FailoverBackend"
    settings.EMAIL_RELAYS = [parse_relay("smtp://127.0.0.1:9")]
    subscription = pending(newsletter)

    assert not send(subscription, now=NOW + timedelta(hours=73))
    assert subscription.mail_due_at is None
    assert subscription.mail_sent_at is None


def test_the_three_days_count_from_when_the_mail_was_first_due(newsletter, relay):
    relay.replies["ann@example.com"] = "421 4.7.0 Try again later"
    # The last reader of a long imported list, whose mail became due five days after the import.
    subscription = pending(newsletter, created_at=NOW - timedelta(days=5))

    pauses, now = [], NOW
    for _ in range(4):
        assert not send(subscription, now=now)
        pauses.append((subscription.mail_due_at - now) // timedelta(minutes=1))
        now = subscription.mail_due_at

    assert pauses == [1, 1, 2, 4]
    assert not send(subscription, now=NOW + timedelta(hours=73))
    assert (subscription.mail_due_at, subscription.mail_due_since) == (None, None)


def test_a_new_sign_up_restarts_the_three_days_of_a_postponed_mail(newsletter, relay):
    relay.replies["ann@example.com"] = "421 4.7.0 Try again later"
    subscription = pending(newsletter)
    send(subscription)
    later = NOW + timedelta(days=4)
    origin = Origin()
    factories.force_update(Subscription.objects.all(), mail_due_at=later + timedelta(days=1))
    flow.sign_up(newsletter=newsletter, email="ann@example.com", origin=origin, now=later)

    assert not send(subscription, now=later)
    assert subscription.mail_due_at == later + timedelta(minutes=1)


def test_a_refused_recipient_is_not_tried_again(newsletter, relay):
    relay.replies["ann@example.com"] = "550 5.1.1 No such user"
    subscription = pending(newsletter)

    assert not send(subscription)
    assert subscription.mail_due_at is None


@pytest.mark.parametrize("reply", ["451 4.7.1 Greylisted", "554 5.7.1 Relay access denied"])
def test_a_temporary_refusal_or_one_that_is_our_fault_is_tried_again(newsletter, relay, reply):
    relay.replies["ann@example.com"] = reply
    subscription = pending(newsletter)

    assert not send(subscription)
    assert subscription.mail_due_at == NOW + timedelta(minutes=1)
    relay.replies.clear()
    assert send(subscription, now=NOW + timedelta(minutes=1))
    assert relay.mails_to("ann@example.com")[0].message["Subject"] == "Please confirm: The Daily"


# --- Errors in our own code ---------------------------------------------------------------------


def test_a_mail_that_cannot_be_composed_is_postponed_and_given_up_like_any_other(
    newsletter, monkeypatch, caplog
):
    def broken(**_):
        raise ZeroDivisionError

    monkeypatch.setattr(confirmation_mail, "compose", broken)
    subscription = pending(newsletter)

    pauses, now = [], NOW
    for _ in range(4):
        assert not send(subscription, now=now)
        pauses.append((subscription.mail_due_at - now) // timedelta(minutes=1))
        now = subscription.mail_due_at

    assert pauses == [1, 1, 2, 4]
    assert "ZeroDivisionError" in caplog.text
    assert not send(subscription, now=NOW + timedelta(hours=73))
    assert subscription.mail_due_at is None


def test_a_sent_mail_is_not_sent_again_when_its_webhook_event_fails(
    newsletter, monkeypatch, caplog
):
    def broken(**_):
        raise ZeroDivisionError

    factories.webhook()
    monkeypatch.setattr(confirmation_mail, "emit_for_subscription", broken)
    subscription = signed_up(newsletter)

    assert send(subscription)

    assert (subscription.mail_due_at, subscription.mail_sent_at) == (None, NOW)
    assert f"notified of the sign-up of subscription {subscription.pk}" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_webhook_deleted_during_its_event_causes_no_second_mail(newsletter, monkeypatch):
    gone = factories.webhook().pk
    Webhook.objects.all().delete()
    monkeypatch.setattr("subscribers.webhooks.emit._listeners", lambda *_: [gone])
    subscription = signed_up(newsletter)

    assert send(subscription)

    assert (subscription.mail_due_at, subscription.mail_sent_at) == (None, NOW)
    assert not WebhookDelivery.objects.exists()
