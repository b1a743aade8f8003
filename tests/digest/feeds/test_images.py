"""The picture of a story is one that its publisher would print, and one that mail clients show."""

import pytest

from digest.feeds.images.choose import Image, ImageCandidate, choose, entry_images


def image_of(text, **entry):
    [image] = entry_images([{"summary": text} | entry], base="https://a.example/story")
    return image


def url_of(text, **entry):
    image = image_of(text, **entry)
    return image.url.removeprefix("https://a.example/") if image else None


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ('<img width="1" height="1" src="/count.gif"><IMG SRC=/a.jpg>', "a.jpg"),
        ("<img src='b.png?x=1&amp;y=2' alt=\"A > B\">", "b.png?x=1&y=2"),
        ('<img src="data:image/gif;base64,R0">', None),
        ("<![ <img", None),
        ('<img src="/news/google-pixel-9.jpg">', "news/google-pixel-9.jpg"),
        ('<img src="/news/new-emojis-2026.jpg">', "news/new-emojis-2026.jpg"),
        ('<img src="/news/logo-unveiled.jpg" width="1200">', "news/logo-unveiled.jpg"),
        ('<img src="/stats.png">', "stats.png"),
        ("&lt;p&gt;&lt;img src='/escaped.jpg'&gt;&lt;/p&gt;", "escaped.jpg"),
        ('<img src="/small.jpg" width="120"><img src="/large.jpg" width="900">', "large.jpg"),
        ('<img src="/tall.jpg" width="600" height="1200"><img src="/b.jpg" width="800">', "b.jpg"),
        ('<img src="/first.jpg"><img src="/second.jpg" width="900">', "first.jpg"),
    ],
)
def test_the_picture_in_a_text_is_found(text, url):
    assert url_of(text) == url


