"""Whatever a page or a reader's row contains, the message shows exactly that and is well-formed."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.parser import BytesHeaderParser, BytesParser
from email.utils import parseaddr
from html import escape
from types import SimpleNamespace

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from digest.rendering import headers, placeholders
from digest.rendering.freeze import split_segments
from digest.rendering.personalise import BOUNDARY, ReaderFields, compile_page
from digest.rendering.readers import ReaderSigner
from digest.rendering.safe_text import single_line

STRICT = policy.SMTP.clone(raise_on_defect=True)
EDITION = 12
COMMON_HEADERS = ["From", "Subject", "List-Id", "MIME-Version", "Content-Type"]
READER_HEADERS = ["To", "Date", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post"]

# Text that has broken mail before, and every script that a newsroom may meet.
AWKWARD = [
    "\r", "\n", "\r\n", "\n\n", " \n", "\t\n", " ", "   ", "\t", "\x00", "\x0b", "\x85", "\u2028",
    "=", "=3D", "=\r\n", "%", "%s", "%(name)s", "100 %", "{{ x }}", "{0}", "\\", "\\1", "\\g<0>",
    ".", "..", "\n.", "\n.\n", "From ", "\nFrom here", ">From ", "F", "_", "?=", "=?utf-8?q?x?=",
    "=?utf-8?b?eA==?= ", '"', '""', "'", "<b>&amp;</b>", "<!-", "->", "@", ",", ";", ":", "()",
    f"\n--{BOUNDARY}", f"\n--{BOUNDARY}--\n", "\nBcc: all@example.com", "x" * 75, "x" * 76,
    "x" * 200, "https://example.com/?a=1&b=%2F" + "y" * 90, "é", "Zoë Müller", "Łódź", "ﬁ",
    "Иван Петров", "Ελλάδα", "日本語の見出し", "山田", "서울", "ข่าว", "हिन्दी", "தமிழ்", "አማርኛ",
    "עברית", "نبأ عاجل", "\u200f", "\u200e", "\u202e", "\u2066", "\u2069", "\ufeff", "e\u0301",
    "\u0301", "🗞️", "👩🏽\u200d🚒", "🇪🇺", "\U0010fffd", "ß", "İ", "\u00a0", "\u3000", "\u00ad",
]  # fmt: skip

fragments = st.sampled_from(AWKWARD) | st.text(max_size=30)
# No text holds a placeholder (`safe_text.single_line` removes it). None ends in CR, since CR and an
# LF of the template after it would count as one line break.
texts = st.lists(fragments, max_size=8).map(lambda w: re.sub("__+", "_", "".join(w)).rstrip("\r"))
names = st.lists(fragments, max_size=4).map("".join)

_LOCALS = "abcxyzABCF0189!#$%&'*+/=?^`{|}~-_"
addresses = st.builds(
    lambda parts, domain: f"{'.'.join(parts)}@{domain}",
    st.lists(st.text(alphabet=_LOCALS, min_size=1, max_size=40), min_size=1, max_size=3).filter(
        lambda parts: "__" not in "".join(parts)
    ),
    st.sampled_from(
        [
            "example.com",
            "mail.example-1.org",
            "exämple.com",
            "пример.рф",
            "例え.jp",
            "x" * 60 + ".de",
        ]
    ),
)
sections = st.integers(min_value=1, max_value=5)
muted_sections = st.frozensets(sections | st.just(99), max_size=5)


@dataclass(frozen=True)
class Sample:
    """A page in the form that `assemble` gives it, with its subject."""

    subject: str
    text: str
    html: str
    # The sections of its stories, None for those without one.
    with_stories: frozenset[int | None]

    def compiled(self):
        lines = [
            headers.address_line(
                "From", display=single_line(self.subject), address="daily@example.com"
            ),
            headers.text_line("Subject", single_line(self.subject)),
            "List-Id: <daily.example.com>",
            "MIME-Version: 1.0",
            f'Content-Type: multipart/alternative; boundary="{BOUNDARY}"',
        ]
        return compile_page(
            SimpleNamespace(
                headers="\r\n".join(lines), text_segments=split_segments(self.text),
                html_segments=split_segments(self.html),
            )
        )  # fmt: skip


per_reader = st.sampled_from([f"__{name}__" for name in placeholders.PER_READER])
# A story is a list of texts and of placeholders for the reader's own values.
stories = st.lists(texts | per_reader, max_size=5)
page_sections = st.lists(st.tuples(st.none() | sections, st.lists(stories, max_size=3)), max_size=4)


@st.composite
def samples(draw) -> Sample:
    found, note, subject = draw(page_sections), draw(texts), draw(texts)
    text, html = [note, "\n"], [f"<p>{escape(note)}</p>"]
    for section, section_stories in found:
        text.append(f"__SECTION_{section}__\n" if section else "")
        html.append(f"<!--__SECTION_{section}__-->" if section else "")
        for number, story in enumerate(section_stories, 1):
            text += [f"__STORY_{number}__\n", *story, "\n__END_STORY__\n"]
            html += [
                f"<!--__STORY_{number}__--><p>",
                *map(escape, story),
                "</p><!--__END_STORY__-->",
            ]
        text.append("__END_SECTION__\n" if section else "")
        html.append("<!--__END_SECTION__-->" if section else "")
    foot = "".join(f"\n__{name}__" for name in placeholders.PER_READER)
    with_stories = frozenset(section for section, section_stories in found if section_stories)
    return Sample(subject, f"{''.join(text)}{foot}", f"{''.join(html)}{foot}", with_stories)


ids = st.integers(min_value=0, max_value=2**63 - 1)


@st.composite
def readers(draw, subscription_id=ids) -> ReaderFields:
    return ReaderSigner(EDITION).reader(
        subscription_id=draw(subscription_id),
        email=draw(addresses),
        name=draw(names),
        muted_sections=draw(muted_sections),
        date=draw(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))),  # noqa: DTZ001
    )


def expected_page(page: str, reader: ReaderFields, quote=str) -> str:
    """Return the page that the reader should see, made by search and replace, with CRLF."""
    for section in reader.muted_sections:
        start, end = rf"(<!--)?__SECTION_{section}__", r"__END_SECTION__(-->)?\n?"
        page = re.sub(f"{start}.*?{end}", "", page, flags=re.DOTALL)
    values = {
        "UNSUBSCRIBE": reader.unsubscribe_url,
        "PREFERENCES": reader.preferences_url,
        "READER": reader.email,
    }
    filled = placeholders.fill(page, {name: quote(value) for name, value in values.items()})
    return filled.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")


def parsed(raw: bytes) -> EmailMessage:
    """Parse the message with Python's parser. Any defect is an error."""
    message = BytesParser(policy=STRICT).parsebytes(raw)
    for part in message.walk():
        assert not part.defects
        for name, value in part.items():
            assert not value.defects, (name, value)
    return message


