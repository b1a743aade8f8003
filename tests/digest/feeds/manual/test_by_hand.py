"""An editor adds a story by its URL or by its text."""

from datetime import UTC, datetime

import pytest

from digest.feeds import child_process, fetch
from digest.feeds.manual import by_hand
from digest.feeds.manual.pages import read_page, trusted_canonical_url
from digest.models import Story
from tests import factories
from tests.factories import NOW

URL = "https://harbour.example/news/night-boat?utm_source=mail"


@pytest.fixture
def newsletter(db):
    return factories.newsletter()


@pytest.mark.subprocess
def test_a_page_gives_every_field_that_a_digest_prints(web, sample, newsletter):
    section = factories.section(newsletter)
    url = web.serve("/news/1?utm_source=x", sample("pages/article.html"))
    story = by_hand.add_from_url(newsletter=newsletter, url=url, section=section, now=NOW)
    assert story.title == "Ferry line adds a night boat"
    assert story.summary == "The island gets a boat after midnight & cheaper fares."
    assert (story.author, story.source_name) == ("Ada Quay", "Harbour Post")
    assert story.url == web.url("/news/night-boat")
    assert (story.image_url, story.image_width) == (web.url("/img/boat.jpg"), 1200)
    assert story.image_alt == "A lit boat at night"
    assert story.published_at == datetime(2026, 3, 10, 4, 30, tzinfo=UTC)
    assert (story.origin, story.section) == (Story.Origin.URL, section)


@pytest.mark.subprocess
def test_a_placeholder_does_not_count_as_a_date(web, sample, newsletter):
    body = sample("pages/article.html").replace(
        b"2026-03-10T05:30:00+01:00", b"0001-01-01T00:00:00+01:00"
    )
    story = by_hand.add_from_url(newsletter=newsletter, url=web.serve("/news/1", body), now=NOW)

    story.refresh_from_db()
    assert story.published_at is None


@pytest.mark.subprocess
def test_a_page_that_is_added_again_is_the_same_story(web, sample, newsletter):
    web.serve("/news/1", sample("pages/article.html"))
    web.serve("/news/1?fbclid=2", sample("pages/article.html"))
    one = by_hand.add_from_url(newsletter=newsletter, url=web.url("/news/1"), now=NOW)
    two = by_hand.add_from_url(newsletter=newsletter, url=web.url("/news/1?fbclid=2"), now=NOW)
    assert one == two


def test_the_summary_of_a_page_without_a_description_is_its_beginning(sample):
    body = sample("pages/article.html").replace(b"og:description", b"og:nothing")
    page = read_page(body, url=URL)
    assert page.summary.startswith("The ferry line will run a boat after midnight from May")


@pytest.mark.parametrize(
    ("named", "kept"),
    [
        ("https://www.harbour.example/news/boat", "https://www.harbour.example/news/boat"),
        ("/news/boat", "https://harbour.example/news/boat"),
        ("https://m.harbour.example/boat", "https://m.harbour.example/boat"),
        ("https://elsewhere.example/news/boat", "https://harbour.example/news/night-boat"),
        ("https://notharbour.example/", "https://harbour.example/news/night-boat"),
        ("https://harbour.example/", "https://harbour.example/news/night-boat"),
        ("javascript:alert(1)", "https://harbour.example/news/night-boat"),
        ("", "https://harbour.example/news/night-boat"),
    ],
)
def test_a_canonical_link_is_used_only_within_the_pages_own_site(named, kept):
    assert trusted_canonical_url(named, page_url=URL) == kept


@pytest.mark.subprocess
@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"", 200, "No headline was found"),
        (b"%PDF-1.7 not a page", 200, "No headline was found"),
        (b"<html><body></body></html>", 200, "No headline was found"),
        (b"gone", 404, "answered 404"),
    ],
)
def test_a_page_that_is_no_article_is_refused_with_the_reason(
    web, newsletter, body, status, message
):
    url = web.serve("/x", body, status=status)
    with pytest.raises(by_hand.CannotAddStory, match=message):
        by_hand.add_from_url(newsletter=newsletter, url=url, now=NOW)
    assert not Story.objects.exists()


@pytest.mark.subprocess
def test_a_page_that_takes_too_long_to_fetch_or_to_read_is_refused_with_the_reason(
    web, newsletter, monkeypatch
):
    monkeypatch.setattr(by_hand, "LIMITS", fetch.Limits(total=0.3))
    with pytest.raises(by_hand.CannotAddStory, match=r"It took longer|not answer in time"):
        by_hand.add_from_url(
            newsletter=newsletter, url=web.serve("/drip", b"x" * 1000, drip=0.05), now=NOW
        )
    monkeypatch.setattr(by_hand, "LIMITS", fetch.Limits())
    monkeypatch.setattr(child_process, "SECONDS", 0.001)
    with pytest.raises(by_hand.CannotAddStory, match=r"Reading it takes more than 0\.001 seconds"):
        by_hand.add_from_url(newsletter=newsletter, url=web.serve("/x", b"<p>" * 1000), now=NOW)
    assert not Story.objects.exists()


def test_a_private_address_is_not_fetched(settings, newsletter):
    settings.FETCH_ALLOW_HOSTS = []
    with pytest.raises(by_hand.CannotAddStory, match="FETCH_ALLOW_HOSTS"):
        by_hand.add_from_url(newsletter=newsletter, url="http://169.254.169.254/", now=NOW)


def test_a_pasted_text_becomes_a_story_that_we_publish_ourselves(sample, newsletter):
    text = sample("pasted/menus.txt").decode()
    story = by_hand.add_from_text(newsletter=newsletter, text=text, now=NOW)
    assert story.title.startswith("Islands Agree on Shared Ferry Timetable")
    assert (story.origin, story.url, story.published_at) == (Story.Origin.TEXT, "", NOW)
    assert story.image_credit == "Port.example, CC BY 4.0, via Wikimedia Commons"
    assert story.text.count("\n\n") == 5
    assert by_hand.add_from_text(newsletter=newsletter, text=text, now=NOW) == story


def test_a_pasted_text_can_link_to_its_page(sample, newsletter):
    text = sample("pasted/menus.txt").decode()
    story = by_hand.add_from_text(newsletter=newsletter, text=text, url=URL, now=NOW)
    assert story.url == "https://harbour.example/news/night-boat"
    assert story.source_name == "harbour.example"
    assert story.published_at is None


@pytest.mark.parametrize(
    ("text", "url", "message"),
    [
        ("", "", "no text"),
        ("x" * 200_001, "", "longer than 200,000"),
        ("A text", "javascript:1", "not an http"),
    ],
)
def test_a_text_that_is_no_article_is_refused_with_the_reason(newsletter, text, url, message):
    with pytest.raises(by_hand.CannotAddStory, match=message):
        by_hand.add_from_text(newsletter=newsletter, text=text, url=url, now=NOW)
