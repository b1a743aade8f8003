"""A newsletter's feeds come from an OPML file, and go into one."""

import contextlib

import lxml.etree
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse_lazy
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.feeds.adding.lists import export_feeds, import_feeds
from digest.feeds.adding.opml import MAX_BYTES, MAX_FEEDS, NotOpml, Outline, read_opml, write_opml
from digest.feeds.polling.due import due_chains
from digest.models import Feed
from tests import factories
from tests.factories import NOW
from tests.support.steps import assert_steps_are_bounded


def opml(body):
    return f"<?xml version='1.0'?><opml version='1.0'><head/><body>{body}</body></opml>".encode()


def outline(url, inside="", **stated):
    attributes = "".join(f' {name}="{value}"' for name, value in stated.items())
    return f'<outline xmlUrl="{url}"{attributes}>{inside}</outline>'


def folder(name, *inside):
    return f'<outline text="{name}">{"".join(inside)}</outline>'


LIST = opml(
    folder("world", outline("https://a.example/rss?x=1&y=2", title="A", htmlUrl="https://a.example"))
    + folder("Technology", folder("Gadgets", outline("https://b.example/rss", text="B")))
    + outline("https://c.example/rss")
    + outline("https://c.example/rss")
    + outline("javascript:alert(1)", text="Bad")
    + outline("https://known.example/rss")
    + '<outline text="no feed" url="https://x.example"/>'
)  # fmt: skip


@pytest.fixture
def newsletter(db):
    newsletter = factories.newsletter(slug="daily")
    factories.section(newsletter, name="World")
    factories.feed(newsletter, url="https://known.example/rss", is_active=False)
    return newsletter


def test_each_line_of_a_list_has_its_outcome(newsletter):
    lines = import_feeds(newsletter=newsletter, body=LIST, now=NOW)

    assert [line.in_words for line in lines] == [
        "https://a.example/rss?x=1&y=2: added, in World",
        "https://b.example/rss: added (no section “Gadgets”)",
        "https://c.example/rss: added",
        "https://c.example/rss: it is in the list twice",
        "javascript:alert(1): its address is not an http or https URL",
        "https://known.example/rss: the newsletter has it already",
    ]
    assert sum(map(len, due_chains(now=NOW))) == 3
    assert Feed.objects.get(title="A").section.name == "World"


def test_a_dry_run_adds_nothing(newsletter):
    lines = import_feeds(newsletter=newsletter, body=LIST, now=NOW, dry_run=True)

    assert len(lines) == 6
    assert Feed.objects.count() == 1


def test_what_was_exported_is_imported_as_it_was(newsletter):
    other = factories.newsletter()
    factories.section(other, name="World")
    factories.feed(
        newsletter,
        url="https://a.example/1?x=1&y=2",
        title="“A” & <B>\x0b",
        section=newsletter.sections.get(),
        weight=2.5,
        site_url="https://a.example/",
    )

    import_feeds(newsletter=other, body=export_feeds(newsletter), now=NOW)

    def rows(of):
        found = of.feeds.order_by("url")
        return [
            (f.url, f.title.strip("\x0b"), f.weight, str(f.section and f.section.name))
            for f in found
        ]

    assert rows(other) == rows(newsletter)
    assert b'htmlUrl="https://a.example/"' in export_feeds(newsletter)


@given(
    st.lists(
        st.builds(
            Outline,
            url=st.sampled_from(["https://a.example/1", "https://b.example/?a=1&b=2"]),
            stated_url=st.just(""),
            title=st.text(max_size=20),
            folders=st.sampled_from([(), ("World",), ("A & B",)]),
            weight=st.sampled_from([None, 0.1, 3.25]),
        ),
        max_size=4,
    )
)
@settings(deadline=None, max_examples=50)
def test_any_title_makes_a_file_that_can_be_read(outlines):
    written = write_opml("Feeds", outlines)

    lxml.etree.fromstring(written)
    read = read_opml(written)
    assert sorted((one.url, one.folders, str(one.weight)) for one in read) == sorted(
        (one.url, one.folders, str(one.weight)) for one in outlines
    )


BOMB = b'<!DOCTYPE o [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><opml><body/></opml>'


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "no OPML"),
        (b"<rss version='2.0'><channel/></rss>", "no OPML"),
        (b"\x1f\x8b\x08broken", "."),
        (BOMB, "defines entities"),
        (b"<opml>" + b" " * MAX_BYTES, "larger than 2 MB"),
        (opml(outline("https://a.example/rss") * (MAX_FEEDS + 1)), "more than 2,000 feeds"),
        (opml("<outline>" * 5000), "."),
    ],
    ids=["empty", "rss", "gzip", "entities", "large", "many", "deep"],
)
def test_what_is_no_list_is_refused_with_a_reason(body, reason):
    with pytest.raises(NotOpml, match=reason):
        read_opml(body)


@given(
    st.text(alphabet="<>/=\"' &;outline\n\x00", min_size=1, max_size=8)
    | st.sampled_from(["<outline xmlUrl='http://a/'>", "</outline>", "<outline text=a>", "&amp;"])
)
@settings(deadline=None, max_examples=40)
def test_a_hostile_list_takes_bounded_steps(unit):
    def read(text):
        with contextlib.suppress(NotOpml):
            read_opml(f"<opml><body>{text}".encode())

    assert_steps_are_bounded(read, unit, per_character=120)


# --- The admin's page ----------------------------------------------------------------------------

PAGE = reverse_lazy("admin:digest_feed_lists")


def upload(client, newsletter, body, **fields):
    file = SimpleUploadedFile("feeds.opml", body)
    return client.post(PAGE, {"newsletter": newsletter.pk, "file": file, **fields})


def test_an_editor_uploads_a_list_and_sees_each_outcome(admin_client, newsletter):
    page = upload(admin_client, newsletter, LIST, dry_run="on").content.decode()
    assert "would be added" in page
    assert Feed.objects.count() == 1

    page = upload(admin_client, newsletter, LIST).content.decode()
    assert "3: added; 1: it is in the list twice" in page
    assert "no section “Gadgets”" in page
    assert Feed.objects.count() == 4

    assert "It is no OPML file" in upload(admin_client, newsletter, b"nonsense").content.decode()


def test_an_editor_downloads_the_feeds_of_a_newsletter(admin_client, newsletter):
    answer = admin_client.get(PAGE, {"download": newsletter.pk})

    assert 'filename="daily-feeds.opml"' in answer["Content-Disposition"]
    assert [one.url for one in read_opml(answer.content)] == ["https://known.example/rss"]
    for other in ("x", "9" * 5000):
        assert admin_client.get(PAGE, {"download": other}).status_code == 404


def test_who_may_only_see_feeds_imports_none(staff_client, newsletter):
    client = staff_client("digest.view_feed")

    assert "Read the file" not in client.get(PAGE).content.decode()
    assert upload(client, newsletter, LIST).status_code == 403
    assert Feed.objects.count() == 1
