"""A page of the admin builds a snippet that embeds the sign-up form in another site."""

import html
import re

import pytest
from django.urls import reverse

from tests import factories


@pytest.fixture
def newsletter(db, settings):
    settings.SITE_URL = "https://news.example"
    return factories.newsletter(name="Sun & Moon", slug="sun", promise="All of the “day”.")


def snippet(admin_client, newsletter, **chosen):
    """Return the code as a browser shows it for copying."""
    url = reverse("admin:subscribers_newsletter_snippet", args=[newsletter.pk])
    page = admin_client.get(url, chosen).content.decode()
    return html.unescape(re.search(r"<textarea[^>]*>(.*?)</textarea>", page, re.S)[1])


def preview(client, newsletter, **chosen):
    url = reverse("admin:subscribers_newsletter_snippet_preview", args=[newsletter.pk])
    return client.get(url, chosen)


def test_the_shortest_snippet_is_one_line(admin_client, newsletter):
    line = '<script async src="https://news.example/embed.js" data-newsletter="sun"{}></script>'

    assert line.format(' data-mode="popup"') == snippet(
        admin_client, newsletter, kind="popup", after_scroll="", after_seconds=""
    )
    inline = snippet(admin_client, newsletter)
    assert line.format("") in inline
    assert "\n" not in inline


def test_the_snippet_holds_a_link_for_readers_whose_browser_refuses_the_script(
    admin_client, newsletter
):
    line = snippet(admin_client, newsletter, title="A & B")

    assert '<a href="https://news.example/newsletters/sun/">A &amp; B</a>' in line
    assert "style" not in line  # A strict CSP would drop it.


def test_the_snippet_holds_only_the_chosen_options(admin_client, newsletter):
    line = snippet(
        admin_client, newsletter, kind="popup", after_scroll="40", after_seconds="",
        accent="#ffc400", radius="0", lang="de",
    )  # fmt: skip

    assert line == (
        '<script async src="https://news.example/embed.js" data-newsletter="sun"'
        ' data-mode="popup" data-after-scroll="40" data-lang="de" data-accent="#ffc400"'
        ' data-radius="0"></script>'
    )


def test_quotes_and_markup_in_a_title_stay_inside_their_attribute(admin_client, newsletter):
    line = snippet(admin_client, newsletter, title='Say "hello" & <wave>')

    assert 'data-title="Say &quot;hello&quot; &amp; &lt;wave&gt;"' in line


def test_an_iframe_and_a_plain_form_carry_the_same_options(admin_client, newsletter):
    frame = snippet(admin_client, newsletter, kind="frame", lang="de", title="Guten Morgen")
    plain = snippet(admin_client, newsletter, kind="plain", lang="de", title="Guten Morgen")

    assert (
        'src="https://news.example/embed/sun/frame/?lang=de&amp;title=Guten+Morgen&amp;seal='
        in frame
    )
    assert 'action="https://news.example/embed/sun/" method="post"' in plain
    assert "<strong>Guten Morgen</strong>" in plain
    assert 'name="lang" value="de"' in plain
    assert "script" not in plain
    assert "style" not in plain  # A strict CSP would drop it.


def test_an_invalid_colour_is_reported_and_left_out(admin_client, newsletter):
    url = reverse("admin:subscribers_newsletter_snippet", args=[newsletter.pk])
    page = admin_client.get(url, {"kind": "inline", "accent": "blue", "radius": "999"})

    assert "Accent: Write the colour like #0b57d0." in page.content.decode()
    assert "Rounding of corners" in page.content.decode()
    assert "blue" not in snippet(admin_client, newsletter, kind="inline", accent="blue")


@pytest.mark.parametrize(
    ("kind", "theme", "expected"),
    [
        ("inline", "", "dark"),
        ("inline", "auto", "dark"),
        ("inline", "light", "light"),
        ("frame", "", "light"),
        ("frame", "auto", "dark"),
    ],
)
def test_the_preview_in_dark_mode_shows_what_the_theme_does(
    admin_client, newsletter, kind, theme, expected
):
    page = html.unescape(
        preview(admin_client, newsletter, kind=kind, theme=theme, dark="1").content.decode()
    )

    assert re.search(r'theme="?(\w+)', page)[1] == expected


@pytest.mark.parametrize("kind", ["inline", "popup", "frame", "plain"])
def test_a_preview_sends_nothing(admin_client, newsletter, kind):
    page = preview(
        admin_client, newsletter, kind=kind, title="</script><script>alert(1)"
    ).content.decode()

    assert "preview=1" in html.unescape(page) or 'data-preview="1"' in page or "inert" in page
    assert "<script>alert" not in page


def test_only_our_own_pages_may_frame_the_preview(admin_client, newsletter):
    assert preview(admin_client, newsletter)["X-Frame-Options"] == "SAMEORIGIN"


def test_the_newsletters_page_links_to_the_snippet_page(admin_client, newsletter):
    change = reverse("admin:subscribers_newsletter_change", args=[newsletter.pk])
    link = re.search(r'href="([^"]*/embed[^"]*)"', admin_client.get(change).content.decode())[1]

    assert admin_client.get(link, follow=True).status_code == 200


def test_staff_who_may_not_view_newsletters_get_no_snippet(staff_client, newsletter):
    stranger = staff_client("subscribers.view_subscriber")
    url = reverse("admin:subscribers_newsletter_snippet", args=[newsletter.pk])

    assert stranger.get(url).status_code == 403
    assert preview(stranger, newsletter).status_code == 403


def test_staff_who_may_view_newsletters_may_embed_them(staff_client, newsletter):
    colleague = staff_client("subscribers.view_newsletter")
    url = reverse("admin:subscribers_newsletter_snippet", args=[newsletter.pk])

    assert colleague.get(url).status_code == 200
    unknown = reverse("admin:subscribers_newsletter_snippet", args=[newsletter.pk + 1])
    assert colleague.get(unknown).status_code == 404
