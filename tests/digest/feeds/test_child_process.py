"""What somebody waits for is read in a process that ends, whatever the text does to the reader."""

import os
import time

import pytest

from digest.feeds import child_process
from digest.feeds.child_process import UsedUp
from digest.feeds.parse import NotAFeed, parse

pytestmark = pytest.mark.subprocess


def test_a_call_returns_or_raises_as_without_a_process_of_its_own():
    body = b"<rss version='2.0'><channel><item><title>A boat</title></item></channel></rss>"

    [entry] = child_process.call(parse, body, base_url="https://harbour.example/feed").entries
    with pytest.raises(NotAFeed, match="It is empty") as error:
        child_process.call(parse, b"", base_url="https://harbour.example/feed")

    assert entry.title == "A boat"
    assert "parse.py" in error.value.__notes__[0]


def test_a_call_ends_when_its_time_is_used_up(monkeypatch):
    monkeypatch.setattr(child_process, "SECONDS", 0.5)

    with pytest.raises(UsedUp, match=r"takes more than 0\.5 seconds"):
        child_process.call(time.sleep, 60)


def test_a_call_without_hurry_may_use_more_of_a_processor(monkeypatch):
    monkeypatch.setattr(child_process, "SECONDS_WITHOUT_HURRY", 60)
    limit = child_process.resource.RLIMIT_CPU

    assert child_process.call_without_hurry(child_process.resource.getrlimit, limit) == (60, 60)
    seconds = child_process.SECONDS
    assert child_process.call(child_process.resource.getrlimit, limit) == (seconds, seconds)


def test_a_call_ends_when_its_memory_is_used_up():
    with pytest.raises(UsedUp, match="1 GB of memory"):
        child_process.call(bytes, 2 * child_process.MEMORY_BYTES)


def test_a_call_knows_no_secret(monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "secret")

    assert child_process.call(os.getenv, "SECRET_KEY") is None
    assert child_process.call(os.getenv, "PATH") == os.environ["PATH"]
