"""A newsroom's own program pushes stories, and corrects them while nobody has touched them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from digest.models import EditionItem, Story
from tests import factories

pytestmark = pytest.mark.django_db

PATH = "/newsletters/daily/stories"
STORY = {
    "title": "Rain before seven",
    "url": "https://news.example.com/rain?utm_source=cms",
    "summary": "It rained.",
    "section": "world",
    "author": "Ann Author",
    "source_name": "The Daily",
    "image_url": "https://news.example.com/rain.jpg",
    "image_alt": "Rain",
    "external_id": "4711",
    "published_at": "2026-03-10T05:00:00Z",
}


@pytest.fixture(autouse=True)
def daily():
    newsletter = factories.newsletter(slug="daily")
    factories.section(newsletter, slug="world")
    return newsletter


@pytest.fixture
def cms(program):
    return program("stories:write", "stories:read")


def test_a_story_is_stored_with_what_was_told_of_it(cms):
    response = cms.ask("POST", PATH, STORY)
    assert response.status_code == 201
    told = response.json()
    assert told["outcome"] == "added"
    story = Story.objects.get(pk=told["id"])
    assert (story.title, story.url) == ("Rain before seven", "https://news.example.com/rain")
    assert (story.section.slug, story.origin) == ("world", "api")
    assert (story.author, story.image_alt) == ("Ann Author", "Rain")


def test_the_same_again_is_the_same_story(cms):
    first = cms.ask("POST", PATH, STORY).json()
    again = cms.ask("POST", PATH, STORY)
    assert again.status_code == 200
    assert (again.json()["id"], again.json()["outcome"]) == (first["id"], "kept")


def test_a_correction_is_taken_by_url_or_by_id(cms):
    first = cms.ask("POST", PATH, STORY).json()
    second = cms.ask("POST", PATH, STORY | {"title": "Rain before eight"}).json()
    third = cms.ask(
        "POST", PATH,
        STORY | {"title": "Rain before nine", "url": "https://news.example.com/rain-2"},
    ).json()  # fmt: skip
    assert {first["id"], second["id"], third["id"]} == {Story.objects.get().pk}
    assert (second["outcome"], third["outcome"]) == ("updated", "updated")
    assert Story.objects.get().title == "Rain before nine"
    assert third["url"] == "https://news.example.com/rain-2"


def test_what_an_editor_has_changed_or_placed_stays(cms, daily):
    cms.ask("POST", PATH, STORY)
    Story.objects.update(title="An editor's words")
    kept = cms.ask("POST", PATH, STORY | {"summary": "New."}).json()
    assert (kept["outcome"], kept["title"]) == ("kept", "An editor's words")

    placed = cms.ask("POST", PATH, {"title": "Sun", "url": "https://news.example.com/sun"}).json()
    factories.item(factories.edition(daily, stories=0), Story.objects.get(pk=placed["id"]))
    kept = cms.ask("POST", PATH, {"title": "Moon", "url": "https://news.example.com/sun"}).json()
    assert (kept["outcome"], kept["title"], kept["is_printed"]) == ("kept", "Sun", True)


def test_a_feeds_story_is_not_the_programs_to_change(cms, daily):
    story = factories.story(daily, url="https://news.example.com/fed")
    Story.objects.filter(pk=story.pk).update(identity=_identity(story.url))
    kept = cms.ask("POST", PATH, {"title": "Other", "url": story.url}).json()
    assert (kept["id"], kept["outcome"]) == (story.pk, "kept")


def _identity(url):
    from digest.feeds import clean

    return clean.identity(url)


def test_a_whole_text_gets_a_page_of_ours(cms):
    told = cms.ask("POST", PATH, {"title": "Sun", "text": "It shone.\n\nAll day."}).json()
    assert told["url"].endswith(f"/stories/{told['id']}/")
    assert Story.objects.get().text == "It shone.\n\nAll day."


def test_markup_is_taken_off_and_a_date_to_come_is_now(cms):
    later = (timezone.now() + timedelta(days=3)).isoformat()
    told = cms.ask(
        "POST", PATH,
        STORY | {"title": "<b>Rain</b> &amp; wind", "published_at": later,
                 "summary": "<script>alert(1)</script>It rained."},
    ).json()  # fmt: skip
    assert told["title"] == "Rain & wind"
    assert "script" not in told["summary"]
    assert Story.objects.get().published_at <= timezone.now()


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"title": ""}, 422),
        ({"title": "Two\nlines"}, 422),
        ({"title": "<b></b>"}, 409),
        ({"url": "javascript:alert(1)"}, 422),
        ({"url": "/relative"}, 422),
        ({"section": "weather"}, 409),
        ({"image_url": "data:image/png;base64,"}, 422),
        ({"published_at": 0}, 422),
        ({"published_at": "yesterday"}, 422),
        ({"headline": "No such field"}, 422),
    ],
)
def test_what_cannot_be_printed_is_refused(cms, change, status):
    assert cms.ask("POST", PATH, STORY | change).status_code == status
    assert not Story.objects.exists()


def test_they_are_listed_newest_first_page_by_page(cms, daily):
    made = [factories.story(daily) for _ in range(5)]
    factories.item(factories.edition(daily, stories=0), made[2])
    first = cms.ask("GET", f"{PATH}?limit=3").json()
    rest = cms.ask("GET", f"{PATH}?limit=3&after={first['next_after']}").json()
    ids = [story["id"] for story in first["items"] + rest["items"]]
    assert ids == [story.pk for story in reversed(made)]
    assert rest["next_after"] is None
    printed = cms.ask("GET", f"{PATH}?printed=true").json()["items"]
    assert [story["id"] for story in printed] == [made[2].pk]
    assert EditionItem.objects.count() == 1
