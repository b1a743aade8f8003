"""The nginx example: what it lets through, and what it tells Daybreak about a request."""

import re

import httpx
import pytest
from django.conf import settings
from django.urls import reverse

from tests.servers.nginx import EXAMPLE, HOST, NginxServer

pytestmark = pytest.mark.subprocess

FORGED = {
    "X-Forwarded-For": "203.0.113.66",
    "X-Forwarded-Proto": "http",
    "X_Forwarded_For": "203.0.113.66",
    "X_Forwarded_Proto": "http",
}
UPLOADS = "/admin/subscribers/importjob/add/"


@pytest.fixture
def nginx(tmp_path, web):
    """The example in front of a web server that records what reaches it."""
    nginx = NginxServer(tmp_path / "nginx", upstream=web.server.server_port)
    with nginx.running():
        yield nginx


def test_nginx_accepts_the_example_without_a_warning(tmp_path):
    said = NginxServer(tmp_path / "nginx", upstream=9).check()

    assert "successful" in said
    assert "[warn]" not in said


def test_an_address_and_a_scheme_that_the_client_makes_up_do_not_reach_daybreak(nginx, web):
    web.serve("/", b"a page")

    with nginx.client(headers=FORGED) as client:
        assert client.get("/").text == "a page"

    [(_, headers)] = web.requests
    told = {name: text for name, text in headers.items() if "forwarded" in name.lower()}
    assert told == {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "https"}
    assert headers["Host"] == HOST


def test_http_leads_to_https_whatever_the_client_says_of_its_scheme(nginx, web):
    headers = {"X-Forwarded-Proto": "https"}

    with nginx.client(base_url=f"http://{HOST}", headers=headers) as client:
        response = client.get("/newsletters/daily/?page=2")

    assert response.status_code == 301
    assert response.headers["Location"] == f"https://{HOST}/newsletters/daily/?page=2"
    assert web.requests == []


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_request_for_another_host_gets_no_answer(nginx, web, scheme):
    with (
        nginx.client(base_url=f"{scheme}://{HOST}") as client,
        pytest.raises(httpx.RemoteProtocolError),
    ):
        client.get("/", headers={"Host": "evil.example.com"})

    assert web.requests == []


def test_health_is_for_everybody_and_readiness_for_the_own_networks(tmp_path, web):
    for path in ("/healthz", "/readyz", "/readyz/web"):
        web.serve(path, b"ok")
    # A client on loopback is a stranger, if loopback is not among the own networks.
    for edits, readiness in (({}, 200), ({"allow 127.0.0.0/8;": ""}, 403)):
        nginx = NginxServer(tmp_path / str(readiness), web.server.server_port, edits)
        with nginx.running(), nginx.client() as client:
            found = [client.get(p).status_code for p in ("/healthz", "/readyz", "/readyz/web")]
        assert found == [200, readiness, readiness]


def test_a_list_of_readers_may_be_large_and_no_other_request(nginx, web):
    body = b"x" * 4_000_000

    with nginx.client() as client:
        assert client.post("/", content=body).status_code == 413
        # It goes on to the web server of the test, which knows no POST.
        assert client.post(UPLOADS, content=body).status_code in {501, 502}


def test_the_limits_of_a_request_are_those_of_daybreak():
    general, uploads = re.findall(r"client_max_body_size (\d+)m;", EXAMPLE.read_text())

    assert 0 <= int(general) * 2**20 - settings.DATA_UPLOAD_MAX_MEMORY_SIZE < 2**20
    assert int(uploads) * 2**20 == settings.IMPORT_MAX_BYTES + 2**20
    assert f"location = {UPLOADS} " in EXAMPLE.read_text()
    assert reverse("admin:subscribers_importjob_add") == UPLOADS


def test_text_is_compressed_and_pictures_are_not(nginx, web):
    for kind in ("text/html", "application/json", "image/png"):
        web.serve(f"/{kind}", b"x" * 5_000, headers={"Content-Type": kind})

    with nginx.client() as client:
        packed = [
            client.get(f"/{kind}").headers.get("Content-Encoding")
            for kind in ("text/html", "application/json", "image/png")
        ]

    assert packed == ["gzip", "gzip", None]
