"""A newsroom's CMS pushes stories, and updates them until an editor changes or places them."""

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
def cms(api_client):
    return api_client("stories:write", "stories:read")


def test_a_pushed_story_is_stored_with_its_fields(cms):
    response = cms.call("POST", PATH, STORY)
    assert response.status_code == 201
    result = response.json()
    assert result["outcome"] == "added"
    story = Story.objects.get(pk=result["id"])
    assert (story.title, story.url) == ("Rain before seven", "https://news.example.com/rain")
    assert (story.section.slug, story.origin) == ("world", "api")
    assert (story.author, story.image_alt) == ("Ann Author", "Rain")


def test_a_story_that_is_pushed_twice_is_stored_once(cms):
    first = cms.call("POST", PATH, STORY).json()
    again = cms.call("POST", PATH, STORY)
    assert again.status_code == 200
    assert (again.json()["id"], again.json()["outcome"]) == (first["id"], "kept")


def test_a_story_is_updated_by_url_or_by_external_id(cms):
    first = cms.call("POST", PATH, STORY).json()
    second = cms.call("POST", PATH, STORY | {"title": "Rain before eight"}).json()
    third = cms.call(
        "POST", PATH,
        STORY | {"title": "Rain before nine", "url": "https://news.example.com/rain-2"},
    ).json()  # fmt: skip
    assert {first["id"], second["id"], third["id"]} == {Story.objects.get().pk}
    assert (second["outcome"], third["outcome"]) == ("updated", "updated")
    assert Story.objects.get().title == "Rain before nine"
    assert third["url"] == "https://news.example.com/rain-2"


def test_a_story_that_an_editor_changed_or_placed_is_not_updated(cms, daily):
    cms.call("POST", PATH, STORY)
    Story.objects.update(title="An editor's words")
    kept = cms.call("POST", PATH, STORY | {"summary": "New."}).json()
    assert (kept["outcome"], kept["title"]) == ("kept", "An editor's words")

    placed = cms.call("POST", PATH, {"title": "Sun", "url": "https://news.example.com/sun"}).json()
    factories.item(factories.edition(daily, stories=0), Story.objects.get(pk=placed["id"]))
    kept = cms.call("POST", PATH, {"title": "Moon", "url": "https://news.example.com/sun"}).json()
    assert (kept["outcome"], kept["title"], kept["is_printed"]) == ("kept", "Sun", True)


def test_a_story_from_a_feed_is_not_updated(cms, daily):
    story = factories.story(daily, url="https://news.example.com/fed")
    Story.objects.filter(pk=story.pk).update(identity=_identity(story.url))
    kept = cms.call("POST", PATH, {"title": "Other", "url": story.url}).json()
    assert (kept["id"], kept["outcome"]) == (story.pk, "kept")


def _identity(url):
    from digest.feeds import urls

    return urls.identity(url)


def test_a_story_with_text_gets_a_page_on_our_site(cms):
    result = cms.call("POST", PATH, {"title": "Sun", "text": "It shone.\n\nAll day."}).json()
    assert result["url"].endswith(f"/stories/{result['id']}/")
    assert Story.objects.get().text == "It shone.\n\nAll day."


def test_markup_is_removed(cms):
    summary = "<script>alert(1)</script>It rained."
    story = STORY | {"title": "<b>Rain</b> &amp; wind", "summary": summary}
    result = cms.call("POST", PATH, story).json()
    assert result["title"] == "Rain & wind"
    assert "script" not in result["summary"]


def test_a_date_a_little_ahead_becomes_now(cms):
    later = (timezone.now() + timedelta(hours=3)).isoformat()
    cms.call("POST", PATH, STORY | {"published_at": later})
    assert Story.objects.get().published_at <= timezone.now()


@pytest.mark.parametrize("ahead", [None, timedelta(days=365)], ids=["none", "a year ahead"])
def test_a_story_without_a_date_that_can_be_true_has_none(cms, ahead):
    written = {"published_at": (timezone.now() + ahead).isoformat()} if ahead else {}
    without = {name: value for name, value in STORY.items() if name != "published_at"}
    result = cms.call("POST", PATH, without | written).json()
    assert result["published_at"] is None
    assert Story.objects.get().published_at is None


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
        ({"published_at": "0001-01-01T00:00:00Z"}, 422),  # Go's zero time
        ({"published_at": "0001-01-01T00:00:00+14:00"}, 422),
        ({"published_at": "9999-12-31T23:59:59-14:00"}, 422),
        ({"headline": "No such field"}, 422),
    ],
)
def test_an_invalid_story_is_refused(cms, change, status):
    assert cms.call("POST", PATH, STORY | change).status_code == status
    assert not Story.objects.exists()


def test_stories_are_listed_newest_first_page_by_page(cms, daily):
    made = [factories.story(daily) for _ in range(5)]
    factories.item(factories.edition(daily, stories=0), made[2])
    first = cms.call("GET", f"{PATH}?limit=3").json()
    rest = cms.call("GET", f"{PATH}?limit=3&after={first['next_after']}").json()
    ids = [story["id"] for story in first["items"] + rest["items"]]
    assert ids == [story.pk for story in reversed(made)]
    assert rest["next_after"] is None
    printed = cms.call("GET", f"{PATH}?printed=true").json()["items"]
    assert [story["id"] for story in printed] == [made[2].pk]
    assert EditionItem.objects.count() == 1
