"""What every answer has: CORS without tokens, HEAD, quotas."""

import pytest

from subscribers import commons
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def daily():
    return factories.newsletter(slug="daily")


def test_any_page_may_read_what_is_public(anybody):
    response = anybody.ask("GET", "/newsletters", Origin="https://news.example.org")
    assert response["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in response


def test_a_browser_may_sign_up_from_a_page_of_another_origin(anybody):
    response = anybody.ask(
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


def test_a_browser_sends_no_token_to_us_from_another_page(anybody):
    response = anybody.ask("OPTIONS", "/newsletters/daily/subscribers")
    assert "Authorization" not in response["Access-Control-Allow-Headers"]


def test_the_api_keeps_no_cookie(anybody):
    assert not anybody.ask("GET", "/newsletters?lang=de").cookies


def test_head_is_get_without_the_body(anybody):
    got = anybody.ask("GET", "/newsletters")
    response = anybody.ask("HEAD", "/newsletters")
    assert (response.status_code, response.content) == (200, b"")
    assert response["Content-Length"] == str(len(got.content))
    assert response["Content-Type"] == got["Content-Type"]


def test_who_asks_too_often_is_told_when_to_come_back(anybody, settings):
    settings.API_PUBLIC_RATE = 3
    for left in ("2", "1", "0"):
        response = anybody.ask("GET", "/newsletters")
        assert response.status_code == 200
        assert f"r={left};" in response["RateLimit"]
    response = anybody.ask("GET", "/newsletters")
    assert response.status_code == 429
    assert response.json()["type"].endswith("#rate-limited")
    assert 1 <= int(response["Retry-After"]) <= 60
    # Somebody else is not held up.
    assert anybody.get("/api/v1/newsletters", REMOTE_ADDR="198.51.100.7").status_code == 200


def test_each_token_has_a_quota_of_its_own(program, settings):
    settings.API_TOKEN_RATE = 1
    one, other = program("stories:read"), program("stories:read")
    path = "/newsletters/daily/stories"
    assert one.ask("GET", path).status_code == 200
    assert one.ask("GET", path).status_code == 429
    assert other.ask("GET", path).status_code == 200


def test_guesses_at_tokens_are_counted(anybody, settings):
    settings.API_PUBLIC_RATE = 2
    answers = [
        anybody.ask("GET", "/newsletters/daily/stories", Authorization=f"Bearer guess{n}")
        for n in range(3)
    ]
    assert [answer.status_code for answer in answers] == [401, 401, 429]


def test_without_redis_the_api_answers_without_limits(anybody, settings):
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    settings.API_PUBLIC_RATE = 1
    try:
        answers = [anybody.ask("GET", "/newsletters").status_code for _ in range(3)]
    finally:
        commons.forget()
    assert answers == [200] * 3


def test_what_is_private_is_kept_by_no_cache(mighty):
    response = mighty.ask("GET", "/newsletters/daily/subscribers")
    assert response["Cache-Control"] == "no-store"
