"""Entries of a feed are told apart, and have the same identity at the next fetch."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.feeds import urls
from digest.feeds.identify import Entry, identify
from digest.feeds.tracking import TRACKING_PARAMETERS
from tests.support.steps import growth

SITE = "https://harbour.example"
FEED = f"{SITE}/feed.xml"
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def entry(title="Pier opens", link=f"{SITE}/a", guid="", at=NOON, **fields):
    return Entry(title=title, link=link, guid=guid, published_at=at, **fields)


def known(*entries, feed_url=FEED, site_url=f"{SITE}/"):
    return identify(entries, feed_url=feed_url, site_url=site_url)


def identities(*entries, **feed):
    return [found and found.identity for found in known(*entries, **feed)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"guid": "HC-1"}, {"guid": "HC-2"}),
        ({"guid": "HC-1"}, {"guid": "HC-1"}),
        ({}, {}),
        ({"link": f"{SITE}/a#one"}, {"link": f"{SITE}/a#two"}),
        ({"link": f"{SITE}/a?ref_src=812"}, {"link": f"{SITE}/a?ref_src=813"}),
        ({"link": f"{SITE}/a?pk_news=812"}, {"link": f"{SITE}/a?pk_news=813"}),
        ({"link": f"{SITE}/#!/a"}, {"link": f"{SITE}/#!/b"}),
    ],
    ids=["ids", "one id", "titles", "fragments", "parameter", "unknown parameter", "routes"],
)
def test_entries_of_one_page_are_as_many_stories_as_they_have_titles(one, other):
    first, second = entry("Pier opens", **one), entry("Pier closes", **other)

    found = known(first, second)

    assert found[0].identity != found[1].identity
    assert identities(second, first) == [found[1].identity, found[0].identity]
    for each in (0, 1):
        assert urls.web_url(found[each].url) == urls.web_url((first, second)[each].link)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"guid": "politics-1"}, {"guid": "world-1"}),
        ({"link": f"{SITE}/a?utm_content=1"}, {"link": f"{SITE}/a?utm_content=2"}),
        ({"link": f"{SITE}/a#top"}, {"link": f"{SITE}/a#comments"}),
    ],
    ids=["ids", "tracking", "fragments"],
)
def test_an_article_that_a_feed_has_twice_is_one_story(one, other):
    first, second = identities(entry(**one), entry(**other))
    assert first == second == urls.identity(f"{SITE}/a")


def test_a_page_in_two_feeds_is_one_story_whatever_their_ids_and_titles():
    here = identities(entry("Pier opens", guid="1"))
    there = identities(
        entry("The pier is open", "http://www.harbour.example/a/?utm_source=x", "2"),
        feed_url="https://other.example/feed",
        site_url="https://other.example/",
    )
    assert here == there


def test_the_fragment_and_the_parameter_that_tell_entries_apart_stay_in_their_urls():
    entries = [
        entry(title, f"{SITE}/live?ref={ref}&utm_source=rss&partner={n}#p{n}")
        for n, (title, ref) in enumerate((("One", "a"), ("Two", "a"), ("Three", "a")))
    ]
    assert [found.url for found in known(*entries)] == [
        f"{SITE}/live?ref=a&partner={n}" for n in range(3)
    ]
    bare = [entry(each.title, each.link.replace("&partner", "&p")) for each in entries]
    assert [found.url for found in known(*bare[:1], entry("Two", f"{SITE}/live?ref=a&p=0#p2"))] == [
        f"{SITE}/live?ref=a&p=0#p0", f"{SITE}/live?ref=a&p=0#p2"
    ]  # fmt: skip


def test_a_parameter_that_tells_two_entries_apart_says_nothing_of_the_other_pages():
    pair = [entry(title, f"{SITE}/live?utm_source={title}") for title in ("One", "Two")]
    found = known(entry("Storm", f"{SITE}/story-1?utm_source=rss"), *pair)
    assert [each.url for each in found] == [f"{SITE}/story-1", pair[0].link, pair[1].link]
    assert found[0].identity == urls.identity(f"{SITE}/story-1")


@pytest.mark.parametrize(
    "fields",
    [
        {"link": f"{SITE}/bulletin/", "guid": "HC-{n}"},
        {"link": f"{SITE}/wire/", "guid": "HC-{n}"},
        {"link": f"{SITE}/ferry-alerts.html", "guid": "{n}"},
        {"link": f"{SITE}/de/meldungen", "guid": "tag:a,2026:{n}"},
        {"link": f"{SITE}/bulletin/"},
        {"link": f"{SITE}/"},
        {"link": f"{SITE}/", "guid": "HC-{n}"},
        {"link": f"{SITE}/news/index.php?lang=en", "guid": "HC-{n}"},
        {"link": f"{SITE}/bulletin", "guid": f"{SITE}/bulletin#{{n}}"},
        {"link": f"{SITE}/2026/storm?utm_source=rss#post-{{n}}"},
        {"link": f"{SITE}/story?{{param}}={{n}}", "guid": "HC-{n}"},
        {"link": f"{SITE}/news#part-{{n}}x", "guid": "HC-{n}"},
        {"link": f"{SITE}/news#{{word}}"},
        {"link": f"{SITE}/2026/storm#{{word}}-shuts", "title": "{word} shuts"},
        {"link": f"{SITE}/2026/storm?partner={{n}}#block-65af0{{n}}", "guid": "{n}"},
        {"link": f"{SITE}/a{{n}}", "guid": "HC-{n}"},
    ],
)
def test_an_entry_alone_has_the_identity_that_it_has_among_others(fields):
    words, parameters = ("alpha", "beta", "gamma"), ("utm_source", "pk_campaign", "fbclid")
    entries = [
        entry(
            **{"title": f"Story {n}"}
            | {
                key: value.format(n=n, word=words[n], param=parameters[n])
                for key, value in fields.items()
            }
        )
        for n in range(3)
    ]

    together = identities(*entries)

    assert len(set(together)) == 3
    assert [identities(each)[0] for each in entries] == together
    assert identities(*entries[1:]) == together[1:]


@pytest.mark.parametrize(
    ("title", "link"),
    [
        ("Tram line opens", "/tram/"),
        ("Tram line opens", "/news/tram"),
        ("Tram line opens", "/s/shared"),
        ("Tram line opens", "/news/2026/11/28/"),
        ("Tram line opens", "/new-tram-opens/"),
        ("Tram line opens", "/news?id=4"),
        ("Tram line opens", "/article?slug=first-ride"),
        ("Toys on film", "/a/toy-story"),
        ("Flights resume after delays", "/travel/southwest-airlines-delays/index.html"),
        ("Flights resume", "/southwest/default.aspx"),
        ("Tram line opens", "/s/"),
    ],
)
def test_a_page_of_one_article_is_known_by_its_url_whatever_the_feeds_id(title, link):
    url = f"{SITE}{link}"
    assert identities(entry(title, url, "HC-1")) == [urls.identity(url)]


@pytest.mark.parametrize("guid", ["", "https://harbour.example/?p=12"])
def test_an_id_that_is_another_url_says_that_the_entry_has_a_page_of_its_own(guid):
    url = f"{SITE}/goodbye/"
    assert identities(entry("Farewell", url, guid)) == [urls.identity(url)]


def test_an_entry_that_leads_to_the_front_page_is_known_by_its_id():
    (one,), (other,) = (identities(entry(f"Story {n}", f"{SITE}/", f"HC-{n}")) for n in (1, 2))
    assert one != other


def test_an_aggregators_entry_is_known_by_its_outlet_title_and_date():
    def google(token, **changes):
        fields = {"outlet": "Gazette", "source_url": "https://gazette.example"} | changes
        return entry(
            link=f"https://news.google.com/rss/articles/{token}?oc=5", guid=token, **fields
        )

    assert identities(google("CBMi1")) == identities(google("CBMi2"))
    assert identities(google("CBMi1")) != identities(google("CBMi1", outlet="Post"))
    assert identities(google("CBMi1")) != identities(google("CBMi1", at=NOON + timedelta(days=1)))


def test_a_link_with_the_collecting_sites_id_is_not_the_outlets():
    def collected(token):
        link = f"https://wire.example/go/{token}"
        return entry(link=link, guid=token, outlet="Gazette", source_url="https://gazette.example/")

    assert identities(collected("CBMi1")) == identities(collected("CBMi2"))


@pytest.mark.parametrize(
    "link",
    [
        "https://www.google.com/url?rct=j&sa=t&url=https://harbour.example/a&ct=ga&cd=1&usg=x",
        "http://www.bing.com/news/apiclick.aspx?ref=FexRss&aid=&tid=7&url=https%3a%2f%2fharbour.example%2fa",
    ],
)
def test_a_link_that_only_leads_on_is_the_page_that_it_leads_to(link):
    assert [found.url for found in known(entry(link=link))] == [f"{SITE}/a"]


def test_an_id_of_several_entries_identifies_none_of_them():
    found = known(
        entry("One", f"{SITE}/1", "x"), entry("Two", f"{SITE}/2", "x"), entry("Three", "/3", "y")
    )
    assert [bool(each.guid) for each in found] == [False, False, True]


def test_two_versions_of_an_atom_entry_are_one_story():
    versions = entry("One", guid="tag:a,2026:1"), entry("One, corrected", guid="tag:a,2026:1")
    assert set(identities(*versions)) == set(identities(*versions[:1]))
    assert {each.guid for each in known(*versions)} == {known(*versions[:1])[0].guid}


def test_an_entry_without_a_usable_link_is_known_by_nothing():
    assert known(entry(link="ftp://harbour.example/a"), entry(link="")) == [None, None]


def test_no_name_of_a_tracking_parameter_is_a_pattern():
    assert all(name == name.lower() and name.isprintable() for name in TRACKING_PARAMETERS)
    assert {"utm_source", "pk_campaign", "fbclid"} <= TRACKING_PARAMETERS
    assert not {"pk_news", "at_article", "ns_id", "utm", "id", "p"} & TRACKING_PARAMETERS


LINKS = st.lists(st.sampled_from(["/", "a", "?", "&", "=", "#", "utm_source", "icid", "%", "é"]))


@settings(max_examples=60, derandomize=True, database=None, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["A", "B", ""]), LINKS.map("".join), st.sampled_from(["", "1", "2"])
        )
    )
)
def test_whatever_a_feed_holds_different_titles_are_different_stories(rows):
    entries = [entry(title, f"{SITE}/{link}", guid) for title, link, guid in rows]

    found = identities(*entries)

    titles = {(identity, each.title) for identity, each in zip(found, entries, strict=True)}
    assert len(titles) == len(set(found))
    assert sorted(identities(*reversed(entries))) == sorted(found)


@pytest.mark.parametrize(
    "link", [f"{SITE}/a", f"{SITE}/a?icid={{}}", f"{SITE}/{{}}#{{}}", f"{SITE}/a#{{}}"]
)
def test_twice_the_entries_take_twice_the_work(link):
    def work(size):
        known(*(entry(f"Story {n}", link.replace("{}", str(n)), f"{n}") for n in range(size)))

    # urllib remembers the last 128 URLs that it has split.
    assert growth(work, 130) < 2.5
