"""What an editor may write about a newsletter."""

import pytest

from subscribers.models import Newsletter

ADD = "/admin/subscribers/newsletter/add/"


def add(desk, **fields):
    form = {
        "name": "The Daily",
        "slug": "daily",
        "promise": "The day's news.",
        "description": "",
        "language": "en",
        "timezone": "Europe/London",
        "accent_color": "#0b57d0",
        "sections-TOTAL_FORMS": 0,
        "sections-INITIAL_FORMS": 0,
    }
    return desk.post(ADD, form | fields, follow=True).content.decode()


@pytest.mark.parametrize("tag", ["en", "pt-BR", "zh-Hant", "nl"])
def test_a_newsletter_is_in_any_language(desk, db, tag):
    add(desk, language=tag)

    assert Newsletter.objects.get().language == tag


@pytest.mark.parametrize("tag", ["english", "e", "Deutsch!", "en_US"])
def test_what_is_no_tag_of_a_language_is_refused(desk, db, tag):
    assert "Write it like en, pt-BR or zh-Hant." in add(desk, language=tag)
    assert not Newsletter.objects.exists()


def test_a_time_zone_that_there_is_none_of_is_refused(desk, db):
    add(desk, timezone="Berlin")

    assert not Newsletter.objects.exists()
