"""A fetch copes with any bad server, and connects only to the public internet."""

import gzip
import socket
import threading
import time
import zlib

import pytest

from digest.feeds import fetch

HERE = ["127.0.0.1"]
QUICK = fetch.Limits(connect=1, read=1, total=1.5, max_bytes=100_000)


def get(url, **kwargs):
    return fetch.get(url, **{"allow_hosts": HERE, "limits": QUICK} | kwargs)


def refused(url, **kwargs):
    with pytest.raises(fetch.FetchError) as caught:
        get(url, **kwargs)
    return caught.value


def test_a_response_comes_with_its_validators(web):
    headers = {"ETag": '"v1"', "Last-Modified": "Tue, 10 Mar 2026 06:00:00 GMT"}
    response = get(web.serve("/feed", b"<rss/>", headers=headers))
    assert (response.status, response.body, response.etag) == (200, b"<rss/>", '"v1"')
    assert response.last_modified == "Tue, 10 Mar 2026 06:00:00 GMT"


def test_an_unchanged_page_is_answered_with_304(web):
    url = web.serve("/feed", b"<rss/>", headers={"ETag": '"v1"'})
    response = get(url, etag='"v1"', last_modified="Tue, 10 Mar 2026 06:00:00 GMT")
    assert (response.status, response.body) == (304, b"")
    assert web.requests[0][1]["If-Modified-Since"] == "Tue, 10 Mar 2026 06:00:00 GMT"


def test_a_validator_that_is_invalid_in_a_header_is_not_sent_back(web):
    assert get(web.serve("/feed", b"<rss/>"), etag='"caf\xe9"', last_modified="a\nb").status == 200
    assert "If-None-Match" not in web.requests[0][1]


def test_an_unrequested_304_is_an_error(web):
    assert "304" in str(refused(web.serve("/feed", status=304)))


def test_a_gzip_body_is_decompressed(web):
    body = gzip.compress(b"<rss/>" * 100)
    url = web.serve("/feed", body, headers={"Content-Encoding": "gzip"})
    assert get(url).body == b"<rss/>" * 100


BARE = zlib.compressobj(wbits=-15)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"<rss/>", "UTF-8"), (b"<rss/>", "none"), (b"<rss/>", "aws-chunked"), (b"<rss/>", "br"),
        (b"<rss/>", "gzip"), (gzip.compress(b"<rss/>", mtime=0), "identity"),
        (gzip.compress(gzip.compress(b"<rss/>", mtime=0), mtime=0), "x-gzip"),
        (zlib.compress(b"<rss/>"), "deflate"), (BARE.compress(b"<rss/>") + BARE.flush(), "deflate"),
    ],
    ids=["UTF-8", "none", "aws-chunked", "br", "gzip", "a file", "a file in gzip", "zlib", "bare"],
)  # fmt: skip
def test_the_body_says_how_it_is_packed(web, body, encoding):
    assert get(web.serve("/feed", body, headers={"Content-Encoding": encoding})).body == b"<rss/>"


def test_redirects_are_followed_to_the_end(web):
    web.serve("/new", b"here")
    response = get(web.serve("/old", status=301, headers={"Location": "/new"}))
    assert (response.body, response.url) == (b"here", web.url("/new"))


def test_a_redirect_loop_is_an_error(web):
    url = web.serve("/round", status=302, headers={"Location": "/round"})
    assert "redirects more than 5 times" in str(refused(url))
    assert len(web.requests) == 6


@pytest.mark.parametrize("status", [404, 500, 503])
def test_an_http_error_is_temporary(web, status):
    error = refused(web.serve("/feed", status=status, headers={"Retry-After": "120"}))
    assert not error.permanent
    assert str(status) in str(error)
    assert error.retry_after == "120"


def test_a_410_is_permanent(web):
    assert refused(web.serve("/feed", status=410)).permanent


# --- A bad server --------------------------------------------------------------------------------


def test_a_body_that_is_too_large_is_refused(web):
    assert "larger than 0.1 MB" in str(refused(web.serve("/feed", b"x" * 200_000)))


def test_a_gzip_bomb_is_refused(web):
    bomb = gzip.compress(b"\0" * 50_000_000)
    url = web.serve("/feed", bomb, headers={"Content-Encoding": "gzip"})
    assert "larger than" in str(refused(url))


