"""Signing up stores a pending subscription; the page does not tell who is a reader."""

import time
from datetime import timedelta

import psycopg
import pytest
from celery import Celery
from django.db import connection
from django.urls import reverse

from subscribers.addresses.address import BadAddress
from subscribers.consent import suppression
from subscribers.consent.record import WORDING_VERSION, Origin
from subscribers.models import Consent, Newsletter, Subscriber, Subscription
from subscribers.plumbing import queue
from subscribers.signup import flow, newsletter_cache
from subscribers.signup.confirmation_mail import SEND_TASK
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db

ORIGIN = Origin(page="https://news.example.com/", ip_address="192.0.2.7", user_agent="Firefox")


@pytest.fixture
def newsletter():
    return factories.newsletter()


@pytest.fixture
def form_url(newsletter):
    return reverse("newsletter", args=[newsletter.slug])


def sign_up(newsletter, email="ann@example.com", *, now=NOW, **fields):
    flow.sign_up(newsletter=newsletter, email=email, origin=ORIGIN, now=now, **fields)


def test_a_sign_up_stores_a_pending_subscription_and_the_mail_that_is_due(newsletter):
    sign_up(newsletter, "Ann@Example.com")

    subscription = Subscription.objects.get()
    assert subscription.status == "pending"
    assert subscription.mail_due_at == NOW
    assert subscription.mail_sent_at is None
    assert subscription.subscriber.email == "Ann@example.com"


def test_the_consent_record_is_complete(client, newsletter, form_url):
    client.post(
        form_url,
        {"email": "ann@example.com"},
        headers={"User-Agent": "Firefox/140"},
        REMOTE_ADDR="2001:db8::7",
    )

    consent = Consent.objects.get()
    assert consent.kind == "signup"
    assert newsletter.name in consent.wording
    assert consent.wording_version == WORDING_VERSION
    assert consent.page == f"http://testserver{form_url}"
    assert consent.language == "en"
    assert consent.ip_address == "2001:db8::7"
    assert consent.user_agent == "Firefox/140"


def test_the_wording_on_the_page_is_the_wording_in_the_record(client, form_url):
    page = client.get(form_url).content.decode()
    client.post(form_url, {"email": "ann@example.com"})

    assert Consent.objects.get().wording in page


def test_odd_headers_of_a_client_are_shortened_for_the_record(client, form_url):
    client.post(
        form_url,
        {"email": "ann@example.com"},
        headers={"User-Agent": "x" * 5000},
        REMOTE_ADDR="fe80::1%eth0",
    )

    consent = Consent.objects.get()
    assert len(consent.user_agent) == 300
    assert consent.ip_address == "fe80::1"


def test_an_ipv4_mapped_ipv6_address_is_stored_as_ipv4(client, form_url):
    client.post(form_url, {"email": "ann@example.com"}, REMOTE_ADDR="::ffff:192.0.2.7")

    assert Consent.objects.get().ip_address == "192.0.2.7"


def test_the_forwarded_address_is_trusted_only_behind_a_proxy(client, form_url, settings):
    forwarded = {"X-Forwarded-For": "203.0.113.9, 198.51.100.4"}
    client.post(form_url, {"email": "ann@example.com"}, headers=forwarded)
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    client.post(form_url, {"email": "bob@example.com"}, headers=forwarded)

    addresses = Consent.objects.order_by("pk").values_list("ip_address", flat=True)
    assert list(addresses) == ["127.0.0.1", "198.51.100.4"]


def test_a_new_an_active_a_suppressed_and_an_unsubscribed_address_get_the_same_answer(
    client, newsletter, form_url
):
    factories.subscription(newsletter, "active@example.com")
    factories.subscription(newsletter, "gone@example.com", status="unsubscribed")
    suppression.suppress(email="bounced@example.com", reason="bounce", now=NOW)

    answers = set()
    for name in ("new", "active", "gone", "bounced"):
        response = client.post(form_url, {"email": f"{name}@example.com"}, follow=True)
        answers.add((tuple(response.redirect_chain), response.status_code, response.content))

    assert len(answers) == 1


def test_a_new_and_a_suppressed_address_cost_the_same_queries(
    newsletter, django_assert_num_queries, django_assert_max_num_queries
):
    suppression.suppress(email="bounced@example.com", reason="bounce", now=NOW)
    with django_assert_max_num_queries(16) as new:
        sign_up(newsletter, "new@example.com")
    with django_assert_num_queries(len(new.captured_queries)):
        sign_up(newsletter, "bounced@example.com")


def test_two_spellings_of_one_address_are_one_reader(newsletter):
    sign_up(newsletter, "ann@example.com")
    sign_up(newsletter, "ANN@example.com")

    assert Subscriber.objects.count() == Subscription.objects.count() == 1


