"""The same headline again and again is a standing item; a series of news is none."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.ranking.dateless import dateless
from digest.ranking.standing import StandingItems
from tests.support.steps import assert_steps_are_bounded, growth

# A Monday.
FIRST = date(2026, 8, 3)
STANDING = [
    ["Wordle today: hint for #1123", "Wordle today: hint for #1124", "Wordle today: hint for #1125",
     "Wordle today: hint for #1126"],
    ["Briefing for Monday", "Briefing for Tuesday", "briefing for Wednesday"],
    ["Lottozahlen vom 3. August", "Lottozahlen vom 4. August", "Lottozahlen vom 5. August"],
    ["Wetter am 03.08.2026", "Wetter am 04.08.2026", "Wetter am 05.08.2026"],
    ["Météo du lundi 3 août", "Météo du mardi 4 août", "Météo du mercredi 5 août"],
    ["El tiempo hoy, 3 de agosto", "El tiempo hoy, 4 de agosto", "El tiempo hoy, 5 de agosto"],
    ["Погода на 4 августа", "Погода на 5 августа", "Погода на 6 августа"],
    ["طقس اليوم الاثنين 3 أغسطس", "طقس اليوم الثلاثاء 4 أغسطس", "طقس اليوم الأربعاء 5 أغسطس"],
    ["今日の運勢 8月3日(月)", "今日の運勢 8月4日(火)", "今日の運勢 8月5日(水)"],
    ["Letters to the editor"] * 4,
    ["War diary: day 903", "War diary: day 904", "War diary: day 905", "War diary: day 906"],
]  # fmt: skip
NEWS = [
    ["Dow Jones closes higher"] * 3,
    ["Death toll rises to 40", "Death toll rises to 41", "Death toll rises to 42"],
    ["Death toll rises to 40", "Death toll rises to 52", "Death toll rises to 61",
     "Death toll rises to 62"],
    ["Earthquake of magnitude 5.1 hits Chile", "Earthquake of magnitude 6.0 hits Chile",
     "Earthquake of magnitude 4.9 hits Chile", "Earthquake of magnitude 5.3 hits Chile"],
    ["Quake of 5.1 on Monday", "Quake of 6.0 on Tuesday", "Quake of 4.9 on Wednesday"],
    ["Oil at 81 dollars", "Oil at 83 dollars", "Oil at 80 dollars", "Oil at 84 dollars"],
    ["Monday", "Tuesday", "Wednesday", "Thursday"],
    ["Rain stops play on Monday", "Rain stops play on Tuesday", "Sun at last on Wednesday"],
]  # fmt: skip


def days_of_last(titles):
    days = [(title, FIRST + timedelta(days=n)) for n, title in enumerate(titles)]
    return StandingItems(days).days_of(*days[-1])


@pytest.mark.parametrize("titles", STANDING)
def test_a_standing_item_is_known_by_its_days(titles):
    assert days_of_last(titles) == len(titles)
    assert days_of_last(titles[:2]) == 0


@pytest.mark.parametrize("titles", NEWS)
def test_a_series_of_news_is_no_standing_item(titles):
    assert days_of_last(titles) == 0


def test_days_of_two_weeks_count_and_no_later_ones():
    title, day = "Letters to the editor", date(2026, 8, 20)

    def days_of(*days):
        return StandingItems((title, day + timedelta(days=n)) for n in days).days_of(title, day)

    assert days_of(-13, -6, -1, 0) == 4
    assert days_of(-13, -6, -1) == 4, "the story itself counts, whoever brought it"
    assert days_of(-14, -6, -1, 0) == 0
    assert days_of(1, 2, 3, 4) == 0
    assert days_of(-1, -1, 0, 0) == 0


def test_the_month_may_change_in_between():
    titles = [
        "Lottozahlen vom 31. August",
        "Lottozahlen vom 1. September",
        "Lottozahlen vom 2. September",
    ]
    days = [(title, date(2026, 8, 31) + timedelta(days=n)) for n, title in enumerate(titles)]

    assert StandingItems(days).days_of(*days[-1]) == 3


@given(st.text("a 1月א\u0301\u0130日@#", max_size=60), st.integers(0, 20))
def test_any_headline_is_read(title, days):
    seen = [(title, FIRST + timedelta(days=n)) for n in range(days)]

    assert 0 <= StandingItems(seen).days_of(title, FIRST + timedelta(days=days)) <= 14


@pytest.mark.parametrize("unit", ["1", "1 ", "a1", "月", "monday ", "\u0130"])
def test_steps_grow_with_the_length_alone(unit):
    assert growth(lambda size: dateless.__wrapped__(unit * size), 60) < 2.5
    assert_steps_are_bounded(dateless.__wrapped__, unit, length=1000)
