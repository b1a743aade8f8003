"""The entries of a feed become stories, and no story comes in twice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection

from digest import tasks
from digest.feeds import child_process, ingest
from digest.feeds.polling.due import due_chains
from digest.models import Feed, Story
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def newsletter():
    return factories.newsletter()


def rss(*items, title="Wire"):
    body = "".join(
        "<item>" + "".join(f"<{key}>{value}</{key}>" for key, value in item.items()) + "</item>"
        for item in items
    )
    channel = f"<channel><title>{title}</title>{body}</channel>"
    return f"<rss version='2.0'>{channel}</rss>".encode()


def item(n, **fields):
    return {"title": f"Story {n}", "link": f"https://a.example/{n}", "guid": f"id-{n}"} | fields


def minutes_until(moment):
    return (moment - NOW) / timedelta(minutes=1)


def fetch(feed, now=NOW):
    return ingest.fetch_feed(feed_id=feed.id, now=now, force=True)


def test_the_entries_of_a_feed_become_clean_stories(web, sample, newsletter):
    section = factories.section(newsletter)
    url = web.serve("/feed.xml", sample("feeds/rss-media.xml"))
    feed = factories.feed(newsletter, url=url, title="", section=section, next_fetch_at=NOW)
    report = ingest.fetch_feed(feed_id=feed.id, now=NOW)
    assert (report.added, report.skipped, report.error) == (3, 2, "")
    boat = Story.objects.get(title__startswith="Ferry")
    assert boat.title == "Ferry line adds a night boat & halves its fares"
    assert boat.summary == "The island gets a boat after midnight. Fares fall by half from May."
    assert boat.url == "https://www.harbour.example/news/night-boat?id=41"
    assert (boat.author, boat.source_name, boat.section) == ("Ada Quay", "Harbour Post", section)
    assert (boat.image_width, boat.image_credit) == (1100, "Sam Pier")
    feed.refresh_from_db()
    assert feed.title == "Harbour Post - Front page"
    assert feed.last_success_at == NOW


def test_fetching_again_changes_nothing(web, sample, newsletter, django_assert_max_num_queries):
    feed = factories.feed(newsletter, url=web.serve("/feed.xml", sample("feeds/rss-media.xml")))
    fetch(feed)
    # This includes the savepoint. The number does not depend on the number of entries.
    with django_assert_max_num_queries(8):
        report = fetch(feed, NOW + timedelta(hours=1))
    assert (report.added, report.updated, report.unchanged) == (0, 0, 3)


def test_four_hundred_entries_take_no_more_queries_than_three(
    web, newsletter, django_assert_max_num_queries
):
    feed = factories.feed(newsletter, url=web.serve("/f", rss(*(item(n) for n in range(400)))))
    with django_assert_max_num_queries(9):
        assert fetch(feed).added == 400


def test_an_unchanged_feed_is_not_read_again(web, newsletter):
    feed = factories.feed(
        newsletter, url=web.serve("/f", rss(item(1)), headers={"ETag": '"1"'}), title=""
    )
    assert fetch(feed).added == 1
    assert fetch(feed) == ingest.IngestReport(not_modified=True)
    assert web.requests[1][1]["If-None-Match"] == '"1"'


def test_the_same_story_in_two_feeds_is_one_story(web, newsletter):
    one = factories.feed(newsletter, url=web.serve("/1", rss(item(1), item(2))))
    other = factories.feed(
        newsletter, url=web.serve("/2", rss(item(1, link="https://www.a.example/1?utm_source=x")))
    )
    assert fetch(one).added == 2
    assert fetch(other).unchanged == 1
    assert Story.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_feeds_fetched_concurrently_add_each_shared_story_once(web):
    newsletter = factories.newsletter()
    items = [item(n) for n in range(60)]
    urls = (web.serve("/1", rss(*items)), web.serve("/2", rss(*reversed(items))))
    feeds = [factories.feed(newsletter, url=url) for url in urls]

    def fetch_and_close(feed):
        try:
            return fetch(feed)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(fetch_and_close, feeds))
    assert [report.error for report in reports] == ["", ""]
    assert Story.objects.count() == 60


def test_a_story_whose_url_was_corrected_is_the_same_story(web, newsletter):
    feed = factories.feed(newsletter, url=web.serve("/f", rss(item(1))))
    fetch(feed)
    web.serve("/f", rss(item(1, link="https://a.example/better-slug", title="Better")))
    assert fetch(feed).updated == 1
    assert [story.title for story in Story.objects.all()] == ["Better"]


def test_entries_that_share_one_id_are_not_one_story(web, newsletter):
    feed = factories.feed(
        newsletter, url=web.serve("/f", rss(item(1, guid="x"), item(2, guid="x")))
    )
    assert fetch(feed).added == 2
    assert fetch(feed).added == 0


BULLETIN = "https://a.example/bulletin"


def bulletin(n, **fields):
    when = NOW - timedelta(hours=n)
    return item(n, link=BULLETIN, pubDate=when.isoformat()) | fields


def test_entries_that_share_one_link_are_one_story_each_at_each_fetch(web, newsletter):
    feed = factories.feed(newsletter, url=web.serve("/f", rss(bulletin(3), bulletin(2))))
    assert fetch(feed).added == 2
    for shown, added in [((1, 3), 1), ((1,), 0), ((0,), 1), ((3, 0), 0)]:
        web.serve("/f", rss(*map(bulletin, shown)))
        report = fetch(feed)
        assert (report.added, report.updated, report.unchanged) == (added, 0, len(shown) - added)
    assert set(Story.objects.values_list("title", "url")) == {
        (f"Story {n}", BULLETIN) for n in range(4)
    }


def test_one_link_of_which_each_fetch_has_one_entry_brings_a_story_each_time(web, newsletter):
    feed = factories.feed(newsletter, url=web.serve("/f", rss(bulletin(3))))
    for n in (3, 2, 1):
        web.serve("/f", rss(bulletin(n)))
        assert fetch(feed).added == 1
        assert fetch(feed).unchanged == 1
    assert Story.objects.count() == 3


@pytest.mark.parametrize("link", ["https://a.example/2026/1", BULLETIN])
def test_entries_of_one_link_and_one_date_that_come_one_by_one_are_stories_each(
    web, newsletter, link
):
    feed = factories.feed(newsletter, url=web.serve("/f"))
    titles = "Bridge closed for repairs", "Dredging starts at pier two", "Council votes on tram"
    for n, title in enumerate(titles):
        entry = item(n, link=link, title=title, pubDate="Tue, 10 Mar 2026 05:00:00 GMT")
        web.serve("/f", rss(entry))
        assert fetch(feed).added == 1
        assert fetch(feed).unchanged == 1
    assert Story.objects.count() == 3


def test_a_headline_that_is_corrected_under_a_new_id_is_the_same_story(web, newsletter):
    entry = item(1, title="Council votes on tram", pubDate="Tue, 10 Mar 2026 05:00:00 GMT")
    feed = factories.feed(newsletter, url=web.serve("/f", rss(entry)))
    fetch(feed)
    web.serve("/f", rss(entry | {"title": "Council votes on the tram line", "guid": "new"}))
    assert fetch(feed).updated == 1


@pytest.mark.parametrize("date", [{"pubDate": "Tue, 10 Mar 2026 05:00:00 GMT"}, {}])
def test_entries_with_new_ids_and_links_at_each_fetch_are_the_same_stories(web, newsletter, date):
    feed = factories.feed(newsletter, url=web.serve("/f"))
    for token, added in (("x", 2), ("y", 0), ("z", 0)):
        entries = [
            item(n, link=f"https://a.example/r/{token}{n}", guid=f"{token}{n}") | date
            for n in (1, 2)
        ]
        web.serve("/f", rss(*entries))
        report = fetch(feed)
        assert (report.added, report.updated) == (added, 0)
        Story.objects.filter(title="Story 1").update(title="The editor's title")
    assert Story.objects.count() == 2


def test_two_entries_of_one_title_and_date_are_two_stories_while_the_feed_has_both(web, newsletter):
    date = {"title": "Weather", "pubDate": "Tue, 10 Mar 2026 05:00:00 GMT"}
    feed = factories.feed(newsletter, url=web.serve("/f", rss(item(1, **date), item(2, **date))))
    assert fetch(feed).added == 2
    assert fetch(feed).unchanged == 2


def test_entries_that_are_numbered_anew_keep_their_stories(web, newsletter):
    def numbered(*names):
        return rss(
            *(
                item(name, guid=number, pubDate=f"2026-03-0{name}")
                for number, name in enumerate(names, start=1)
            )
        )

    feed = factories.feed(newsletter, url=web.serve("/f", numbered(2, 1)))
    fetch(feed)
    for names, added in (((3, 2, 1), 1), ((4, 3, 2), 1), ((7, 6, 5), 3)):
        web.serve("/f", numbered(*names))
        report = fetch(feed)
        assert (report.added, report.updated) == (added, 0)
        assert fetch(feed).unchanged == 3
    stories = set(Story.objects.values_list("title", "url"))
    assert stories == {(f"Story {n}", f"https://a.example/{n}") for n in range(1, 8)}


def test_an_id_that_another_feed_has_for_another_article_is_of_no_effect(web, newsletter):
    for path in ("/1", "/2"):
        entry = item(1, title=f"Story at {path}", link=f"https://a.example{path}", guid="42")
        feed = factories.feed(newsletter, url=web.serve(path, rss(entry)))
        assert fetch(feed).added == 1
        assert fetch(feed).unchanged == 1
    assert Story.objects.count() == 2


def test_an_outlet_is_named_beside_its_headline_and_not_in_it(web, newsletter):
    markup = (
        "&lt;a href='x'&gt;Storm closes ports&lt;/a&gt;&amp;nbsp;&lt;font&gt;Gazette&lt;/font&gt;"
    )
    entries = [
        item(1, title="Storm closes ports - Gazette", source="Gazette", description=markup),
        item(2, title="A visit to the Wire | Wire"),
        item(3, title="A visit to the Wire"),
        item(4, title="Ports open again (Wire)"),
        item(8, title="Ports shut :: The Wire"),
        item(9, title="Tide is back - Wire.fr"),
        item(10, title="A day at Wire.fr"),
        item(5, title="Tide - a film - Herald", description="Tide - a film  Herald"),
        item(6, title="Flood - a film", description="It rained."),
        item(7, title="Ebb", description="It rained.", **{"News:Source": "Post on MSN"}),
        item(11, title="Fog - a film - The Daily Tide - dailytide.co.uk", source="dailytide.co.uk"),
    ]
    fetch(factories.feed(newsletter, url=web.serve("/f", rss(*entries)), source_name="Wire"))
    assert set(Story.objects.values_list("title", "source_name", "summary")) == {
        ("Storm closes ports", "Gazette", ""),
        ("A visit to the Wire", "Wire", ""),
        ("Ports open again", "Wire", ""),
        ("Ports shut", "Wire", ""),
        ("Tide is back", "Wire", ""),
        ("A day at Wire.fr", "Wire", ""),
        ("Tide - a film", "Herald", ""),
        ("Flood - a film", "Wire", "It rained."),
        ("Ebb", "Post", "It rained."),
        ("Fog - a film", "dailytide.co.uk", ""),
    }
    assert Story.objects.count() == 11


def test_another_newsletter_gets_its_own_copy_of_a_story(web, newsletter):
    url = web.serve("/f", rss(item(1)))
    for owner in (newsletter, factories.newsletter()):
        assert fetch(factories.feed(owner, url=url)).added == 1


def test_a_headline_that_the_feed_corrects_updates_the_story(web, newsletter):
    feed = factories.feed(newsletter, url=web.serve("/f", rss(item(1))))
    fetch(feed)
    web.serve("/f", rss(item(1, title="Story 1, corrected")))
    assert fetch(feed).updated == 1
    assert Story.objects.get().title == "Story 1, corrected"


def test_a_story_in_an_edition_is_not_updated_by_its_feed(web, newsletter):
    feed = factories.feed(newsletter, url=web.serve("/f", rss(item(1))))
    fetch(feed)
    factories.item(factories.edition(newsletter, stories=0), Story.objects.get())
    web.serve("/f", rss(item(1, title="Another title")))
    assert fetch(feed).updated == 0
    assert Story.objects.get().title == "Story 1"


def test_a_story_that_an_editor_changed_is_not_updated_by_its_feed(web, newsletter):
    feed = factories.feed(newsletter, url=web.serve("/f", rss(item(1))))
    fetch(feed)
    Story.objects.update(title="The editor's title")
    web.serve("/f", rss(item(1, title="Another title")))
    assert fetch(feed).updated == 0
    assert Story.objects.get().title == "The editor's title"


@pytest.mark.parametrize(
    ("ahead", "published_at"),
    [(timedelta(hours=2), NOW), (timedelta(days=2), None)],
    ids=["another clock's", "another day's"],
)
def test_a_date_a_little_ahead_becomes_now_and_one_far_ahead_is_unknown(
    web, newsletter, ahead, published_at
):
    dated = item(1, pubDate=(NOW + ahead).isoformat())
    fetch(factories.feed(newsletter, url=web.serve("/f", rss(dated))))
    assert Story.objects.get().published_at == published_at


def test_undated_entries_are_new_only_after_the_feeds_first_fetch(web, sample, newsletter):
    feed = factories.feed(newsletter, url=web.serve("/u", sample("feeds/undated.xml")))
    fetch(feed)
    web.serve("/u", rss(item(4, pubDate="yesterday"), item(5)))
    fetch(feed, NOW + timedelta(hours=1))

    stories = Story.objects.order_by("-added_at")
    assert [story.title for story in stories if not story.is_backlog] == ["Story 4", "Story 5"]
    held = [story.title for story in stories if story.is_backlog]
    assert held == [f"Undated story {n}" for n in (1, 2, 3)]
    assert not stories.exclude(published_at=None)


def test_a_feed_at_a_new_url_shows_its_undated_entries_for_the_first_time(web, newsletter):
    feed = factories.feed(newsletter, url=web.serve("/f", rss(item(1))))
    fetch(feed)
    feed.refresh_from_db()
    feed.url = web.serve("/elsewhere", rss(item(2)))
    feed.save()
    feed.reset_fetch_state(now=NOW)
    fetch(feed)
    assert Story.objects.filter(is_backlog=True).count() == 2


def test_the_outlet_is_the_feeds_source_name_or_the_entrys_own(web, newsletter):
    feed = factories.feed(
        newsletter,
        url=web.serve("/f", rss(item(1), item(2, source="The Outlet"))),
        source_name="Ours",
    )
    fetch(feed)
    names = Story.objects.order_by("title").values_list("source_name", flat=True)
    assert list(names) == ["Ours", "The Outlet"]


@pytest.mark.parametrize(
    ("title", "outlet"),
    [
        ("NYT > World News", "NYT"),
        ("CNN.com - RSS Channel - HP Hero", "CNN.com"),
        ("BBC News", "BBC News"),
        ("Rhein-Zeitung", "Rhein-Zeitung"),
        ("cs.CY updates on arXiv.org", "arXiv.org"),
        ("Release notes from tides", "tides"),
        ("Posts on Ada Quay", "Ada Quay"),
        ("Stories by Ada Quay on Medium", "Ada Quay"),
        ("@harbour.example - Harbour Post", "Harbour Post"),
    ],
)
def test_a_feeds_title_names_its_outlet(title, outlet):
    assert ingest.outlet_name(title) == outlet


# --- Failures ------------------------------------------------------------------------------------


def test_a_failing_feed_is_fetched_less_and_less_often_and_shows_the_error(web, newsletter):
    feed = factories.feed(newsletter, url=web.serve("/f", status=500), interval_minutes=15)
    waits = []
    for _ in range(9):
        assert "500" in fetch(feed).error
        feed.refresh_from_db()
        waits.append((feed.next_fetch_at - NOW) / timedelta(minutes=1))
    expected = [15, 30, 60, 120, 240, 480, 960, 1440, 1440]
    # Each wait varies by a tenth.
    assert waits == pytest.approx(expected, rel=0.1)
    assert feed.consecutive_failures == 9
    assert "answered 500" in feed.last_error
    assert feed.is_active


def test_a_successful_fetch_clears_the_failures(web, newsletter):
    feed = factories.feed(newsletter, url=web.serve("/f", status=500))
    fetch(feed)
    web.serve("/f", rss(item(1)))
    fetch(feed)
    feed.refresh_from_db()
    assert (feed.consecutive_failures, feed.last_error, feed.failing_since) == (0, "", None)
    assert minutes_until(feed.next_fetch_at) == pytest.approx(15, rel=0.1)


def test_a_feed_that_breaks_keeps_its_last_good_state(web, newsletter):
    feed = factories.feed(newsletter, url=web.serve("/f", rss(item(1)), headers={"ETag": '"1"'}))
    fetch(feed)
    web.serve("/f", b"<html><body>Maintenance</body></html>")
    assert "web page" in fetch(feed).error
    feed.refresh_from_db()
    assert (feed.etag, feed.last_success_at) == ('"1"', NOW)
    assert Story.objects.count() == 1


def test_a_feed_that_answers_410_is_switched_off(web, newsletter):
    feed = factories.feed(newsletter, url=web.serve("/f", status=410))
    fetch(feed)
    feed.refresh_from_db()
    assert not feed.is_active
    assert "410" in feed.last_error
    assert due_chains(now=NOW + timedelta(days=9)) == []


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("7200", timedelta(hours=2)),
        ("Tue, 10 Mar 2026 09:00:00 GMT", timedelta(hours=3)),
        ("99999999999999", timedelta(days=2)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", timedelta(days=2)),
        ("1", None),
        ("soon", None),
        ("²", None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_the_retry_after_header_of_a_server_is_respected(web, newsletter, header, wait, status):
    headers = {"Retry-After": header.encode().decode("latin-1")}
    feed = factories.feed(newsletter, url=web.serve("/f", status=status, headers=headers))
    fetch(feed)
    feed.refresh_from_db()
    assert ("asked for this pause" in feed.last_error) == (wait is not None)
    if wait is not None:
        assert feed.next_fetch_at == NOW + wait
    else:
        assert minutes_until(feed.next_fetch_at) == pytest.approx(15, rel=0.1)


def test_two_beats_fetch_a_feed_once(web, newsletter):
    feed = factories.feed(newsletter, url=web.serve("/f", rss(item(1))), next_fetch_at=NOW)
    assert due_chains(now=NOW) == [[feed.id]]
    assert ingest.fetch_feed(feed_id=feed.id, now=NOW).fetched
    assert due_chains(now=NOW) == []
    assert not ingest.fetch_feed(feed_id=feed.id, now=NOW).fetched
    assert len(web.requests) == 1


def test_a_feed_with_a_new_url_is_fetched_without_validators(web, newsletter):
    feed = factories.feed(newsletter, url=web.serve("/f", rss(item(1)), headers={"ETag": '"1"'}))
    fetch(feed)
    feed.refresh_from_db()
    feed.url = web.serve("/elsewhere", rss(item(2)), headers={"ETag": '"1"'})
    feed.save()
    feed.reset_fetch_state(now=NOW)
    assert ingest.fetch_feed(feed_id=feed.id, now=NOW).added == 1


# --- Adding --------------------------------------------------------------------------------------


@pytest.mark.subprocess
def test_adding_a_feed_brings_its_stories(web, sample, newsletter):
    section = factories.section(newsletter)
    url = web.serve("/feed.xml", sample("feeds/rss-media.xml"))
    feed = ingest.add_feed(newsletter=newsletter, url=url, section=section, now=NOW)
    assert (feed.title, feed.source_name) == ("Harbour Post - Front page", "Harbour Post")
    assert feed.stories.count() == 3
    assert feed.next_fetch_at > NOW


@pytest.mark.subprocess
def test_a_url_that_is_not_a_feed_is_not_added(web, newsletter):
    url = web.serve("/", b"<html><body>Hello</body></html>")
    with pytest.raises(ingest.CannotAddFeed, match="a web page, not a feed"):
        ingest.add_feed(newsletter=newsletter, url=url, now=NOW)
    assert not Feed.objects.exists()


@pytest.mark.subprocess
def test_a_feed_is_not_added_twice(web, newsletter):
    url = web.serve("/f", rss(item(1)))
    ingest.add_feed(newsletter=newsletter, url=url, now=NOW)
    with pytest.raises(ingest.CannotAddFeed, match="already"):
        ingest.add_feed(newsletter=newsletter, url=url, now=NOW)


@pytest.mark.subprocess
def test_a_feed_that_takes_too_long_to_read_is_not_added(web, newsletter, monkeypatch):
    monkeypatch.setattr(child_process, "SECONDS", 0.001)
    url = web.serve("/feed", b"<rss version='2.0'><channel>" + b"<item/>" * 1000)

    with pytest.raises(ingest.CannotAddFeed, match="Reading it takes more than"):
        ingest.add_feed(newsletter=newsletter, url=url, now=NOW)
    assert not Feed.objects.exists()
    report = ingest.fetch_feed(
        feed_id=factories.feed(newsletter, url=url).pk, now=NOW, force=True, apart=True
    )
    assert report.error.startswith("Reading it takes more than")


def test_the_error_for_a_private_host_says_how_to_allow_it(settings, newsletter):
    settings.FETCH_ALLOW_HOSTS = []
    with pytest.raises(ingest.CannotAddFeed, match=r"add 10\.0\.0\.1 to FETCH_ALLOW_HOSTS"):
        ingest.add_feed(newsletter=newsletter, url="http://10.0.0.1/feed", now=NOW)


def test_a_feed_that_takes_too_long_to_read_shows_the_error_and_is_postponed(
    newsletter, monkeypatch
):
    def parse(*args, **kwargs):
        raise SoftTimeLimitExceeded

    feed = factories.feed(newsletter, next_fetch_at=NOW)
    monkeypatch.setattr(ingest, "fetch_feed", parse)
    tasks.fetch_feed(feed_id=feed.pk)

    feed.refresh_from_db()
    assert feed.last_error == "It takes more than 120 seconds to read."
    assert feed.next_fetch_at > NOW


def test_a_story_keeps_the_place_that_it_had_in_its_feed_when_it_arrived(web, newsletter):
    feed = factories.feed(newsletter, url=web.serve("/f", rss(item(1), item(2))))
    fetch(feed)
    web.serve("/f", rss(item(3), item(1), item(2)))
    fetch(feed, NOW + timedelta(hours=1))

    places = dict(Story.objects.values_list("title", "feed_position"))
    assert places == {"Story 1": 0, "Story 2": 1, "Story 3": 0}
