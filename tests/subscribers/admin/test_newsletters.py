"""The form of a newsletter accepts any language and any time zone, but no invalid ones."""

import pytest

from subscribers.models import Newsletter

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