def mailbox(raw: bytes, name: str) -> tuple[str, str]:
    """Return the display name and the address that a header decodes to.

    It is parsed with the old policy, compat32. Python 3.11's new policy puts a space between two
    encoded-words of a phrase, against RFC 2047, section 6.2.
    """
    value = BytesHeaderParser(policy=policy.compat32).parsebytes(raw)[name]
    phrase, address = parseaddr(re.sub(r"\r\n ", " ", value))
    return str(make_header(decode_header(phrase))), address


@given(samples(), readers())
def test_text_and_html_equal_a_rendering_by_search_and_replace(page, reader):
    raw = page.compiled().message(reader)
    assume(raw)

    text, html = parsed(raw).iter_parts()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert text.get_content() == expected_page(page.text, reader)
    assert html.get_content() == expected_page(page.html, reader, escape)


@given(samples(), readers())
def test_every_line_is_safe_for_smtp(page, reader):
    raw = page.compiled().message(reader)
    assume(raw)

    assert raw.isascii()
    assert raw.endswith(b"\r\n")
    lines = raw.split(b"\r\n")
    assert not any(b"\r" in line or b"\n" in line for line in lines)
    assert not any(line.startswith((b".", b"From ")) for line in lines)
    body = raw.partition(b"\r\n\r\n")[2]
    assert max(len(line) for line in body.split(b"\r\n")) <= 76
    assert max(map(len, lines)) <= 998


