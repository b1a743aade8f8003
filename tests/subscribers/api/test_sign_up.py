"""A sign-up over the API gets the same checks and the same mail as one over the form."""

import pytest

from subscribers.addresses.address import BadAddress
from subscribers.models import Consent, Subscription
from subscribers.signup import flow
from subscribers.signup.abuse import ChallengeNeeded, limits
from subscribers.signup.abuse.buckets import LocalBuckets
from tests import factories

pytestmark = pytest.mark.django_db

PATH = "/newsletters/daily/subscriptions"


@pytest.fixture(autouse=True)
def daily():
    return factories.newsletter(slug="daily", name="The Daily")


def test_a_sign_up_waits_for_its_confirmation(anonymous):
    response = anonymous.call(
        "POST", PATH, {"email": "Ann@Example.com"}, Referer="https://news.example.org/a?b=c",
        **{"User-Agent": "A browser"},
    )  # fmt: skip

    assert response.status_code == 202
    assert "mail" in response.json()["message"]
    subscription = Subscription.objects.get()
    assert (subscription.status, subscription.subscriber.email) == ("pending", "Ann@example.com")
    assert subscription.mail_due_at
    consent = Consent.objects.get()
    assert consent.kind == "signup"
    assert consent.page.startswith("https://news.example.org/a")
    assert consent.user_agent == "A browser"
    assert consent.ip_address == "127.0.0.1"


def test_a_new_a_known_and_a_suppressed_address_get_the_same_answer(anonymous):
    known = factories.subscription(factories.newsletter(), "known@example.com")
    factories.suppression("gone@example.com")
    answers = {
        (response.status_code, response.content)
        for email in ("new@example.com", known.subscriber.email, "gone@example.com")
        for response in [anonymous.call("POST", PATH, {"email": email})]
    }
    assert len(answers) == 1


def test_the_answer_and_the_mail_are_in_the_readers_language(anonymous):
    response = anonymous.call("POST", PATH, {"email": "a@example.com", "language": "de"})
    assert response.status_code == 202
    assert Consent.objects.get().language == "de"

    response = anonymous.call("POST", PATH, {"email": "ann"}, **{"Accept-Language": "de"})
    assert response.status_code == 422
    [error] = response.json()["errors"]
    assert error["pointer"] == "/email"
    assert not error["detail"].startswith("Value error")


@pytest.mark.parametrize("email", ["", "ann", "ann@", "a b@example.com", "ann@example", 7, None])
def test_an_invalid_address_is_refused(anonymous, email):
    response = anonymous.call("POST", PATH, {"email": email})
    assert response.status_code == 422
    assert Subscription.objects.count() == 0


def test_a_questionable_address_is_returned_with_a_suggestion(anonymous, monkeypatch):
    def sign_up(*, attempt, **_):
        if not attempt.address_confirmed:
            raise BadAddress("Hm.", suggestion="ann@gmail.com", may_insist=True)

    monkeypatch.setattr(flow, "sign_up", sign_up)
    response = anonymous.call("POST", PATH, {"email": "ann@gmial.com"})
    assert response.status_code == 409
    result = response.json()
    assert result["type"].endswith("#questionable-address")
    assert (result["suggestion"], result["may_insist"]) == ("ann@gmail.com", True)

    response = anonymous.call("POST", PATH, {"email": "ann@gmial.com", "sure": True})
    assert response.status_code == 202


def test_a_sign_up_during_an_attack_needs_a_challenge(anonymous, monkeypatch):
    def sign_up(*, attempt, **_):
        if not attempt.solution:
            raise ChallengeNeeded({"parameters": {"nonce": "1"}})

    monkeypatch.setattr(flow, "sign_up", sign_up)
    response = anonymous.call("POST", PATH, {"email": "ann@example.com"})
    assert response.status_code == 403
    assert response.json()["challenge"] == {"parameters": {"nonce": "1"}}
    response = anonymous.call("POST", PATH, {"email": "ann@example.com", "solution": "c29sdmVk"})
    assert response.status_code == 202


def test_ten_sign_ups_of_one_address_make_one_mail(anonymous):
    for _ in range(10):
        assert anonymous.call("POST", PATH, {"email": "ann@example.com"}).status_code == 202
    assert Consent.objects.filter(kind="signup").count() == 1


def test_the_limit_per_network_is_the_same_as_for_the_form(anonymous, settings):
    settings.API_PUBLIC_RATE = 10_000
    settings.SIGNUP_LIMIT_NETWORK = 5
    for n in range(10):
        anonymous.post(
            f"/api/v1{PATH}", {"email": f"reader{n}@example.com"},
            content_type="application/json", REMOTE_ADDR="203.0.113.9",
        )  # fmt: skip
    assert Subscription.objects.count() == 5


def test_the_limits_of_the_form_hold_without_redis(anonymous, settings, monkeypatch, no_redis):
    monkeypatch.setattr(limits, "local_buckets", LocalBuckets())
    monkeypatch.setattr(limits, "UNPROVEN_SHARE", 5 / settings.SIGNUP_LIMIT)
    answers = [anonymous.call("POST", PATH, {"email": f"reader{n}@example.com"}) for n in range(10)]
    assert [answer.status_code for answer in answers] == [202] * 5 + [403] * 5
    assert Subscription.objects.count() == 5


def test_a_client_with_the_scope_may_send_the_readers_own_evidence(api_client):
    response = api_client("subscribers:write").call(
        "POST", PATH,
        {
            "email": "ann@example.com",
            "consent": {
                "page": "https://shop.example.org/checkout",
                "ip_address": "2001:db8::7",
                "user_agent": "Ann's browser",
            },
        },
    )  # fmt: skip
    assert response.status_code == 202
    consent = Consent.objects.get()
    assert (consent.page, consent.ip_address, consent.user_agent) == (
        "https://shop.example.org/checkout", "2001:db8::7", "Ann's browser",
    )  # fmt: skip
    assert Subscription.objects.get().status == "pending"


def test_a_client_without_the_scope_may_not_send_evidence(anonymous, api_client):
    data = {"email": "ann@example.com", "consent": {"ip_address": "192.0.2.1"}}
    assert anonymous.call("POST", PATH, data).status_code == 403
    assert api_client("subscribers:read").call("POST", PATH, data).status_code == 403
    assert not Subscription.objects.exists()


@pytest.mark.parametrize("ip_address", ["fe80::1%eth0", "192.0.2.1:80", "unknown", ""])
def test_evidence_with_an_address_that_cannot_be_stored_is_refused(api_client, ip_address):
    data = {"email": "ann@example.com", "consent": {"ip_address": ip_address}}
    response = api_client("subscribers:write").call("POST", PATH, data)

    assert response.status_code == 422
    assert not Subscription.objects.exists()
