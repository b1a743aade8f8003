"""The progress line says how fast an edition goes, and what it waits for."""

from datetime import UTC, datetime, timedelta

import pytest

from digest.delivery.progress.wording import Progress, approximate, describe, per_second

NOW = datetime(2026, 3, 10, 6, 0, tzinfo=UTC)


def described(**fields):
    defaults = {
        "left": 1000,
        "later": 0,
        "on_the_wire": 20,
        "next_try": None,
        "to_come": 0,
        "next_wave": None,
        "rate": 50.0,
        "pace": 50.0,
        "no_relay_available": False,
        "deadline_at": NOW + timedelta(hours=2),
        "now": NOW,
    }
    return describe(Progress(**defaults | fields), UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (10, "less than a minute"),
        (61, "about 1 minute"),
        (240, "about 4 minutes"),
        (89 * 60, "about 89 minutes"),
        (2 * 3600, "about 2 hours"),
        (3 * 86400, "about 3 days"),
    ],
)
def test_the_time_left_is_rounded_to_what_is_known(seconds, text):
    assert approximate(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("rate", "text"),
    [(1204.4, "1,204 a second"), (1.54, "1.5 a second"), (0.2, "12 a minute"), (0, "0 a minute")],
)
def test_a_slow_rate_is_given_by_the_minute(rate, text):
    assert per_second(rate) == text


def test_an_active_send_shows_its_rate_and_the_time_left():
    assert described() == "50 a second, less than a minute left."
    assert described(left=12_000) == "50 a second, about 4 minutes left."


def test_the_line_warns_of_a_deadline_that_will_not_be_met():
    late = described(left=1_000_000)

    assert late.startswith("50 a second, about 6 hours left. At this rate it is not done by 08:00")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"no_relay_available": True}, "No relay can be used now"),
        ({}, "Waiting for the relay's answer."),
        ({"on_the_wire": 0}, "Waiting for a worker or a relay that is free."),
        (
            {"on_the_wire": 0, "later": 3, "left": 3, "next_try": NOW + timedelta(seconds=95)},
            "3 readers are tried again from 06:01:35 on.",
        ),
        (
            {
                "on_the_wire": 0,
                "later": 3,
                "left": 3,
                "throttled": 3,
                "next_try": NOW + timedelta(seconds=95),
            },
            "3 readers wait for their domain's rate, the next until 06:01:35.",
        ),
        ({"on_the_wire": 0, "left": 0}, "All readers are done."),
    ],
)
def test_a_stalled_send_shows_what_it_waits_for(fields, text):
    assert described(**{"rate": 0.0, "pace": 0.0} | fields).startswith(text)