@pytest.mark.parametrize(
    "tag",
    [
        '<img src="https://s.w.org/images/core/emoji/15.0.3/72x72/1f389.png" class="wp-smiley">',
        '<img src="https://cdn.example/gh/twitter/twemoji@14/72x72/1f600.png">',
        '<img src="https://static.fb.example/images/emoji.php/v9/1f600.png">',
        '<img src="https://b.example/9" alt="🎉">',
        '<img src="https://b.example/ship" alt=":ship:">',
        '<img src="https://1.gravatar.com/avatar/0abc?s=96">',
        '<img src="/ann.jpg" class="avatar avatar-60 photo">',
        '<div class="author-box"><p><img src="/ann.jpg"></p></div>',
        '<img src="https://pixel.a.example/b.gif?blog=1">',
        '<img src="/img/spacer.gif">',
        '<img src="/1x1.png">',
        '<img src="/spacer.png" style="width:1px;height:1px">',
        '<img src="/a.jpg" style="height: 1em">',
        '<img src="/a.jpg" style="display: none">',
        '<img src="http://feeds.feedburner.com/~r/Harbour/~4/abc">',
        '<img src="https://stats.wordpress.com/b.gif?host=a.example">',
        '<img src="https://counter.b.example/content/1/count.gif">',
        '<img src="https://vg07.met.vgwort.de/na/0123">',
        '<img src="https://b.example/images/tracking/rss-pixel.png?story=1">',
        '<img src="https://b.example/_/stat?event=post.clientViewed&amp;postId=1">',
        '<img src="https://b.example/matomo.php?idsite=1">',
        '<img src="https://ad.doubleclick.net/ddm/ad/1">',
        '<img src="/icons/x.png" class="share-icon">',
        '<div class="jp-relatedposts"><a><img src="/other.jpg"></a></div>',
        '<img src="/chart.svg">',
        '<img src="/_next/image?url=%2Fchart.svg&amp;w=640">',
        '<img src="/a.avif">',
        '<img src="/a.jpg?fm=avif">',
        '<img src="https://images.example/upload/f_avif,w_600/a.jpg">',
        '<img src="/a.HEIC">',
        '<img src="/a.avif/resize:800">',
        '<img src="/a.svg/w_300/q_80">',
        '<img src="/a.svg?w=1">',
        '<img src="/a.png.svg">',
        '<img src="/a.jpg@avif">',
        '<img src="/filters:format(avif)/a.jpg">',
        '<img src="/image?file=a.svg">',
        '<img src="/image.php?f=photo.svg">',
        '<img src="/image.php?f=photo.avif&amp;w=640">',
        '<img src="/rating-5-stars.png">',
        '<img src="/4_5_stars.gif">',
        '<img src="/star-rating.png">',
        '<img src="/img/facebook.png">',
        '<img src="/img/share-facebook.jpg">',
        '<img src="/img/icon_twitter_32.gif">',
        '<img src="/icons/a.png">',
        '<a href="https://www.facebook.com/sharer.php?u=1"><span><img src="/f.jpg"></span></a>',
        '<a href="mailto:?subject=A"><img src="/m.jpg"></a>',
        '<img src="/logo.png">',
        '<img src="/img/site-logo-white@2x.png">',
        '<img src="https://cdn.b.example/b-news/a-logo.png" class="logo">',
        '<img src="/no-image-available.png">',
        '<img src="/summer-728x90.jpg">',
        '<img src="/summer.jpg" width="728" height="90">',
        '<img src="/default-og-image.png">',
    ],
)
def test_what_is_no_picture_gives_way_to_one_and_is_none_alone(tag):
    assert image_of(tag) is None
    assert url_of(f'{tag}<p>Text.</p><img src="/good.jpg">') == "good.jpg"


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ('<img src="data:image/gif;base64,R0" data-src="/a.jpg">', "a.jpg"),
        ('<img src="/grey.gif" data-lazy-src="/a.jpg" width="1" height="1">', "a.jpg"),
        ('<img src="/b.gif" data-srcset="/a.jpg 300w, /a9.jpg 900w, /a24.jpg 2400w">', "a9.jpg"),
        ('<img src="/a.jpg" width="300" srcset="/a.jpg 300w, /b,x_1.jpg 1200w">', "b,x_1.jpg"),
        ('<img src="/a.jpg" width="400" srcset="/a.jpg, /a2.jpg 2x">', "a2.jpg"),
        ('<img data-src="" src="data:,"><noscript><img src="/a.jpg"></noscript>', "a.jpg"),
        ('<img src="data:," data-orig-file="/a.jpg">', "a.jpg"),
        ('<video poster="/a.jpg" width="800"><source src="/a.mp4"></video>', "a.jpg"),
        ('<video src="/a.mp4"></video><video poster="" data-poster="/a.jpg"></video>', "a.jpg"),
        ('<amp-img src="/a.jpg" width="900" height="500"></amp-img>', "a.jpg"),
        (
            '<picture><source type="image/avif" srcset="/a.avif 800w">'
            '<source type="image/webp" srcset="/a.webp 800w">'
            '<img src="/a.jpg" width="800"></picture>',
            "a.jpg",
        ),
        (
            '<picture><source type="image/avif" srcset="/a.avif"><source srcset="/a.jpg">'
            '<img src="/a.avif"></picture>',
            "a.jpg",
        ),
        (
            '<picture><source srcset="/a6.jpg 640w, /a12.jpg 1280w"><img src="data:,"></picture>',
            "a12.jpg",
        ),
    ],
)
def test_an_image_that_is_loaded_late_is_found(text, url):
    assert url_of(text) == url


@pytest.mark.parametrize(
    "path",
    [
        "thumb/a/a9/A.svg/800px-A.svg.png", "a.avif?format=jpg", "f_auto/a.heic",
        "a.mp4/poster.jpg", "a.php/12", "news/google-logo-unveiled.jpg",
        "facebook.jpg", "facebook-headquarters.png",
        "share-of-vote.png", "five-stars.png", "star-1024x576.png", "ratings-agency.png",
        "5-star.jpg", "image.php?f=photo.jpg", "image.php?f=photo.svg&fm=png",
        "WhatsApp-Image-2026-11-28.jpeg", "default.jpg",
    ],
)  # fmt: skip
def test_a_name_that_only_looks_like_such_a_one_is_a_picture(path):
    assert url_of(f'<img src="/{path}">') == path


