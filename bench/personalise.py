"""Compare splicing one reader's message with rebuilding it by Python's email package.

Run: .venv/bin/python bench/personalise.py
A 40 KB page with 40 places for the reader's own values; both ways in the same run, so the ratio
holds on any machine. No database or Redis is needed.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()

from digest.models import Frozen  # noqa: E402
from digest.rendering.freeze import cut  # noqa: E402
from digest.rendering.personalise import Reader, personalise  # noqa: E402
from digest.rendering.slots import OWN  # noqa: E402

SLOTS, PAGE_BYTES, RUNS = 40, 40_000, 7
COMMON = "From: The Daily <daily@example.com>\r\nSubject: Ferries return\r\nMIME-Version: 1.0\r\n"


def page() -> str:
    """Paragraphs of markup with a token after each, in equal parts for the three values."""
    sentence = '<p style="margin:0; color:#3a3d44">Zwei Fähren = ein Fahrplan, sagt der Rat.</p>\n'
    paragraph = sentence * (PAGE_BYTES // SLOTS // len(sentence.encode()))
    return "".join(f"{paragraph}__{OWN[number % len(OWN)]}__\n" for number in range(SLOTS))


def reader(number: int) -> Reader:
    return Reader(
        edition_id=1,
        subscription_id=number,
        email=f"reader{number}@example.com",
        name="",
        muted_sections=frozenset(),
        date=datetime(2026, 3, 10, 6, tzinfo=UTC),
        unsubscribe_url=f"https://news.example.com/u/VqU-pR5e_RZqpIdRG-XJbg{number}",
        preferences_url=f"https://news.example.com/preferences/VqU-pR5e_RZqpIdRG-XJbg{number}/",
        message_id=f"<1-{number}@example.com>",
    )


def rebuild(html: str, text: str, reader: Reader) -> bytes:
    """What a sender does that knows nothing of the page but its tokens."""
    values = (reader.unsubscribe_url, reader.preferences_url, reader.email)
    for token, value in zip(OWN, values, strict=True):
        html = html.replace(f"__{token}__", value)
        text = text.replace(f"__{token}__", value)
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = "The Daily <daily@example.com>"
    message["To"] = reader.email
    message["Subject"] = "Ferries return"
    message["Date"] = reader.date
    message["Message-ID"] = reader.message_id
    message["List-Unsubscribe"] = f"<{reader.unsubscribe_url}>"
    message.set_content(text, cte="quoted-printable")
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    return message.as_bytes()


def microseconds(make: Callable[[Reader], object], *, count: int) -> float:
    readers = [reader(number) for number in range(count)]
    began = time.perf_counter()
    for one in readers:
        make(one)
    return (time.perf_counter() - began) / count * 1e6


def main() -> None:
    html = page()
    text = " ".join(f"{token}: __{token}__\n" for token in OWN)
    frozen = Frozen(headers=COMMON.strip(), html_segments=cut(html), text_segments=cut(text))
    spliced, rebuilt = [], []
    for _run in range(RUNS):
        spliced.append(microseconds(lambda one: personalise(frozen, one), count=2000))
        rebuilt.append(microseconds(lambda one: rebuild(html, text, one), count=20))
    ratio = statistics.median(b / a for a, b in zip(spliced, rebuilt, strict=True))
    print(f"page            {len(html.encode()):,} bytes, {SLOTS} slots, median of {RUNS} runs")
    print(f"personalise     {statistics.median(spliced):8.1f} µs a message")
    print(f"email package   {statistics.median(rebuilt):8.1f} µs a message")
    print(f"ratio           {ratio:8.1f}")


if __name__ == "__main__":
    main()
