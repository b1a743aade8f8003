"""A relay is a URL, and an error in the URL is reported without its password."""

from datetime import date

import pytest

from subscribers.mail.relays import RelayError, Warmup, parse_rates, parse_relay, parse_relays


def test_a_relay_url_can_carry_every_option():
    relay = parse_relay(
        "smtps://us%40er:p%3Aw@mail.example.com?connections=4&weight=3&rate=50&floor=2"
        "&messages=500&warmup=2026-11-22:1000:1.5&name=main"
    )

    assert (relay.host, relay.port, relay.tls, relay.starttls) == (
        "mail.example.com", 465, True, False,
    )  # fmt: skip
    assert (relay.user, relay.password) == ("us@er", "p:w")
    assert (relay.connections, relay.weight, relay.messages) == (4, 3, 500)
    assert (relay.rate, relay.floor) == (50.0, 2.0)
    assert relay.warmup == Warmup(date(2026, 11, 22), 1000, 1.5)
    assert (relay.name, relay.backend) == ("main", "")


def test_a_relay_url_needs_only_a_host():
    relay = parse_relay("smtp+starttls://mail.example.com")

    assert (relay.port, relay.starttls, relay.connections, relay.weight) == (587, True, 1, 1)
    assert (relay.rate, relay.floor, relay.warmup) == (None, 20.0, None)
    assert relay.name == "mail.example.com:587"


@pytest.mark.parametrize(("rate", "floor"), [(1000, 100), (50, 5), (5, 1), (0.5, 0.5)])
def test_the_floor_is_a_tenth_of_the_rate_unless_that_is_too_little(rate, floor):
    assert parse_relay(f"smtp://h?rate={rate}").floor == floor


def test_an_esp_url_names_a_backend_and_its_options():
    relay = parse_relay("anymail+amazon-ses://KEY:s%2Fecret@?connections=2&rate=14&region=eu-1")

    assert relay.backend == "anymail.backends.amazon_ses.EmailBackend"
    assert relay.options == {"user": "KEY", "password": "s/ecret", "region": "eu-1"}
    assert (relay.name, relay.connections, relay.rate) == ("amazon-ses", 2, 14.0)
    assert parse_relay("anymail+postmark://TOKEN@").options == {"user": "TOKEN"}


def test_any_django_email_backend_may_be_a_relay():
    relay = parse_relay("django+django.core.mail.backends.filebased.EmailBackend://?file_path=/x")

    assert relay.backend == "django.core.mail.backends.filebased.EmailBackend"
    assert relay.options == {"file_path": "/x"}


def test_neither_a_log_nor_a_traceback_shows_the_password():
    for url in ("smtp://user:pa55@h", "anymail+postmark://user:pa55@?key=pa55"):
        relay = parse_relay(url)
        assert "pa55" not in repr(relay) + relay.name


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mail.example.com", "begins with"),
        ("anymail+://T@", "begins with"),
        ("smtp://", "needs a host"),
        ("smtp://u:pa55@h:99999", "port"),
        ("smtp://u:pa55@h?connections=0", "connections are a whole number"),
        ("smtp://u:pa55@h?connections=2.5", "connections are a whole number"),
        ("smtp://u:pa55@h?weight=-1", "weight is a whole number"),
        ("smtp://u:pa55@h?rate=nan", "rate is a number"),
        ("smtp://u:pa55@h?rate=0", "rate is a number"),
        ("smtp://u:pa55@h?rate=5&floor=6", "floor must not be above"),
        ("smtp://u:pa55@h?messages=none", "messages are a whole number"),
        ("smtp://u:pa55@h?warmup=tomorrow", "warmup is written"),
        ("smtp://u:pa55@h?warmup=2026-02-30:10:2", "warmup is written"),
        ("smtp://u:pa55@h?warmup=2026-11-22:10:0.5", "grows by"),
        ("smtp://u:pa55@h?name=a%20b", "name may have"),
        ("smtp://u:pa55@h?name=" + "n" * 101, "name may have"),
        ("smtp://u:pa55@h?rate=5&rate=6", "only once"),
        ("smtp://u:pa55@h?rate", "key=value"),
        ("smtp://u:pa55@h?speed=5", "options are connections"),
        # A password whose special characters were not encoded.
        ("smtp://u:12?pa55=x@h", "percent-encode"),
        ("smtp://u:12/pa55@h", "percent-encode"),
        ("smtp://u:12#pa55@h", "percent-encode"),
        ("smtp://u:pa55[@h", "percent-encode"),
    ],
)
def test_an_error_in_a_relay_url_is_reported_without_its_password(url, message):
    with pytest.raises(RelayError, match=message) as caught:
        parse_relay(url)

    assert "pa55" not in str(caught.value)


def test_two_relays_with_one_name_are_refused():
    urls = ["smtp://u:pa55@h:25", "smtp://v:pa55@h"]
    with pytest.raises(RelayError, match="two relays are called h:25"):
        parse_relays(urls)

    assert [relay.name for relay in parse_relays([urls[0], f"{urls[1]}?name=b"])] == ["h:25", "b"]


def test_a_warm_up_grows_each_day_until_it_is_over():
    warmup = Warmup(date(2026, 11, 22), 1000, 1.5)

    days = [warmup.cap_on(date(2026, 11, day)) for day in (21, 22, 23, 24)]
    assert days == [0, 1000, 1500, 2250]
    assert warmup.cap_on(date(9999, 1, 1)) == 1_000_000_000


def test_domain_rates_are_read_from_pairs():
    assert parse_rates(["Gmail.com=50", "*=0.5"]) == {"gmail.com": 50.0, "*": 0.5}
    assert parse_rates([]) == {}


@pytest.mark.parametrize("pairs", [["gmail.com"], ["gmail.com=fast"], ["=5"], ["a.b=1", "A.b=2"]])
def test_an_invalid_domain_rate_is_refused(pairs):
    with pytest.raises(RelayError):
        parse_rates(pairs)