@given(samples(), readers())
def test_headers_appear_once_and_decode_to_the_readers_values(page, reader):
    raw = page.compiled().message(reader)
    assume(raw)

    message = parsed(raw)
    assert Counter(message.keys()) == Counter(COMMON_HEADERS + READER_HEADERS)
    local, _, domain = reader.email.rpartition("@")
    assert mailbox(raw, "To") == (reader.name, f"{local}@{domain.encode('idna').decode()}")
    assert message["Subject"] == single_line(page.subject)
    assert message["Date"].datetime == reader.date.replace(microsecond=0)
    assert message["Message-ID"] == reader.message_id
    assert f"\r\nList-Unsubscribe: <{reader.unsubscribe_url}>\r\n".encode() in raw
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in raw


@given(samples(), muted_sections)
def test_only_a_reader_who_muted_every_section_with_stories_gets_no_message(page, muted):
    reader = ReaderSigner(EDITION).reader(
        subscription_id=1, email="ann@example.com", muted_sections=muted, date=datetime.now(UTC)
    )
    nothing_left = bool(page.with_stories) and page.with_stories <= muted

    assert (page.compiled().message(reader) is None) == nothing_left


@given(
    samples(),
    readers(st.integers(min_value=1, max_value=10**6)),
    readers(st.integers(min_value=10**6 + 1, max_value=10**7)),
)
def test_no_reader_sees_another_readers_values(page, ann, bob):
    ann, bob = ann._replace(email="ann@a.example"), bob._replace(email="bob@b.example")
    compiled = page.compiled()
    first = compiled.message(ann)
    others = compiled.message(bob)
    assume(first and others)

    for own, raw in ((ann, others), (bob, first)):
        message = parsed(raw)
        seen = "".join(
            [*map(str, message.values()), *(p.get_content() for p in message.iter_parts())]
        )
        for value in (own.email, own.unsubscribe_url, own.preferences_url, own.message_id):
            assert value not in seen
    assert compiled.message(ann) == first == page.compiled().message(ann)


anything = st.lists(
    st.sampled_from([*AWKWARD, "ann@example.com", "X: y"]) | st.text(max_size=9)
).map("".join)


@given(name=anything, email=anything, url=anything, message_id=anything)
@example("Ann\r\nBcc: x@y.z", "ann@example.com", "https://x/u/1", "<1@x>")
@example("Ann", "ann@example.com\nBcc: x@y.z", "https://x/u/1", "<1@x>")
@example("Ann", "ann@example.com", "https://x/u/1>\r\nBcc: <x@y.z", "<1@x>")
@example("Ann", "ann@example.com", "https://x/u/1", "<1@x>\nBcc: <x@y.z>")
def test_no_value_adds_a_header(name, email, url, message_id):
    """This holds even for values that `safe_text.single_line` has not cleaned."""
    reader = ReaderFields(
        EDITION, 1, email, name, frozenset(), datetime.now(UTC), url, url, message_id
    )  # fmt: skip
    try:
        raw = (
            Sample("News", *["__UNSUBSCRIBE__ __PREFERENCES__ __READER__"] * 2, frozenset())
            .compiled()
            .message(reader)
        )
    except headers.UnsafeHeader:
        return
    head = raw.partition(b"\r\n\r\n")[0].decode("ascii")
    unfolded = re.sub(r"\r\n ", " ", head)
    assert "\n" not in unfolded.replace("\r\n", "")
    assert Counter(line.partition(":")[0] for line in unfolded.split("\r\n")) == Counter(
        COMMON_HEADERS + READER_HEADERS
    )


@given(names.map(single_line), addresses)
def test_a_name_is_encoded_as_pythons_own_header_does(name, address):
    """The fast path for short names gives the same header as the slow path for all names."""
    quick = headers.address_line("To", display=name, address=address)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(headers, "_one_encoded_word", lambda value, room: "")
        patch.setattr(headers, "_PLAIN_MAILBOX", re.compile("(?!)"))
        assert headers.address_line("To", display=name, address=address) == quick
