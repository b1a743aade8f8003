"""Every message can be sent and read, and its reader can unsubscribe."""

import re
from datetime import timedelta
from email import policy
from email.parser import BytesParser
from html.parser import HTMLParser

import pytest
from django.conf import settings

from digest.rendering import preview
from digest.rendering.assemble import MAX_HTML_BYTES
from digest.rendering.freeze import PageTooLong
from digest.rendering.headers import UnsafeHeader
from subscribers import signed_links
from tests import factories
from tests.digest.rendering.sample_edition import full_edition, message_to
from tests.factories import NOW

pytestmark = pytest.mark.django_db

ONCE = [
    "From", "To", "Date", "Subject", "Message-ID", "MIME-Version", "Content-Type", "List-Id",
    "List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID",
]  # fmt: skip


class Elements(HTMLParser):
    """Every start tag with its attributes, in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def named(self, *names):
        return [attrs for tag, attrs in self.found if tag in names]


@pytest.fixture
def https(settings):
    settings.SITE_URL = "https://news.example.com"


@pytest.fixture
def mail(https):
    return message_to(full_edition())


def test_the_strict_parser_finds_no_defect(mail):
    message = BytesParser(policy=policy.strict).parsebytes(mail.raw)

    for part in message.walk():
        assert not part.defects
        for name, value in part.items():
            assert not value.defects, name


def test_lines_end_in_crlf_and_fit_in_76(mail):
    assert b"\n" not in mail.raw.replace(b"\r\n", b"")
    assert b"\r" not in mail.raw.replace(b"\r\n", b"")
    assert max(len(line) for line in mail.raw.split(b"\r\n")) <= 76
    assert mail.raw.isascii()


@pytest.mark.parametrize("name", ONCE)
def test_each_header_appears_once(mail, name):
    assert len(mail.message.get_all(name)) == 1


def test_date_reply_to_from_and_to_are_set(https):
    newsletter = factories.newsletter(reply_to="editors@example.com")
    message = message_to(full_edition(newsletter), date=NOW + timedelta(minutes=3)).message

    assert message["Date"].datetime == NOW + timedelta(minutes=3)
    assert message["Reply-To"] == "editors@example.com"
    assert message["From"] == f"{newsletter.name} <{newsletter.slug}@{settings.MAIL_DOMAIN}>"
    assert message["To"] == "Ann Reader <ann@example.com>"


def test_list_headers_are_what_mailbox_providers_ask_for(mail):
    message = mail.message
    [url] = re.fullmatch(r"<(https://[^<>,\s]+)>", message["List-Unsubscribe"]).groups()

    assert len(message["List-Unsubscribe"]) <= 74
    assert f"List-Unsubscribe: <{url}>\r\n".encode() in mail.raw, "neither encoded nor folded"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert signed_links.read_unsubscribe(url.rpartition("/")[2]) == 7
    assert re.fullmatch(r"<[a-z0-9.-]+>", message["List-Id"])
    assert re.fullmatch(r"[^:\s]+:[^:\s]+:digest:[a-z]{5,15}", message["Feedback-ID"])


def test_headers_are_ascii_whatever_the_newsletter_is_called(https):
    newsletter = factories.newsletter(name="صحيفة الصباح", language="ar")
    mail = message_to(full_edition(newsletter, subject="🗞️ " + "Zeitungsüberschrift " * 7))
    head = mail.raw.partition(b"\r\n\r\n")[0]

    assert head.isascii()
    assert max(len(line) for line in head.split(b"\r\n")) <= 76
    assert mail.message["From"].addresses[0].display_name == "صحيفة الصباح"
    assert mail.message["Subject"] == "🗞️ " + ("Zeitungsüberschrift " * 7).strip()
    assert mail.message["List-Id"].isascii()


def test_text_comes_first_and_both_parts_are_utf_8(mail):
    parts = list(mail.message.iter_parts())

    assert mail.message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
    assert {part.get_content_charset() for part in parts} == {"utf-8"}
    assert {part["Content-Transfer-Encoding"] for part in parts} == {"quoted-printable"}
    assert '<meta charset="utf-8">' in mail.part("html")


def test_the_text_part_has_every_story_and_the_unsubscribe_link(https):
    edition = full_edition()
    mail = message_to(edition)
    text = mail.part("plain")

    for item in edition.items.all():
        assert item.shown_headline in text
        assert item.story.link in text
    assert mail.message["List-Unsubscribe"].strip("<>") in text
    assert settings.POSTAL_ADDRESS in text
    assert all(len(line) <= 76 for line in text.splitlines() if "://" not in line)


def test_no_template_markup_or_placeholder_is_left(mail):
    for body in (mail.part("plain"), mail.part("html")):
        assert not re.search(r"{{|{%|__[A-Z]|<!--", body)


def test_two_readers_share_no_token_and_no_address(https):
    edition = full_edition()
    ann = message_to(edition).raw.decode()
    bob = message_to(edition, subscription_id=8, email="bob@example.com", name="Bob").raw.decode()

    assert "ann@" not in bob
    assert "bob@" not in ann
    pattern = r"(?:/u/|/preferences/|Message-ID: <)([^\s/>]+)"
    assert not set(re.findall(pattern, ann)) & set(re.findall(pattern, bob))


def test_links_and_images_are_absolute_and_images_have_sizes(mail):
    elements = Elements(mail.part("html"))
    hrefs = [attrs["href"] for attrs in elements.named("a")]
    images = elements.named("img")

    assert len(images) == 3
    assert all(re.match(r"https://|mailto:", url) for url in hrefs)
    for image in images:
        assert image["src"].startswith("https://")
        assert image["alt"] is not None
        assert int(image["width"]) > 0
    # While pictures are blocked, a height would cut off the text that stands for a thumbnail.
    assert [image["class"] for image in images if image.get("height")] == ["heroimage"]
    assert not elements.named("script", "form", "link", "iframe", "object")


def test_tables_are_marked_as_layout_and_the_page_declares_its_language(mail):
    html = mail.part("html")
    elements = Elements(html)

    assert html.startswith("<!DOCTYPE html>")
    assert {table["role"] for table in elements.named("table")} == {"presentation"}
    assert elements.named("html") == [{"lang": "en", "dir": "ltr"}]
    assert "<title>Ferries return to the estuary</title>" in html
    assert "And what the new timetable leaves out." in html
    assert ">Unsubscribe</a>" in html
    assert ">View in browser</a>" in html
    assert settings.POSTAL_ADDRESS in html
    assert "ann@example.com" in html


def test_arabic_reads_right_to_left(https):
    html = message_to(full_edition(factories.newsletter(language="ar"))).part("html")

    assert Elements(html).named("html") == [{"lang": "ar", "dir": "rtl"}]


def test_embedded_styles_keep_their_important_and_stay_small(mail):
    [style] = re.findall(r"<style>(.*?)</style>", mail.part("html"), re.DOTALL)

    assert len(style) < 8192
    media = style[style.index("@media") : style.index("[data-ogsb]")]
    declarations = re.findall(r"[{;]\s*[a-z-]+:[^;{}]+", media)
    assert len(declarations) > 10
    assert all("!important" in declaration for declaration in declarations)
    assert "[data-ogsc]" in style
    assert "prefers-color-scheme: dark" in style


def test_sixty_long_stories_stay_under_the_size_that_gmail_clips(https):
    newsletter = factories.newsletter()
    edition = factories.edition(newsletter, stories=0)
    section = factories.section(newsletter)
    for position in range(60):
        story = factories.story(
            newsletter,
            title=f"{position} " + "Überschrift und noch mehr davon " * 4,
            summary="Was geschah, und warum es zählt. " * 12,
            url=f"https://news.example.com/{position}?" + "a" * 200,
            image_url=f"https://img.example.com/{position}?" + "b" * 200,
        )
        factories.item(edition, story, section=section if position % 2 else None, position=position)
    mail = message_to(edition)

    assert len(mail.part("html").encode()) <= MAX_HTML_BYTES
    for item in edition.items.all():
        assert item.shown_headline.strip() in mail.part("html")


def test_a_page_that_gmail_would_still_clip_is_refused_but_can_be_previewed(https):
    newsletter = factories.newsletter()
    edition = factories.edition(newsletter, stories=0)
    for position in range(60):
        story = factories.story(newsletter, url=f"https://news.example.com/?{'a' * 1900}{position}")
        factories.item(edition, story, position=position)

    with pytest.raises(PageTooLong, match="bytes"):
        message_to(edition)
    assert story.title in preview.sample_html(edition)


EVIL = 'A <script>alert(1)</script> & "quoted" {{ title }} __UNSUBSCRIBE__ __STORY_1__ <!--'


def test_markup_and_placeholders_in_a_story_are_shown_as_text(https):
    newsletter = factories.newsletter()
    edition = full_edition(newsletter, note=EVIL, preheader=EVIL)
    story = factories.story(
        newsletter,
        title=EVIL,
        summary=EVIL + "\x0b\x1b[31m" + "w" * 300,
        source_name=EVIL[:80],
        url="https://news.example.com/__UNSUBSCRIBE__",
        image_url='https://img.example.com/"onerror=alert(1)',
    )
    factories.item(edition, story, position=1)
    mail = message_to(edition)
    html, text = mail.part("html"), mail.part("plain")

    assert not Elements(html).named("script")
    assert "&lt;script&gt;" in html
    assert not any("onerror" in attrs for _tag, attrs in Elements(html).found)
    assert html.count(mail.message["List-Unsubscribe"].strip("<>")) == 1
    assert text.count(mail.message["List-Unsubscribe"].strip("<>")) == 1
    assert "https://news.example.com/%5F%5FUNSUBSCRIBE" in html
    assert not re.search(r"__[A-Z]|[\x00-\x08\x0b\x0c\x0e-\x1f]", text + html)


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//x.example/", "/a"])
def test_only_web_addresses_become_links(https, url):
    edition = full_edition()
    item = edition.items.first()
    item.story.url = item.story.image_url = url
    item.story.save()

    html = message_to(edition).part("html")
    assert url not in [attrs.get("href", attrs.get("src")) for _tag, attrs in Elements(html).found]
    assert item.shown_headline in html


def test_plain_http_goes_out_as_https(https):
    edition = full_edition()
    item = edition.items.first()
    item.story.url = "http://news.example.com/old"
    item.story.save()

    html = message_to(edition).part("html")
    assert 'href="https://news.example.com/old"' in html


@pytest.mark.parametrize("breaker", ["\r\n", "\n", "\r"])
def test_a_line_break_in_a_subject_or_name_adds_no_header(https, breaker):
    with pytest.raises(UnsafeHeader, match="Subject"):
        message_to(full_edition(subject=f"News{breaker}Bcc: all@example.com"))
    with pytest.raises(UnsafeHeader, match="From"):
        message_to(full_edition(factories.newsletter(sender_name=f"News{breaker}X: y")))
    # A bad name from an imported list must not cost the reader the message.
    mail = message_to(full_edition(), name=f"Ann{breaker}Bcc: all@example.com").message
    assert mail["To"] == '"Ann Bcc: all@example.com" <ann@example.com>'
    assert mail["Bcc"] is None


def test_markup_in_a_readers_address_is_escaped(https):
    html = message_to(full_edition(), email="a&b@example.com").part("html")

    assert "a&amp;b@example.com" in html
