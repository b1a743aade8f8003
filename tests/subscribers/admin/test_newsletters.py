"""The form of a newsletter accepts any language and any time zone, but no invalid ones."""

import pytest

from subscribers.models import Newsletter, Section

ADD = "/admin/subscribers/newsletter/add/"


def add_newsletter(admin_client, **fields):
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
    return admin_client.post(ADD, form | fields, follow=True).content.decode()


@pytest.mark.parametrize("tag", ["en", "pt-BR", "zh-Hant", "nl"])
def test_a_newsletter_may_be_in_any_language(admin_client, db, tag):
    add_newsletter(admin_client, language=tag)

    assert Newsletter.objects.get().language == tag


@pytest.mark.parametrize("tag", ["english", "e", "Deutsch!", "en_US"])
def test_an_invalid_language_tag_is_refused(admin_client, db, tag):
    assert "Write it like en, pt-BR or zh-Hant." in add_newsletter(admin_client, language=tag)
    assert not Newsletter.objects.exists()


def test_an_unknown_time_zone_is_refused(admin_client, db):
    add_newsletter(admin_client, timezone="Berlin")

    assert not Newsletter.objects.exists()


@pytest.mark.parametrize(("least", "most", "stored"), [(2, 4, 1), (2, "", 1), (5, 4, 0)])
def test_a_sections_minimum_is_at_most_its_maximum(admin_client, db, least, most, stored):
    row = {"name": "Money", "slug": "money", "position": 0}
    row |= {"min_stories": least, "max_stories": most}
    section = {f"sections-0-{name}": value for name, value in row.items()}

    page = add_newsletter(admin_client, **section | {"sections-TOTAL_FORMS": 1})

    assert Section.objects.filter(min_stories=least).count() == stored
    assert ("The minimum cannot be more than the maximum." in page) == (not stored)
