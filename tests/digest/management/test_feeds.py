"""The commands for feeds and stories print a clear message and have a reliable exit status."""

import io

import pytest
from django.core.management import CommandError, call_command

from digest.models import Feed, Story
from tests import factories


@pytest.fixture
def newsletter(db):
    newsletter = factories.newsletter(slug="daily", name="The Daily")
    factories.section(newsletter, slug="world", name="World")
    return newsletter


def run(*args):
    out = io.StringIO()
    call_command(*args, stdout=out)
    return out.getvalue()


def test_the_feeds_of_an_opml_file_are_added(newsletter, tmp_path):
    file = tmp_path / "feeds.opml"
    file.write_text(
        "<opml version='2.0'><body><outline text='World'>"
        "<outline xmlUrl='https://a.example/rss'/></outline></body></opml>"
    )
    command = ("import_feeds", str(file), "--newsletter", "daily")
    line = "https://a.example/rss: added, in World\n1 of 1 feeds"

    assert run(*command, "--dry-run") == f"{line} would be added.\n"
    assert not Feed.objects.exists()
    assert run(*command) == f"{line} added.\n"
    assert Feed.objects.get().section.name == "World"

    file.write_text("nonsense")
    for path, reason in ((file, "no OPML file"), (tmp_path / "none", "No such file")):
        with pytest.raises(CommandError, match=reason):
            run("import_feeds", str(path), "--newsletter", "daily")


@pytest.mark.subprocess
def test_a_feed_is_added_with_its_stories(web, sample, newsletter):
    url = web.serve("/feed.xml", sample("feeds/rss-media.xml"))
    out = run("add_feed", url, "--newsletter", "daily", "--section", "world")
    feed = Feed.objects.get()
    assert out == f"Added feed {feed.pk}, Harbour Post - Front page: 3 new stories.\n"
    assert set(Story.objects.values_list("section__slug", flat=True)) == {"world"}


@pytest.mark.subprocess
def test_fetching_prints_a_line_for_each_feed(web, sample, newsletter):
    factories.feed(newsletter, url=web.serve("/a", sample("feeds/rss-media.xml")), title="A")
    factories.feed(newsletter, url=web.serve("/b", sample("feeds/atom.xml")), title="B")
    factories.feed(newsletter, url=web.url("/off"), is_active=False)
    lines = run("fetch_feeds").splitlines()
    assert [line.split(" ", 1)[1] for line in lines] == [
        "A: added 3, updated 0, unchanged 0, skipped 2",
        "B: added 2, updated 0, unchanged 0",
    ]


@pytest.mark.subprocess
def test_one_failing_feed_is_reported_and_does_not_stop_the_others(web, sample, newsletter):
    factories.feed(newsletter, url=web.serve("/a", status=500))
    factories.feed(newsletter, url=web.serve("/b", sample("feeds/atom.xml")))
    with pytest.raises(CommandError, match="1 of 2 feeds could not be fetched"):
        run("fetch_feeds")
    assert Story.objects.count() == 2


@pytest.mark.subprocess
def test_one_feed_can_be_fetched_alone(web, sample, newsletter):
    feed = factories.feed(newsletter, url=web.serve("/a", sample("feeds/atom.xml")))
    factories.feed(newsletter, url=web.url("/never"))
    assert "added 2" in run("fetch_feeds", "--feed", str(feed.pk))
    with pytest.raises(CommandError, match="There is no feed 999999"):
        run("fetch_feeds", "--feed", "999999")


@pytest.mark.subprocess
def test_a_story_is_added_by_its_url_and_by_its_text(web, sample, newsletter, tmp_path):
    url = web.serve("/news/1", sample("pages/article.html"))
    assert "Ferry line adds a night boat" in run("add_story", url, "--newsletter", "daily")
    text = tmp_path / "story.txt"
    text.write_bytes(sample("pasted/menus.txt"))
    out = run("add_story", "--text", str(text), "--newsletter", "daily", "--section", "world")
    assert "Islands Agree on Shared Ferry Timetable" in out
    assert Story.objects.count() == 2


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["add_feed", "nonsense://x", "--newsletter", "daily"], "not an http or https URL"),
        (["add_feed", "https://x.example", "--newsletter", "no"], "There are: daily"),
        (["add_feed", "https://x.example", "--newsletter", "daily", "--section", "no"], "world"),
        (["add_story", "--newsletter", "daily"], "Give a URL, or --text FILE"),
        (["add_story", "--text", "/nowhere", "--newsletter", "daily"], "cannot be read"),
        (["add_story", "--text", "{empty}", "--newsletter", "daily"], "no text"),
        (["add_story", "--text", "{latin}", "--newsletter", "daily"], "not in UTF-8"),
        (["add_story", "http://10.0.0.1/", "--newsletter", "daily"], "FETCH_ALLOW_HOSTS"),
    ],
)
def test_a_command_that_cannot_succeed_fails_with_a_clear_message(
    newsletter, tmp_path, args, message
):
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "latin").write_bytes("é".encode("latin-1"))
    files = {"empty": tmp_path / "empty", "latin": tmp_path / "latin"}
    with pytest.raises(CommandError, match=message):
        run(*(arg.format(**files) for arg in args))