def test_signing_up_after_unsubscribing_invalidates_old_links(newsletter):
    left = factories.subscription(
        newsletter, "ann@example.com", status="unsubscribed", ended_at=NOW - timedelta(days=1)
    )

    sign_up(newsletter)

    left.refresh_from_db()
    assert (left.status, left.generation, left.mail_due_at) == ("pending", 2, NOW)


def test_an_active_reader_stays_active(newsletter):
    known = factories.subscription(newsletter, "ann@example.com")

    sign_up(newsletter)

    known.refresh_from_db()
    assert known.status == "active"
    assert known.mail_due_at == NOW  # a mail that says so


def test_a_reader_who_waits_in_an_import_queue_and_signs_up_waits_no_longer(newsletter):
    later = NOW + timedelta(hours=6)
    factories.subscription(
        newsletter, "ann@example.com", status="pending", confirmed_at=None, mail_due_at=later
    )

    sign_up(newsletter)
    assert Subscription.objects.get().mail_due_at == NOW
    assert Consent.objects.filter(kind="signup").count() == 1
    sign_up(newsletter, now=NOW + timedelta(minutes=1))
    assert Consent.objects.filter(kind="signup").count() == 1


@pytest.mark.parametrize("is_known", [True, False])
def test_nobody_is_stored_for_a_newsletter_that_was_deleted_a_moment_ago(
    client, newsletter, form_url, is_known
):
    if is_known:
        factories.subscription(factories.newsletter(), "ann@example.com")
    assert newsletter_cache.get(newsletter.slug)
    readers = Subscriber.objects.count()
    # Another process deletes it like this, and this process notices only after a while.
    Newsletter.objects.filter(pk=newsletter.pk)._raw_delete(using="default")

    answer = client.post(form_url, {"email": "ann@example.com"})

    assert answer.status_code == 302
    assert Subscriber.objects.count() == readers
    assert not Subscription.objects.filter(newsletter=newsletter.pk).exists()


def test_a_bad_address_gets_an_error_beside_the_field_and_keeps_the_input(client, form_url):
    page = client.post(form_url, {"email": "ann@example"}).content.decode()

    assert 'value="ann@example"' in page
    assert 'id="email-error"' in page
    assert 'aria-describedby="email-error privacy"' in page
    assert 'aria-invalid="true"' in page
    assert page.count("<title>Error:") == 1
    assert not Subscriber.objects.exists()


@pytest.mark.parametrize("email", ["", "  ", "<script>@x", "a\x00b@example.com", "é" * 2000])
def test_no_input_breaks_the_form(client, form_url, email):
    response = client.post(form_url, {"email": email})

    assert response.status_code == 200
    assert 'id="email-error"' in response.content.decode()
    assert "<script>@" not in response.content.decode()


def test_the_domain_function_refuses_a_bad_address_itself(newsletter):
    with pytest.raises(BadAddress):
        sign_up(newsletter, "nobody")


def test_a_sign_up_succeeds_quickly_without_a_broker(
    client, form_url, settings, monkeypatch, caplog, django_capture_on_commit_callbacks
):
    app = Celery(broker="redis+socket:///nowhere/redis.sock", set_as_current=False)
    app.conf.broker_transport_options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    monkeypatch.setattr(queue, "current_app", app)
    # A sign-up of the last seconds may have enqueued the task already.
    queue.acknowledge(SEND_TASK)

    began = time.monotonic()
    with django_capture_on_commit_callbacks(execute=True):
        response = client.post(form_url, {"email": "ann@example.com"})

    assert time.monotonic() - began < 3
    assert response.status_code == 302
    assert Subscription.objects.get().mail_due_at is not None
    assert "waits for the next tick" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_sign_up_succeeds_on_a_database_connection_that_was_lost_while_idle(newsletter):
    """After a restart of the database the web server's connections are dead."""
    sign_up(newsletter)
    with psycopg.connect(**connection.get_connection_params()) as other:
        pid = connection.connection.info.backend_pid
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

    sign_up(newsletter, "bob@example.com")

    assert Subscription.objects.count() == 2


@pytest.mark.parametrize(
    "typed",
    ["Bob <bob@example.com>", "mailto:bob@example.com", "bob＠example.com", "bob@example.com,"],
)
def test_an_address_that_was_mended_is_shown_and_stands_in_no_url(
    client, quick_forms, form_url, typed
):
    answer = client.post(form_url, {"email": typed})

    assert answer.status_code == 200
    assert "We have read the address as bob@example.com." in answer.content.decode()
    assert Subscriber.objects.get().email == "bob@example.com"


def test_an_address_that_was_not_mended_is_not_shown(client, quick_forms, form_url):
    assert client.post(form_url, {"email": " Bob@Example.com "}).status_code == 302