# The ids are fixed: gzip writes the time into its header, so ids made from the bodies would differ
# between test processes.
@pytest.mark.parametrize(
    "body",
    [gzip.compress(b"<rss/>" * 999, mtime=0)[:-9], b"this is not gzip"],
    ids=["cut short", "no gzip"],
)
def test_broken_compression_is_refused(web, body):
    assert refused(web.serve("/feed", body, headers={"Content-Encoding": "gzip"}))


def test_an_unrequested_content_encoding_is_refused(web):
    url = web.serve("/feed", b"x", headers={"Content-Encoding": "br"})
    assert "br" in str(refused(url))


@pytest.mark.parametrize("behaviour", [{"wait": 30}, {"drip": 0.2}])
def test_a_slow_server_is_given_up_at_the_time_limit(web, behaviour):
    started = time.monotonic()
    assert not refused(web.serve("/feed", b"x" * 100, **behaviour)).permanent
    assert time.monotonic() - started < 10


def test_a_silent_server_is_given_up_at_the_time_limit():
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        assert "did not answer in time" in str(refused(url))


def test_a_name_server_that_never_answers_is_given_up_at_the_time_limit(monkeypatch):
    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answered.wait(30))

    assert "did not answer in time" in str(refused("http://news.example/feed"))
    answered.set()


def test_a_closed_port_is_an_error():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert "connection failed" in str(refused(f"http://127.0.0.1:{port}/"))


def test_a_truncated_body_is_an_error(web):
    assert refused(web.serve("/feed", b"<rss/>", headers={"Content-Length": "1000"}))


def test_the_body_of_a_redirect_is_not_read(web):
    web.serve("/new", b"here")
    headers = {"Location": "/new", "Content-Length": "1000000000"}
    assert get(web.serve("/old", b"x", status=302, headers=headers)).body == b"here"


# --- The guard -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://0.0.0.0/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://10.0.0.1/",
        "http://172.16.0.1/",
        "http://192.168.1.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://100.64.0.1/",
        "http://[fd00::1]/",
        "http://[fe80::1]/",
        "http://[fec0::1]/",
        "http://192.0.0.192/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://224.0.0.1/",
        "http://localhost/",
    ],
)
def test_a_private_address_is_refused(url):
    error = refused(url, allow_hosts=[])
    assert "FETCH_ALLOW_HOSTS" in str(error)
    # The name server may answer with another address next time.
    assert not error.permanent


def test_a_redirect_to_a_private_address_is_refused(web):
    target = web.serve("/secret", b"secret").replace("127.0.0.1", "localhost")
    error = refused(web.serve("/feed", status=302, headers={"Location": target}))
    assert "localhost" in str(error)
    assert [path for path, _ in web.requests] == ["/feed"]


def test_the_address_that_was_checked_is_the_one_connected_to(web, monkeypatch):
    """A name server gains nothing by answering with a public address first, then with loopback."""
    port = int(web.host.rpartition(":")[2])
    answers = iter(["203.0.113.7", "8.8.8.8", "127.0.0.1"])
    tried = []

    def getaddrinfo(host, port, *args, **kwargs):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    def connect(address, *args, **kwargs):
        tried.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(socket, "create_connection", connect)
    refused(f"http://rebinding.example:{port}/", allow_hosts=[])
    assert tried == []
    refused(f"http://rebinding.example:{port}/", allow_hosts=[])
    assert tried == ["8.8.8.8"]


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "nonsense",
        "",
        "http://",
        "http://exa mple/",
        "http://[/",
        "http://127.0.0.1:99999/",
    ],
)
def test_a_url_that_is_not_http_is_refused_permanently(url):
    assert refused(url).permanent


def test_a_redirect_to_a_file_is_refused(web):
    url = web.serve("/feed", status=302, headers={"Location": "file:///etc/passwd"})
    assert "not on the web" in str(refused(url))


def test_a_host_name_that_does_not_resolve_is_a_temporary_error():
    assert not refused("http://no-such-host.invalid/").permanent


def test_a_proxy_from_the_environment_is_not_used(web, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert get(web.serve("/feed", b"direct")).body == b"direct"
