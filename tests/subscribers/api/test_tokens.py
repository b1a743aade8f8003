"""A token is stored as a hash, is valid for its scopes and newsletter, and can be revoked."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from subscribers.api import tokens
from subscribers.models import ApiToken
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db

PATH = "/newsletters/daily/stories"


@pytest.fixture(autouse=True)
def daily():
    return factories.newsletter(slug="daily")


def test_only_the_hash_of_a_token_is_stored():
    token, secret = tokens.issue(name="CMS", scopes=["stories:read"], now=NOW)
    stored = str(ApiToken.objects.values().get())
    assert secret not in stored
    assert secret.removeprefix(tokens.PREFIX) not in stored
    assert token.hint == secret[:13]
    assert len(secret) >= 50


def test_a_token_allows_what_its_scopes_name_and_nothing_else(api_client):
    assert api_client("stories:read").call("GET", PATH).status_code == 200

    refused = api_client("stories:write", "subscribers:read").call("GET", PATH)
    assert refused.status_code == 403
    assert refused.json()["scope"] == "stories:read"


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer daybreak_x", "Basic YTpi", "Bearer \xff\xfe"]
)
def test_a_request_without_a_valid_token_is_refused(anonymous, header):
    response = anonymous.call("GET", PATH, Authorization=header)
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_a_revoked_or_expired_token_is_refused(api_client):
    expired = api_client("stories:read", expires_at=now() - timedelta(seconds=1))
    assert expired.call("GET", PATH).status_code == 401
    good = api_client("stories:read", expires_at=now() + timedelta(hours=1))
    assert good.call("GET", PATH).status_code == 200

    tokens.revoke(token_ids=[ApiToken.objects.latest("pk").pk], now=now())
    assert good.call("GET", PATH).status_code == 401


def test_a_token_of_one_newsletter_is_refused_for_another(api_client, daily):
    factories.newsletter(slug="weekly")
    mine = api_client("stories:read", newsletter=daily)
    assert mine.call("GET", PATH).status_code == 200
    refused = mine.call("GET", "/newsletters/weekly/stories")
    assert (refused.status_code, refused.json()["title"]) == (
        403, "The token does not allow this",
    )  # fmt: skip


def test_the_last_use_of_a_token_is_stored_once_a_minute(api_client):
    api_client("stories:read").call("GET", PATH)
    first = ApiToken.objects.get().last_used_at
    assert first is not None
    token = ApiToken.objects.get()
    ApiToken.objects.update(last_used_at=first - timedelta(seconds=61))
    assert token.is_valid(now=now())


def test_a_wrong_token_is_refused_even_where_none_is_needed(anonymous):
    response = anonymous.call(
        "POST",
        "/newsletters/daily/subscriptions",
        {"email": "ann@example.com"},
        Authorization="Bearer nonsense",
    )
    assert response.status_code == 401
