"""A publisher's date is read as it was meant, or not at all."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest

from digest.feeds.dates import context_of, read_date
from digest.feeds.zones import ELSEWHERE, HOURS, ONLY_THERE


def shown(text, context=None):
    moment = read_date(text, context)
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else None


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026/11/28 15:07:41", "2026-11-28 15:07:41"),
        ("2026年11月28日 15:07", "2026-11-28 15:07:00"),
        ("2026年11月28日(土) 午後3:07", "2026-11-28 15:07:00"),
        ("2026년 11월 28일 오전 12:07", "2026-11-28 00:07:00"),
        ("٢٨ نوفمبر ٢٠٢٦ ١٥:٠٧", "2026-11-28 15:07:00"),
        ("28 تشرين الثاني 2026 3:07 م", "2026-11-28 15:07:00"),
        ("السبت 28 نونبر 2026", "2026-11-28 12:00:00"),
        ("sábado, 28 de noviembre de 2026 10:30", "2026-11-28 10:30:00"),
        ("28 de nov. de 2026", "2026-11-28 12:00:00"),
        ("1er décembre 2026 à 10h30", "2026-12-01 10:30:00"),
        ("28. März 2026, 15:07 Uhr", "2026-03-28 15:07:00"),
        ("Samstag, 28.11.2026", "2026-11-28 12:00:00"),
        ("28.11.2026 15.07", "2026-11-28 15:07:00"),
        ("28 novembre 2026 à 15 h 07", "2026-11-28 15:07:00"),
        ("28 ноября 2026 г. 15:07", "2026-11-28 15:07:00"),
        ("sobota, 28 listopada 2026", "2026-11-28 12:00:00"),
        ("28 Kasım 2026", "2026-11-28 12:00:00"),
        ("Sat Nov 28 08:57:00 CET 2026", "2026-11-28 07:57:00"),
        ("November 28th, 2026 3:07 p.m.", "2026-11-28 15:07:00"),
        ("11/28/2026 12:07:41 AM", "2026-11-28 00:07:41"),
        ("28-Nov-2026 10:00:00 -0330", "2026-11-28 13:30:00"),
        ("Sat, 28 Nov 26 10:00:00 Z", "2026-11-28 10:00:00"),
        ("Sat,28 Nov 2026 10:00:60GMT", "2026-11-28 10:00:59"),
        ("2026-11-28T15:07:41.1234567+01:00", "2026-11-28 14:07:41"),
        ("2026-11-28 15:07 CET", "2026-11-28 14:07:00"),
        ("Sat, 28 Nov 2026 10:00:00 +0100 (CET)", "2026-11-28 09:00:00"),
        ("1795882061", "2026-11-28 16:07:41"),
        ("Samstag, 28. November 2026, 15.07 Uhr", "2026-11-28 15:07:00"),
        ("28. November 2026 um 15 Uhr", "2026-11-28 15:00:00"),
        ("28 novembre 2026 à 15 heures 07", "2026-11-28 15:07:00"),
        ("28 novembre 2026 à 15h", "2026-11-28 15:00:00"),
        ("28 novembre 2026 ore 15.07", "2026-11-28 15:07:00"),
        ("28 november 2026 kl. 15.07", "2026-11-28 15:07:00"),
        ("zaterdag 28 november 2026, 15.07 uur", "2026-11-28 15:07:00"),
        ("2026-11-28 15.07", "2026-11-28 15:07:00"),
        ("Nov 28, 2026 3 PM", "2026-11-28 15:00:00"),
        ("28 nov 2026 3:07 p. m.", "2026-11-28 15:07:00"),
        ("28/11/2026, 3:07 μ.μ.", "2026-11-28 15:07:00"),
        ("Σάββατο, 28 Νοεμβρίου 2026 3:07 π.μ.", "2026-11-28 03:07:00"),
        ("2026年11月28日 15時", "2026-11-28 15:00:00"),
        ("2026 m. lapkričio 28 d., šeštadienis, 15:07", "2026-11-28 15:07:00"),
        ("2026. gada 28. novembrī", "2026-11-28 12:00:00"),
        ("Ngày 28 tháng 11 năm 2026", "2026-11-28 12:00:00"),
        ("28 d'octubre de 2026", "2026-10-28 12:00:00"),
        ("2026-11-27T24:00:00Z", "2026-11-28 00:00:00"),
        ("2026-12-31T24:00+01:00", "2026-12-31 23:00:00"),
        ("20261127T240000,0Z", "2026-11-28 00:00:00"),
        ("Sat, 28 Nov 2026 24:00:00 GMT", "2026-11-29 00:00:00"),
        ("31.12.2026 24:00 +0100", "2026-12-31 23:00:00"),
        ("28. November 2026, 24 Uhr", "2026-11-29 00:00:00"),
        ("2026年11月28日午後3時7分", "2026-11-28 15:07:00"),
        ("2026. 11. 28. 오후 3:07", "2026-11-28 15:07:00"),
        ("2026. 11. 28. (토)", "2026-11-28 12:00:00"),
        ("2026. 11. 28. 15:07", "2026-11-28 15:07:00"),
        ("28. 11. 2026", "2026-11-28 12:00:00"),
        ("3 Maerz 2026", "2026-03-03 12:00:00"),
        ("28. Jaenner 2026", "2026-01-28 12:00:00"),
        ("CUMARTESİ, 28 KASIM 2026 15:07", "2026-11-28 15:07:00"),
        ("28 ARALIK 2026", "2026-12-28 12:00:00"),
        ("28 NİSAN 2026", "2026-04-28 12:00:00"),
        ("28 Mayis 2026", "2026-05-28 12:00:00"),
        ("1º de dezembro de 2026", "2026-12-01 12:00:00"),
        ("28 كانون الاول 2026", "2026-12-28 12:00:00"),
        ("28 ايلول 2026", "2026-09-28 12:00:00"),
        ("2026-11-28 15:07:00 +0100 CET", "2026-11-28 14:07:00"),
        ("2026-11-28T15:07:00+01:00[Europe/Berlin]", "2026-11-28 14:07:00"),
        ("1795882061.25", "2026-11-28 16:07:41"),
    ],
)
def test_a_date_is_read_in_the_form_of_its_country(text, moment):
    assert shown(text) == moment


@pytest.mark.parametrize("text", ["2026/11/28", "2026-11-28", "28 novembre 2026", "2026.11.28."])
def test_a_day_without_a_time_is_noon_which_is_on_that_day_nearly_everywhere(text):
    assert shown(text) == "2026-11-28 12:00:00"


@pytest.mark.parametrize(
    "text",
    [
        "03/04/2026", "11-12-2026", "26/11/28", "2026-11", "2026", "28 Nov", "11/2026",
        "28 listopad 2026", "2 hours ago", "yesterday", "foo 28 Nov 2026", "bis 28.11.2026",
        "31 Feb 2026", "2026-02-30", "2026-28-11", "28 Nov 2026 25:61", "28 Nov 2026 15:07 XYZ",
        "28 Nov 2026 15:07 p.m. ET", "28 Nov 2026 15:07:00 A", "28 Nov 2026 15:07 AST",
        "28 Nov 2026 15:07 +9900", "28 Nov 2026 15:07 noon", "令和8年11月28日",
        "0001-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 GMT", "28 Nov 2026" + " " * 99 + "x",
        "", "٢", "²", "２０２６", "1 a 2026", "15 x 2026", "2026年11月28日 午後3時半",
        "Nov 28, 2026 13 PM",
        "28.11.2026, 24.30 Uhr", "28 Nov 2026 24:00:01 GMT",
        "2026. 28. 11.", "November 2026 28.11", "28 Nov 2026 15.7",
        "2026-11-28 28.11", "28 Nov 2026 15:07 Eastern", "28 พฤศจิกายน 2569",
    ],
)  # fmt: skip
def test_a_date_that_is_understood_by_half_is_unknown(text):
    assert read_date(text) is None


@pytest.mark.parametrize(
    ("text", "language", "host", "others", "moment"),
    [
        ("03/04/2026", "", "", ["13/04/2026"], "2026-04-03 12:00:00"),
        ("03/04/2026", "de", "", ["04/13/2026"], "2026-03-04 12:00:00"),
        ("03/04/2026", "de", "", ["04/13/2026", "13/04/2026"], None),
        ("03/04/2026", "de", "", [], "2026-04-03 12:00:00"),
        ("03/04/2026", "en_GB", "", [], "2026-04-03 12:00:00"),
        ("03/04/2026", "en-US", "", [], "2026-03-04 12:00:00"),
        ("12.11.2026", "en-US", "", [], None),
        ("12.11.2026", "", "", [], "2026-11-12 12:00:00"),
        ("03/04/2026", "en-US", "www.harbour.co.uk", [], "2026-04-03 12:00:00"),
        ("03/04/2026", "en", "", [], None),
        ("03/04/2026", "ja", "", [], None),
        ("28 listopad 2026", "hr", "", [], "2026-10-28 12:00:00"),
        ("28 listopad 2026", "", "gazeta.pl", [], "2026-11-28 12:00:00"),
        ("28 Nov 2026 15:07 CST", "", "", [], "2026-11-28 21:07:00"),
        ("28 Nov 2026 15:07 CST", "zh-CN", "", [], "2026-11-28 07:07:00"),
        ("28 Nov 2026 15:07 IST", "", "", [], "2026-11-28 09:37:00"),
        ("28 Nov 2026 15:07 IST", "he", "", [], "2026-11-28 13:07:00"),
        ("28 Nov 2026 15:07 IST", "en", "harbour.ie", [], "2026-11-28 14:07:00"),
        ("28 Nov 2026 15:07 EST", "en", "harbour.com.au", [], None),
        ("28 Nov 2026 15:07 AST", "ar", "harbour.com.sa", [], "2026-11-28 12:07:00"),
    ],
)  # fmt: skip
def test_what_may_be_meant_in_two_ways_is_decided_by_the_rest_of_the_feed(
    text, language, host, others, moment
):
    assert shown(text, context_of([text, *others], language=language, host=host)) == moment


def test_a_zone_has_the_offset_of_all_places_that_have_a_zone_of_this_name():
    offsets = defaultdict(set)
    for key in available_timezones():
        for month in (1, 7):
            when = datetime(2026, month, 15, tzinfo=ZoneInfo(key))
            offsets[when.tzname().upper()].add(when.utcoffset())
    names = {name: found for name, found in offsets.items() if name.isalpha() and len(name) > 2}
    known = {*HOURS, *ONLY_THERE}
    several = {name for name, found in names.items() if len(found) > 1}

    assert set(names) - known <= {"LMT", "FACTORY"}
    assert several <= {*ELSEWHERE, *ONLY_THERE}
    for name in set(names) - several - set(ONLY_THERE) - {"FACTORY"}:
        assert {timedelta(hours=HOURS[name])} == names[name], name


def test_many_unknown_words_are_not_asked_for_in_every_language():
    context = context_of([])
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    for word in (one + other for one in letters for other in letters):
        context.words.add(f"15 {word} 2026")

    assert read_date("28 noviembre 2026", context) is None
    assert read_date("28 noviembre 2026") == datetime(2026, 11, 28, 12, tzinfo=UTC)
