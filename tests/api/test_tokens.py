"""A token is known by its hash, good for its scopes and its newsletter, and can be ended."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from subscribers import access
from subscribers.models import ApiToken
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db

PATH = "/newsletters/daily/stories"


@pytest.fixture(autouse=True)
def daily():
    return factories.newsletter(slug="daily")


def test_only_its_hash_is_kept():
    token, secret = access.make(name="CMS", scopes=["stories:read"], now=NOW)
    stored = str(ApiToken.objects.values().get())
    assert secret not in stored
    assert secret.removeprefix(access.PREFIX) not in stored
    assert token.hint == secret[:13]
    assert len(secret) >= 50


def test_it_opens_what_its_scopes_name_and_nothing_else(program):
    assert program("stories:read").ask("GET", PATH).status_code == 200

    refused = program("stories:write", "subscribers:read").ask("GET", PATH)
    assert refused.status_code == 403
    assert refused.json()["scope"] == "stories:read"


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer daybreak_x", "Basic YTpi", "Bearer \xff\xfe"]
)
def test_without_a_good_one_there_is_no_way_in(anybody, header):
    response = anybody.ask("GET", PATH, Authorization=header)
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_one_that_was_revoked_or_has_expired_opens_nothing(program):
    expired = program("stories:read", expires_at=now() - timedelta(seconds=1))
    assert expired.ask("GET", PATH).status_code == 401
    good = program("stories:read", expires_at=now() + timedelta(hours=1))
    assert good.ask("GET", PATH).status_code == 200

    access.revoke(token_ids=[ApiToken.objects.latest("pk").pk], now=now())
    assert good.ask("GET", PATH).status_code == 401


def test_one_for_a_newsletter_opens_no_other(program, daily):
    factories.newsletter(slug="weekly")
    mine = program("stories:read", newsletter=daily)
    assert mine.ask("GET", PATH).status_code == 200
    refused = mine.ask("GET", "/newsletters/weekly/stories")
    assert (refused.status_code, refused.json()["title"]) == (
        403, "The token is not good for this",
    )  # fmt: skip


def test_its_last_use_is_noted_once_a_minute(program):
    program("stories:read").ask("GET", PATH)
    first = ApiToken.objects.get().last_used_at
    assert first is not None
    token = ApiToken.objects.get()
    ApiToken.objects.update(last_used_at=first - timedelta(seconds=61))
    assert token.is_good(now=now())


def test_a_bad_token_is_not_overlooked_where_none_is_needed(anybody):
    response = anybody.ask(
        "POST",
        "/newsletters/daily/subscriptions",
        {"email": "ann@example.com"},
        Authorization="Bearer nonsense",
    )
    assert response.status_code == 401
