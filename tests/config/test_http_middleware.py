"""HEAD has no body, and a client that leaves in the middle of its form is no fault of ours."""

import pytest
from django.http import HttpResponse, StreamingHttpResponse

from config.http_middleware import HttpMiddleware
from tests import factories


class BrokenOff:
    """The body of a request whose client has gone."""

    def read(self, *_):
        raise ConnectionResetError("the client is too slow")

    readline = read


def test_the_answer_to_head_says_the_length_and_has_no_body(rf):
    response = HttpMiddleware(lambda _: HttpResponse("a page"))(rf.head("/"))

    assert (response.content, response["Content-Length"]) == (b"", "6")


def test_what_would_be_streamed_is_not_read_for_head(rf):
    def lines():
        raise AssertionError("read")
        yield

    response = HttpMiddleware(lambda _: StreamingHttpResponse(lines()))(rf.head("/"))

    assert list(response) == []


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/newsletters/daily/", "/api/v1/newsletters/daily/subscriptions"])
def test_a_request_that_breaks_off_is_the_clients_error(client, path):
    factories.newsletter(slug="daily")
    kind = "application/json" if "api" in path else "application/x-www-form-urlencoded"

    response = client.generic(
        "POST", path, "?" * 100, content_type=kind, **{"wsgi.input": BrokenOff()}
    )

    assert response.status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "/admin/auth/user/?email=%00",
        "/admin/digest/delivery/?status__exact=%00",
        "/admin/subscribers/subscription/?status=%00",
    ],
)
def test_a_nul_in_what_is_looked_up_is_the_clients_error(admin_client, path):
    assert admin_client.get(path).status_code in {302, 400}
