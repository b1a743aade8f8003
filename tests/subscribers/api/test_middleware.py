"""Every response obeys the rules for CORS, HEAD, rate limits and caching."""

import pytest

from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def daily():
    return factories.newsletter(slug="daily")


def test_a_page_of_any_origin_may_read_public_data(anonymous):
    response = anonymous.call("GET", "/newsletters", Origin="https://news.example.org")
    assert response["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in response


def test_a_browser_may_sign_up_from_a_page_of_another_origin(anonymous):
    response = anonymous.call(
        "OPTIONS",
        "/newsletters/daily/subscriptions",
        Origin="https://news.example.org",
        **{
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type",
        },
    )
    assert response.status_code == 204
    assert "POST" in response["Access-Control-Allow-Methods"]
    assert response["Access-Control-Allow-Headers"] == "Content-Type"


def test_cors_does_not_allow_a_browser_to_send_a_token(anonymous):
    response = anonymous.call("OPTIONS", "/newsletters/daily/subscribers")
    assert "Authorization" not in response["Access-Control-Allow-Headers"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/newsletters", 200),
        ("GET", "/nothing", 404),
        ("GET", "/newsletters/daily/subscribers", 401),
        ("DELETE", "/newsletters", 405),
        ("OPTIONS", "/newsletters", 204),
        ("POST", "/newsletters/daily/subscriptions", 415),
    ],
)
def test_every_answer_has_the_headers_of_a_page(client, settings, method, path, status):
    settings.SECURE_HSTS_SECONDS = 60
    page = client.get("/newsletters/daily/", secure=True)
    body = {"data": "a=1", "content_type": "text/plain"} if method == "POST" else {}

    response = client.generic(method, f"/api/v1{path}", secure=True, **body)

    assert response.status_code == status
    for name in ("X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy",
                 "Strict-Transport-Security", "Cross-Origin-Opener-Policy"):  # fmt: skip
        assert response[name] == page[name], name


def test_the_api_sets_no_cookie(anonymous):
    assert not anonymous.call("GET", "/newsletters?lang=de").cookies


def test_head_is_get_without_the_body(anonymous):
    full = anonymous.call("GET", "/newsletters")
    response = anonymous.call("HEAD", "/newsletters")
    assert (response.status_code, response.content) == (200, b"")
    assert response["Content-Length"] == str(len(full.content))
    assert response["Content-Type"] == full["Content-Type"]


def test_a_client_over_the_rate_limit_is_told_when_to_retry(anonymous, settings):
    settings.API_PUBLIC_RATE = 3
    for remaining in ("2", "1", "0"):
        response = anonymous.call("GET", "/newsletters")
        assert response.status_code == 200
        assert f"r={remaining};" in response["RateLimit"]
    response = anonymous.call("GET", "/newsletters")
    assert response.status_code == 429
    assert response.json()["type"].endswith("#rate-limited")
    assert 1 <= int(response["Retry-After"]) <= 60
    # Another client is not affected.
    assert anonymous.get("/api/v1/newsletters", REMOTE_ADDR="198.51.100.7").status_code == 200


def test_each_token_has_a_quota_of_its_own(api_client, settings):
    settings.API_TOKEN_RATE = 1
    one, other = api_client("stories:read"), api_client("stories:read")
    path = "/newsletters/daily/stories"
    assert one.call("GET", path).status_code == 200
    assert one.call("GET", path).status_code == 429
    assert other.call("GET", path).status_code == 200


def test_requests_with_wrong_tokens_count_against_the_rate_limit(anonymous, settings):
    settings.API_PUBLIC_RATE = 2
    answers = [
        anonymous.call("GET", "/newsletters/daily/stories", Authorization=f"Bearer guess{n}")
        for n in range(3)
    ]
    assert [answer.status_code for answer in answers] == [401, 401, 429]


@pytest.mark.parametrize("header", [{}, {"Authorization": "Basic YW5uOmd1ZXNz"}])
def test_requests_that_lack_their_token_count_against_the_rate_limit(anonymous, settings, header):
    settings.API_PUBLIC_RATE = 2
    answers = [anonymous.call("GET", "/newsletters/daily/stories", **header) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 429]


def test_clients_whose_ip_address_is_unknown_share_one_quota(anonymous, settings):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.API_PUBLIC_RATE = 2
    answers = [
        anonymous.call("GET", "/newsletters", **{"X-Forwarded-For": f"_client{n}"})
        for n in range(3)
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 429]


def test_without_redis_each_web_server_counts_for_itself(anonymous, settings, no_redis):
    settings.API_PUBLIC_RATE = 2
    answers = [anonymous.call("GET", "/newsletters").status_code for _ in range(3)]
    assert answers == [200, 200, 429]


def test_a_response_with_private_data_is_not_cached(full_access_client):
    response = full_access_client.call("GET", "/newsletters/daily/subscribers")
    assert response["Cache-Control"] == "no-store"