def test_a_logo_is_known_by_the_name_of_its_site():
    logo = [{"url": "https://cdn.example/harbour-courier-logo.png", "medium": "image"}]
    entry = {"media_content": logo}

    assert entry_images([entry], base="https://www.harbourcourier.example/feed") == [None]
    assert entry_images([entry], base="https://post.example/feed") != [None]


def test_the_publishers_own_naming_counts_more_than_the_text():
    media = [
        {"url": "https://a.example/a.svg", "medium": "image", "type": "image/svg+xml"},
        {"url": "https://a.example/avatar/a.jpg", "medium": "image"},
        {"url": "https://a.example/named.jpg", "medium": "image"},
    ]
    text = '<img src="/text.jpg" width="1024">'

    assert url_of(text, media_content=media) == "named.jpg"
    assert url_of(text, media_content=media[:2]) == "text.jpg"
    assert url_of(text, media_thumbnail=[{"url": "/thumb.jpg", "width": "150"}]) == "text.jpg"
    assert url_of("", media_thumbnail=[{"url": "/thumb.jpg", "width": "150"}]) == "thumb.jpg"


def test_a_file_that_is_said_to_be_bytes_is_a_picture_by_its_name():
    links = [{"rel": "enclosure", "href": "/pier.jpg", "type": "application/octet-stream"}]
    assert url_of("", links=links) == "pier.jpg"
    assert url_of("", links=[links[0] | {"href": "/pier.zip"}]) is None


@pytest.mark.parametrize("name", ["href", "thumbnail", "featured_image"])
def test_an_item_may_name_its_picture_in_ways_that_rss_does_not_know(name):
    assert url_of("", **{name: "https://a.example/p.jpg"}) == "p.jpg"
    assert url_of("", **{name: "https://a.example/story"}) is None


def test_a_picture_whose_url_is_escaped_twice_is_found():
    media = [{"url": "https://a.example/pier?u=1&amp;w=800", "medium": "image"}]
    assert url_of("", media_content=media) == "pier?u=1&w=800"


def test_a_text_may_have_a_base_of_its_own():
    entry = {"content": [{"value": '<img src="a.jpg">', "base": "https://cdn.example/x/"}]}
    assert image_of("", **entry) == Image("https://cdn.example/x/a.jpg")


def test_an_image_that_many_entries_share_is_none_of_theirs():
    texts = [f'<img src="/banner.jpg?v={n}"><img src="/own-{n}.jpg">' for n in range(4)]
    alone = {"summary": '<img src="/banner.jpg">'}
    images = entry_images(
        [*({"summary": text} for text in texts), alone], base="https://a.example/"
    )

    assert [image and image.url for image in images] == [
        *(f"https://a.example/own-{n}.jpg" for n in range(4)), None,
    ]  # fmt: skip


def test_images_that_their_queries_tell_apart_are_not_one_image():
    entries = [{"summary": f'<img src="/image?id={n}">'} for n in range(4)]
    found = entry_images(entries, base="https://a.example/")
    assert [image.url for image in found] == [f"https://a.example/image?id={n}" for n in range(4)]


def test_the_feeds_own_image_is_no_entrys():
    entries = [{"summary": '<img src="/cover.jpg?w=600"><img src="/pier.jpg">'}]
    found = entry_images(entries, base="https://a.example/", feed_image="/cover.jpg")
    assert [image.url for image in found] == ["https://a.example/pier.jpg"]


def test_two_entries_about_one_event_may_share_a_picture():
    entry = {"summary": '<img src="/event.jpg">'}
    assert (
        entry_images([entry, entry], base="https://a.example/")
        == [Image("https://a.example/event.jpg")] * 2
    )


@pytest.mark.parametrize(
    ("sizes", "best"),
    [
        ([(240, 135), (640, 360), (1200, 675), (4000, 2250)], 1200),
        ([(900, 1600), (640, 360)], 640),
        ([(2000, 1125), (300, 169)], 2000),
        ([(300, 169), (500, 281)], 500),
        ([(None, None), (240, 135)], None),
    ],
)
def test_the_image_nearest_to_the_digests_width_is_taken(sizes, best):
    images = [Image(f"https://a.example/{n}", *size) for n, size in enumerate(sizes)]
    assert choose(map(ImageCandidate, images)).image.width == best
