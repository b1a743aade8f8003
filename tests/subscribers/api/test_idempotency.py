"""A request that is repeated with its Idempotency-Key is executed once."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from digest.models import Story
from subscribers.models import ApiReceipt, ApiToken
from subscribers.privacy import retention
from tests import factories

pytestmark = pytest.mark.django_db

PATH = "/newsletters/daily/stories"
STORY = {"title": "Rain", "url": "https://news.example.com/rain"}
KEY = {"Idempotency-Key": "0b9f"}


@pytest.fixture(autouse=True)
def daily():
    return factories.newsletter(slug="daily")


@pytest.fixture
def cms(api_client):
    return api_client("stories:write", "editions:write")


def test_a_repeated_request_gets_the_first_response(cms):
    first = cms.call("POST", PATH, STORY, **KEY)
    second = cms.call("POST", PATH, STORY, **KEY)
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json()
    assert second["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first


def test_a_repeated_request_for_an_edition_gets_the_first_response(cms, daily):
    factories.story(daily, published_at=now())
    path = "/desk/newsletters/daily/editions"
    first = cms.call("POST", path, {}, **KEY)
    second = cms.call("POST", path, {}, **KEY)
    assert (first.status_code, second.status_code) == (201, 201)
    assert second["Location"] == first["Location"]


def test_a_key_that_another_request_has_used_is_refused(cms):
    cms.call("POST", PATH, STORY, **KEY)
    response = cms.call("POST", PATH, STORY | {"title": "Wind"}, **KEY)
    assert response.status_code == 409
    assert response.json()["type"].endswith("#idempotency-key-in-use")
    assert Story.objects.get().title == "Rain"


def test_a_repeated_request_is_refused_while_the_first_is_running(cms):
    cms.call("POST", PATH, STORY, **KEY)
    ApiReceipt.objects.update(status=None, created_at=now())
    response = cms.call("POST", PATH, STORY, **KEY)
    assert (response.status_code, response["Retry-After"]) == (409, "2")
    # The worker died while it handled the first request.
    ApiReceipt.objects.update(created_at=now() - timedelta(minutes=3))
    assert cms.call("POST", PATH, STORY, **KEY).status_code == 200


def test_a_failed_request_may_be_repeated_with_its_key(cms):
    response = cms.call("POST", PATH, STORY | {"section": "weather"}, **KEY)
    assert response.status_code == 409
    assert cms.call("POST", PATH, STORY, **KEY).status_code == 201


def test_each_token_has_keys_of_its_own(cms, api_client):
    cms.call("POST", PATH, STORY, **KEY)
    response = api_client("stories:write").call("POST", PATH, STORY, **KEY)
    assert response.json()["outcome"] == "kept"
    assert ApiReceipt.objects.count() == 2


@pytest.mark.parametrize("key", ["", "x" * 256, "with space", "é"])
def test_an_invalid_key_is_refused(cms, key):
    response = cms.call("POST", PATH, STORY, **{"Idempotency-Key": key})
    assert response.status_code == 422
    assert response.json()["errors"][0]["header"] == "Idempotency-Key"


def test_a_receipt_is_deleted_after_a_day(cms):
    cms.call("POST", PATH, STORY, **KEY)
    retention.purge(now=now() + timedelta(hours=23))
    assert ApiReceipt.objects.exists()
    retention.purge(now=now() + timedelta(hours=25))
    assert not ApiReceipt.objects.exists()
    assert ApiToken.objects.exists()
