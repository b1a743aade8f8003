"""Whatever goes wrong under /api/ is told as problem details (RFC 9457)."""

import pytest
from django.urls import reverse

from subscribers.api import newsletters, problems
from tests import factories

pytestmark = pytest.mark.django_db

SIGN_UP = "/newsletters/daily/subscriptions"


def problem(response, status, code):
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    told = response.json()
    assert told["status"] == status
    assert told["type"].endswith(f"/api/problems#{code}")
    assert told["title"]
    return told


@pytest.fixture(autouse=True)
def daily():
    return factories.newsletter(slug="daily")


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("path", ["/api/nothing", "/api/v1/nothing/", "/api/v2/newsletters"])
def test_a_path_that_leads_nowhere(client, method, path):
    problem(client.generic(method, path), 404, "not-found")


def test_a_newsletter_that_is_not_there(anybody):
    problem(anybody.ask("GET", "/newsletters/weekly"), 404, "not-found")


@pytest.mark.parametrize("path", ["%00", "a%00b", "%ff", "%f0%9f%8c%85", "a" * 500])
def test_odd_characters_in_a_path_are_a_path_that_leads_nowhere(client, path):
    response = client.get(f"/api/v1/newsletters/{path}")
    assert response.status_code in {404, 422}
    assert response["Content-Type"] == "application/problem+json"


def test_a_method_that_is_not_there_names_those_that_are(anybody):
    response = anybody.ask("DELETE", "/newsletters/daily")
    problem(response, 405, "method-not-allowed")
    assert response["Allow"] == "GET, HEAD, OPTIONS"


def test_a_body_that_is_not_json(anybody):
    for body in ("{", '{"email": NaN}', "\ud800".encode("utf-8", "surrogatepass"), "[" * 100_000):
        problem(anybody.ask("POST", SIGN_UP, body), 400, "invalid-json")


def test_a_body_of_another_type(client):
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        response = client.generic("POST", f"/api/v1{SIGN_UP}", b'{"email": "a@b.de"}', kind)
        problem(response, 415, "unsupported-media-type")


def test_a_body_that_is_too_large(anybody, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    told = problem(anybody.ask("POST", SIGN_UP, {"email": "x" * 2000}), 413, "too-large")
    assert "1,000 bytes" in told["detail"]


def test_each_fault_says_where_it_is(anybody):
    told = problem(
        anybody.ask("POST", SIGN_UP, {"email": "ann@", "sure": "perhaps", "a/b": 1}),
        422,
        "invalid",
    )
    assert {error["pointer"] for error in told["errors"]} == {"/email", "/sure", "/a~1b"}

    told = problem(anybody.ask("GET", "/newsletters?limit=0"), 422, "invalid")
    assert [error["parameter"] for error in told["errors"]] == ["limit"]


def test_a_fault_of_ours_is_told_without_its_inside(client, monkeypatch, settings):
    def breaks(newsletter):
        raise RuntimeError("a secret of ours")

    monkeypatch.setattr(newsletters, "shown", breaks)
    client.raise_request_exception = False
    for debug in (False, True):
        settings.DEBUG = debug
        response = client.get("/api/v1/newsletters/daily")
        problem(response, 500, "server-error")
        assert b"secret" not in response.content


def test_a_host_that_is_not_ours(client):
    response = client.get("/api/v1/newsletters", headers={"Host": "evil.example"})
    problem(response, 400, "bad-request")


def test_errors_elsewhere_are_pages_as_ever(client):
    assert client.get("/nothing/").headers["Content-Type"].startswith("text/html")


def test_each_kind_is_explained_where_its_type_leads(client):
    page = client.get(reverse("api-problems")).content.decode()
    for kind in problems.KINDS:
        assert kind.uri.endswith(f"{reverse('api-problems')}#{kind.code}")
        assert f'id="{kind.code}"' in page
