"""A reader who lost the link asks for it by address; everybody gets the same answer."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from subscribers import tasks
from subscribers.consent import suppression
from subscribers.mail import due
from subscribers.mail.relays import parse_relay
from subscribers.models import RequestedMail, Subscriber
from subscribers.preferences import requested_mail
from subscribers.preferences.link_request import request_link
from subscribers.preferences.requested_mail import LINKS_PER_DAY
from subscribers.privacy import retention
from subscribers.signup.abuse import Attempt, limits, new_form_token
from subscribers.signup.abuse.buckets import LocalBuckets
from subscribers.views.link_access import preferences_subscription
from tests import factories
from tests.factories import NOW
from tests.subscribers.preferences.conftest import link

pytestmark = pytest.mark.django_db


@pytest.fixture
def post_form(client):
    def post_form(email, REMOTE_ADDR="127.0.0.1", **fields):
        opened = new_form_token(timezone.now() - timedelta(seconds=10))
        data = {"email": email, "opened": opened, **fields}
        return client.post(reverse("lost-link"), data, REMOTE_ADDR=REMOTE_ADDR)

    return post_form


def send_all(now=NOW):
    for mail_id in requested_mail.due_ids(now=now):
        requested_mail.send_if_due(mail_id, now=now)
    return mail.outbox


def send_request(email="ann@example.com", now=NOW):
    request_link(email=email, attempt=Attempt(trusted=True), now=now)


@pytest.mark.parametrize("confirmed_at", [None, NOW])
def test_a_reader_who_has_not_confirmed_gets_the_link_to_confirm(client, newsletter, confirmed_at):
    waiting = factories.subscription(
        newsletter, "ann@example.com", status="pending", confirmed_at=confirmed_at
    )
    send_request(now=timezone.now())
    (message,) = send_all(timezone.now())

    assert message.subject == "Please confirm: The Daily"
    assert "/u/" in message.body  # they can leave by it, too
    (url,) = re.findall(r"http://[^/]+(/confirm/\S+)", message.body)
    client.post(url)
    waiting.refresh_from_db()
    assert waiting.status == "active"


def test_the_link_comes_by_mail(client, post_form, active):
    answer = post_form("Ann@Example.com")

    assert answer["Location"] == reverse("lost-link-sent")
    assert client.get(answer["Location"]).status_code == 200
    tasks.send_mails()
    assert [message.to for message in mail.outbox] == [["ann@example.com"]]
    assert mail.outbox[0].subject == "Your link to your preferences"
    assert link(active) in mail.outbox[0].body
    assert link(active) in mail.outbox[0].alternatives[0].content


def test_a_known_an_unknown_and_a_suppressed_address_get_the_same_answer(client, post_form, active):
    suppressed = factories.subscription(active.newsletter, "bob@example.com")
    suppression.suppress(email="bob@example.com", reason="complaint", now=NOW)

    answers = [
        post_form(email) for email in ("ann@example.com", "no@example.com", "bob@example.com")
    ]

    assert len({(a.status_code, a["Location"], a.content) for a in answers}) == 1
    tasks.send_mails()
    assert [message.to for message in mail.outbox] == [["ann@example.com"]]
    assert suppressed.subscriber.email == "bob@example.com"
    outcomes = dict(RequestedMail.objects.values_list("email_key", "outcome"))
    assert outcomes == {
        "ann@example.com": "sent", "no@example.com": "unknown", "bob@example.com": "suppressed",
    }  # fmt: skip


def test_a_known_and_an_unknown_address_cost_the_same_queries(
    post_form, active, django_assert_num_queries
):
    post_form("warm-up@example.com")
    for email in ("ann@example.com", "nobody@example.com"):
        with django_assert_num_queries(5):
            post_form(email)


def test_looking_at_the_page_does_nothing_and_an_invalid_address_is_explained(client, post_form):
    assert client.get(reverse("lost-link")).status_code == 200
    page = post_form("ann@example").content.decode()

    assert 'role="alert"' in page
    assert 'value="ann@example"' in page
    assert not RequestedMail.objects.exists()


def test_a_bot_gets_the_same_answer_and_no_mail(post_form, active):
    assert post_form("ann@example.com", website="x")["Location"] == reverse("lost-link-sent")

    assert not RequestedMail.objects.exists()


@pytest.mark.parametrize("redis", ["with Redis", "without Redis"])
def test_sign_ups_from_a_shared_network_do_not_use_up_its_limit_of_links(
    client, post_form, settings, active, monkeypatch, redis, request
):
    monkeypatch.setattr(limits, "local_buckets", LocalBuckets())
    if redis == "without Redis":
        request.getfixturevalue("no_redis")
    settings.SIGNUP_LIMIT_NETWORK = 3
    monkeypatch.setattr(limits, "UNPROVEN_SHARE", 3 / settings.SIGNUP_LIMIT)
    network = {"REMOTE_ADDR": "192.0.2.9"}
    form = reverse("newsletter", args=[active.newsletter.slug])
    for n in range(4):
        opened = new_form_token(timezone.now() - timedelta(seconds=10))
        client.post(form, {"email": f"reader{n}@example.com", "opened": opened}, **network)
    assert Subscriber.objects.filter(email__startswith="reader").count() == 3

    answer = post_form("ann@example.com", **network)
    for n in range(3):
        post_form(f"nobody{n}@example.com", **network)

    assert answer["Location"] == reverse("lost-link-sent")
    # Links have the same limit as sign-ups, and it is counted separately.
    assert RequestedMail.objects.count() == 3


def test_a_challenge_has_to_be_solved_first_if_one_is_needed(post_form, settings, active):
    settings.SIGNUP_CHALLENGE = "always"

    page = post_form("ann@example.com").content.decode()

    assert 'id="challenge"' in page
    assert not RequestedMail.objects.exists()


def test_an_address_gets_one_link_in_five_minutes_and_five_a_day(active):
    for second in range(50):
        send_request(now=NOW + timedelta(seconds=second))
    assert len(send_all(NOW + timedelta(minutes=1))) == 1

    for hour in range(1, 23):
        send_request(now=NOW + timedelta(hours=hour))
        send_all(NOW + timedelta(hours=hour))
    assert len(mail.outbox) == LINKS_PER_DAY
    send_request(now=NOW + timedelta(hours=25))
    assert len(send_all(NOW + timedelta(hours=25))) == LINKS_PER_DAY + 1


def test_the_mail_comes_from_a_newsletter_with_an_active_subscription(active):
    ended = factories.newsletter(name="Gone", slug="gone")
    factories.second_subscription(active.subscriber, ended, status="unsubscribed")
    send_request()

    assert send_all()[0].from_email.startswith("The Daily ")


def test_the_mail_is_in_the_readers_language(active):
    Subscriber.objects.update(language="de")
    send_request()

    html = send_all()[0].alternatives[0].content
    assert '<html lang="de"' in html


def test_an_unsubscribed_reader_gets_the_link_and_an_erased_one_does_not(active):
    factories.force_update(active.subscriber.subscriptions.all(), status="unsubscribed")
    send_request()
    assert len(send_all()) == 1

    Subscriber.objects.update(erased_at=NOW)
    later = NOW + timedelta(minutes=6)
    send_request(now=later)
    assert len(send_all(later)) == 1


# --- Sending ------------------------------------------------------------------------------------


def test_a_requested_mail_is_sent_once(active):
    send_request()
    requested = RequestedMail.objects.get()

    sent = [requested_mail.send_if_due(requested.pk, now=NOW) for _ in range(2)]

    assert sent == [True, False]
    assert len(mail.outbox) == 1


def test_the_mail_of_a_killed_worker_is_due_again_after_the_lease(active, monkeypatch):
    send_request()

    def killed(*args, **kwargs):
        raise SystemExit

    monkeypatch.setattr("django.core.mail.EmailMessage.send", killed)
    with pytest.raises(SystemExit):
        requested_mail.send_if_due(RequestedMail.objects.get().pk, now=NOW)

    assert requested_mail.due_ids(now=NOW) == []
    assert len(requested_mail.due_ids(now=NOW + due.LEASE)) == 1


def test_the_pauses_double_while_the_relay_is_unreachable_until_the_mail_is_given_up(
    active, settings
):
    settings.EMAIL_BACKEND = "subscribers.mail.failover.FailoverBackend"
    settings.EMAIL_RELAYS = [parse_relay("smtp://127.0.0.1:9")]
    send_request()
    requested = RequestedMail.objects.get()

    pauses, now = [], NOW
    for _ in range(4):
        assert not requested_mail.send_if_due(requested.pk, now=now)
        requested.refresh_from_db()
        pauses.append((requested.due_at - now) // timedelta(minutes=1))
        now = requested.due_at
    assert pauses == [1, 1, 2, 4]

    requested_mail.send_if_due(requested.pk, now=NOW + timedelta(hours=73))
    requested.refresh_from_db()
    assert (requested.due_at, requested.outcome) == (None, "given-up")


@pytest.mark.parametrize(
    ("reply", "outcome"), [("550 5.1.1 No such user", "refused"), ("451 4.7.1 Greylisted", "")]
)
def test_a_permanent_refusal_is_final_and_a_temporary_one_is_not(active, relay, reply, outcome):
    relay.replies["ann@example.com"] = reply
    send_request()

    assert not requested_mail.send_if_due(RequestedMail.objects.get().pk, now=NOW)
    assert RequestedMail.objects.get().outcome == outcome


def test_a_worker_slower_than_its_lease_leaves_a_mail_that_another_has_sent(active, monkeypatch):
    send_request()
    requested, compose = RequestedMail.objects.get(), requested_mail.compose

    def hang(**values):
        monkeypatch.setattr(requested_mail, "compose", compose)
        assert requested_mail.send_if_due(requested.pk, now=NOW + due.LEASE)
        raise OSError("the connection is lost")

    monkeypatch.setattr(requested_mail, "compose", hang)
    assert not requested_mail.send_if_due(requested.pk, now=NOW)

    requested.refresh_from_db()
    assert (requested.due_at, requested.outcome) == (None, "sent")
    assert len(mail.outbox) == 1


def test_a_mail_that_fails_does_not_hold_up_the_others(active, monkeypatch):
    send_request("no@example.com")
    send_request()
    broken = RequestedMail.objects.get(email_key="no@example.com").pk
    send_if_due = requested_mail.send_if_due

    def breaks(mail_id, *, now):
        if mail_id == broken:
            raise ValueError("broken")
        return send_if_due(mail_id, now=now)

    monkeypatch.setattr(requested_mail, "send_if_due", breaks)
    assert not requested_mail.send_all_due(clock=lambda: NOW)
    assert len(mail.outbox) == 1


def test_a_mail_that_cannot_be_composed_is_postponed_and_given_up_like_any_other(
    active, monkeypatch, caplog
):
    def broken(**_):
        raise ZeroDivisionError

    monkeypatch.setattr(requested_mail, "compose", broken)
    send_request()
    requested = RequestedMail.objects.get()

    assert not requested_mail.send_if_due(requested.pk, now=NOW)
    requested.refresh_from_db()
    assert requested.due_at == NOW + timedelta(minutes=1)
    assert "ZeroDivisionError" in caplog.text

    assert not requested_mail.send_if_due(requested.pk, now=NOW + timedelta(hours=73))
    requested.refresh_from_db()
    assert (requested.due_at, requested.outcome) == (None, "given-up")


def test_a_request_for_an_unknown_address_is_deleted_after_a_day(active):
    send_request("no@example.com")
    send_all()

    retention.purge(now=NOW + timedelta(hours=23))
    assert RequestedMail.objects.exists()
    retention.purge(now=NOW + timedelta(hours=25))
    assert not RequestedMail.objects.exists()


def test_the_link_in_the_mail_is_the_readers_own(active):
    send_request()
    body = send_all()[0].body

    token = body.partition("/preferences/")[2].partition("/")[0]
    assert preferences_subscription(token) == active


# --- A mailbox with several addresses -----------------------------------------------------------


def tagged_readers(newsletter, number):
    for n in range(number):
        factories.subscription(newsletter, f"pat+{n}@example.com")


def sent_at(clock):
    """Send what is due at each of these times; return when each mail went out."""
    return [now for now in clock for _ in range(sent_until(now))]


def sent_until(now):
    before = len(mail.outbox)
    return len(send_all(now)) - before


def test_links_to_the_addresses_of_one_mailbox_go_out_one_in_five_minutes_and_five_a_day(active):
    tagged_readers(active.newsletter, LINKS_PER_DAY + 3)
    for n in range(LINKS_PER_DAY + 3):
        send_request(f"pat+{n}@example.com", NOW + timedelta(seconds=n))

    five_minutes = timedelta(minutes=5, seconds=1)
    clock = [NOW + n * five_minutes for n in range(20)]
    assert sent_at(clock) == clock[:LINKS_PER_DAY]
    assert RequestedMail.objects.filter(outcome="too-often").count() == 3


def test_requests_for_addresses_that_nobody_has_do_not_use_up_the_links_of_their_mailbox(active):
    for n in range(50):
        send_request(f"ann+{n}@example.com", NOW + timedelta(seconds=n))
    send_request(now=NOW + timedelta(minutes=1))

    due_at = RequestedMail.objects.get(email_key="ann@example.com").due_at
    assert due_at <= NOW + timedelta(minutes=26)
    while requested_mail.due_ids(now=due_at):
        send_all(due_at)
    assert [message.to for message in mail.outbox] == [["ann@example.com"]]


def test_a_request_for_another_mailbox_does_not_wait(active):
    send_request("pat@example.com")
    send_request("ann@example.com", NOW + timedelta(seconds=1))

    assert len(send_all(NOW + timedelta(seconds=1))) == 1
