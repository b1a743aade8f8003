"""The page that builds a snippet for somebody's web page."""

import html
import re

import pytest
from django.urls import reverse

from tests import factories


@pytest.fixture
def newsletter(db, settings):
    settings.SITE_URL = "https://news.example"
    return factories.newsletter(name="Sun & Moon", slug="sun", promise="All of the “day”.")


def snippet(desk, newsletter, **chosen):
    """The code as a browser shows it, for copying."""
    url = reverse("admin:subscribers_newsletter_snippet", args=[newsletter.pk])
    page = desk.get(url, chosen).content.decode()
    return html.unescape(re.search(r"<textarea[^>]*>(.*?)</textarea>", page, re.S)[1])


def preview(desk, newsletter, **chosen):
    url = reverse("admin:subscribers_newsletter_snippet_preview", args=[newsletter.pk])
    return desk.get(url, chosen)


def test_the_shortest_snippet_is_one_line(desk, newsletter):
    assert snippet(desk, newsletter) == (
        '<script async src="https://news.example/embed.js" data-newsletter="sun"></script>'
    )


def test_only_what_was_chosen_stands_in_the_snippet(desk, newsletter):
    line = snippet(
        desk, newsletter, kind="popup", after_scroll="40", after_seconds="", accent="#ffc400",
        radius="0", lang="de",
    )  # fmt: skip

    assert line == (
        '<script async src="https://news.example/embed.js" data-newsletter="sun"'
        ' data-mode="popup" data-after-scroll="40" data-lang="de" data-accent="#ffc400"'
        ' data-radius="0"></script>'
    )


def test_quotes_and_markup_in_a_title_stay_inside_their_attribute(desk, newsletter):
    line = snippet(desk, newsletter, title='Say "hello" & <wave>')

    assert 'data-title="Say &quot;hello&quot; &amp; &lt;wave&gt;"' in line


def test_an_iframe_and_a_plain_form_say_the_same(desk, newsletter):
    frame = snippet(desk, newsletter, kind="frame", lang="de", title="Guten Morgen")
    plain = snippet(desk, newsletter, kind="plain", lang="de", title="Guten Morgen")

    assert (
        'src="https://news.example/embed/sun/frame/?lang=de&amp;title=Guten+Morgen&amp;seal='
        in frame
    )
    assert 'action="https://news.example/embed/sun/" method="post"' in plain
    assert "<strong>Guten Morgen</strong>" in plain
    assert 'name="lang" value="de"' in plain
    assert "script" not in plain
    assert "style" not in plain  # which a strict policy would drop


def test_a_wrong_colour_is_named_and_left_out(desk, newsletter):
    url = reverse("admin:subscribers_newsletter_snippet", args=[newsletter.pk])
    page = desk.get(url, {"kind": "inline", "accent": "blue", "radius": "999"})

    assert "Accent: Write the colour like #0b57d0." in page.content.decode()
    assert "Rounding of corners" in page.content.decode()
    assert "blue" not in snippet(desk, newsletter, kind="inline", accent="blue")


@pytest.mark.parametrize("kind", ["inline", "popup", "frame", "plain"])
def test_a_preview_sends_nothing(desk, newsletter, kind):
    page = preview(desk, newsletter, kind=kind, title="</script><script>alert(1)").content.decode()

    assert "preview=1" in html.unescape(page) or 'data-preview="1"' in page or "inert" in page
    assert "<script>alert" not in page


def test_the_preview_may_stand_in_a_frame_of_our_own_only(desk, newsletter):
    assert preview(desk, newsletter)["X-Frame-Options"] == "SAMEORIGIN"


def test_the_newsletters_page_leads_there(desk, newsletter):
    change = reverse("admin:subscribers_newsletter_change", args=[newsletter.pk])
    link = re.search(r'href="([^"]*/embed[^"]*)"', desk.get(change).content.decode())[1]

    assert desk.get(link, follow=True).status_code == 200


def test_who_may_not_see_newsletters_gets_no_snippet(staff, newsletter):
    stranger = staff("subscribers.view_subscriber")
    url = reverse("admin:subscribers_newsletter_snippet", args=[newsletter.pk])

    assert stranger.get(url).status_code == 403
    assert preview(stranger, newsletter).status_code == 403


def test_who_may_see_newsletters_may_embed_them(staff, newsletter):
    colleague = staff("subscribers.view_newsletter")
    url = reverse("admin:subscribers_newsletter_snippet", args=[newsletter.pk])

    assert colleague.get(url).status_code == 200
    unknown = reverse("admin:subscribers_newsletter_snippet", args=[newsletter.pk + 1])
    assert colleague.get(unknown).status_code == 404
