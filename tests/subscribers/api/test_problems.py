"""Every error under /api/ is returned as problem details (RFC 9457)."""

import pytest
from django.urls import reverse

from subscribers.api import newsletters, problems
from tests import factories

pytestmark = pytest.mark.django_db

SIGN_UP = "/newsletters/daily/subscriptions"


def assert_problem(response, status, code):
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    result = response.json()
    assert result["status"] == status
    assert result["type"].endswith(f"/api/problems#{code}")
    assert result["title"]
    return result


@pytest.fixture(autouse=True)
def daily():
    return factories.newsletter(slug="daily")


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("path", ["/api/nothing", "/api/v1/nothing/", "/api/v2/newsletters"])
def test_an_unknown_path_is_not_found(client, method, path):
    assert_problem(client.generic(method, path), 404, "not-found")


def test_an_unknown_newsletter_is_not_found(anonymous):
    assert_problem(anonymous.call("GET", "/newsletters/weekly"), 404, "not-found")


@pytest.mark.parametrize("path", ["%00", "a%00b", "%ff", "%f0%9f%8c%85", "a" * 500])
def test_a_path_with_odd_characters_gives_a_problem(client, path):
    response = client.get(f"/api/v1/newsletters/{path}")
    assert response.status_code in {404, 422}
    assert response["Content-Type"] == "application/problem+json"


def test_a_method_that_is_not_allowed_gets_the_list_of_allowed_ones(anonymous):
    response = anonymous.call("DELETE", "/newsletters/daily")
    assert_problem(response, 405, "method-not-allowed")
    assert response["Allow"] == "GET, HEAD, OPTIONS"


def test_a_body_that_is_not_json_is_refused(anonymous):
    for body in ("{", '{"email": NaN}', "\ud800".encode("utf-8", "surrogatepass"), "[" * 100_000):
        assert_problem(anonymous.call("POST", SIGN_UP, body), 400, "invalid-json")


def test_a_body_of_another_media_type_is_refused(client):
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        response = client.generic("POST", f"/api/v1{SIGN_UP}", b'{"email": "a@b.de"}', kind)
        assert_problem(response, 415, "unsupported-media-type")


def test_a_body_that_is_too_large_is_refused(anonymous, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    result = assert_problem(
        anonymous.call("POST", SIGN_UP, {"email": "x" * 2000}), 413, "too-large"
    )
    assert "1,000 bytes" in result["detail"]


def test_each_validation_error_names_the_field_or_parameter(anonymous):
    result = assert_problem(
        anonymous.call("POST", SIGN_UP, {"email": "ann@", "sure": "perhaps", "a/b": 1}),
        422,
        "invalid",
    )
    assert {error["pointer"] for error in result["errors"]} == {"/email", "/sure", "/a~1b"}

    result = assert_problem(anonymous.call("GET", "/newsletters?limit=0"), 422, "invalid")
    assert [error["parameter"] for error in result["errors"]] == ["limit"]


def test_a_server_error_does_not_reveal_the_exception(client, monkeypatch, settings):
    def breaks(newsletter):
        raise RuntimeError("a secret of ours")

    monkeypatch.setattr(newsletters, "newsletter_out", breaks)
    client.raise_request_exception = False
    for debug in (False, True):
        settings.DEBUG = debug
        response = client.get("/api/v1/newsletters/daily")
        assert_problem(response, 500, "server-error")
        assert b"secret" not in response.content


def test_a_host_that_is_not_ours_is_refused(client):
    response = client.get("/api/v1/newsletters", headers={"Host": "evil.example"})
    assert_problem(response, 400, "bad-request")


def test_errors_outside_the_api_are_html_pages(client):
    assert client.get("/nothing/").headers["Content-Type"].startswith("text/html")


def test_each_type_of_problem_is_explained_at_its_uri(client):
    page = client.get(reverse("api-problems")).content.decode()
    for kind in problems.PROBLEM_TYPES:
        assert kind.uri.endswith(f"{reverse('api-problems')}#{kind.code}")
        assert f'id="{kind.code}"' in page
