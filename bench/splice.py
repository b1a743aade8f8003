"""Measure how long one reader's message takes; compare with a limit and Python's email package.

    .venv/bin/python -m bench.splice

The page has 45 KB in four sections, with 40 placeholders for the reader's own values. One run
measures all ways, so that the ratio holds on any machine. Times are CPU time, so that other work on
the machine counts less. No database or Redis is needed. The bench ends with an error if a reader
takes longer than the limit.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from itertools import cycle, islice

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
os.environ["DEBUG"] = "true"
os.environ.setdefault("SITE_URL", "https://news.example.com")
os.environ.setdefault("MAIL_DOMAIN", "mail.example.com")

import django

django.setup()

from digest.models import Frozen  # noqa: E402
from digest.rendering.freeze import split_segments  # noqa: E402
from digest.rendering.personalise import CompiledPage, ReaderFields, compile_page  # noqa: E402
from digest.rendering.placeholders import PER_READER  # noqa: E402
from digest.rendering.readers import ReaderSigner  # noqa: E402

LIMIT = 20.0  # µs a reader, from row to message
RUNS, READERS, REBUILT = 9, 4000, 20
PLACEHOLDERS, PAGE_BYTES, SECTIONS = 40, 45_000, 4
EDITION = 1234
COMMON = "From: The Daily <daily@example.com>\r\nSubject: Ferries return\r\nMIME-Version: 1.0"

# A reader's row from the delivery ledger: subscription, address, name, muted sections.
Row = tuple[int, str, str, frozenset[int]]


def sample_page() -> str:
    """Return paragraphs of markup, each with one of the three placeholders after it."""
    sentence = '<p style="margin:0; color:#3a3d44">Zwei Fähren = ein Fahrplan, sagt der Rat.</p>\n'
    paragraph = sentence * round(PAGE_BYTES / PLACEHOLDERS / len(sentence.encode()))
    paragraphs = [
        f"{paragraph}__{PER_READER[number % len(PER_READER)]}__\n" for number in range(PLACEHOLDERS)
    ]
    return "".join(
        f"__SECTION_{number + 1}__\n__STORY_{number + 1}__\n"
        f"{''.join(paragraphs[number::SECTIONS])}__END_STORY__\n__END_SECTION__\n"
        for number in range(SECTIONS)
    )


def rows(names: Sequence[str], muted: Sequence[frozenset[int]]) -> list[Row]:
    first = 9_000_000
    return [
        (number, f"reader{number}@example.com", name, sections)
        for number, name, sections in islice(
            zip(range(first, first + READERS), cycle(names), cycle(muted), strict=False), READERS
        )
    ]


def rebuild(html: str, text: str, reader: ReaderFields) -> bytes:
    """Build the message as a sender does that knows only the page's placeholders."""
    values = (reader.unsubscribe_url, reader.preferences_url, reader.email)
    for name, value in zip(PER_READER, values, strict=True):
        html = html.replace(f"__{name}__", value)
        text = text.replace(f"__{name}__", value)
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


def readers(signer: ReaderSigner, rows: Sequence[Row]) -> Iterator[ReaderFields]:
    for subscription_id, email, name, muted in rows:
        yield signer.reader(
            subscription_id=subscription_id,
            email=email,
            name=name,
            muted_sections=muted,
            date=datetime.now(UTC),
        )


def microseconds(work: Callable[[], object], *, count: int) -> float:
    began = time.process_time()
    work()
    return (time.process_time() - began) / count * 1e6


def exhaust(iterator: Iterator[object]) -> None:
    for value in iterator:
        assert value is not None


class Measured:
    """The figures of one kind of reader, run by run."""

    def __init__(self, compiled: CompiledPage, signer: ReaderSigner, rows: list[Row]) -> None:
        self.compiled, self.signer, self.rows = compiled, signer, rows
        self.readers = list(readers(signer, rows))
        self.reader: list[float] = []
        self.message: list[float] = []
        self.both: list[float] = []

    def run(self) -> None:
        make, rows, count = self.compiled.message, self.rows, len(self.rows)
        self.reader.append(microseconds(lambda: exhaust(readers(self.signer, rows)), count=count))
        self.message.append(microseconds(lambda: exhaust(map(make, self.readers)), count=count))
        self.both.append(
            microseconds(lambda: exhaust(map(make, readers(self.signer, rows))), count=count)
        )

    def line(self, title: str) -> str:
        median = (
            f"{statistics.median(runs):9.1f}" for runs in (self.reader, self.message, self.both)
        )
        return f"{title:<42}{''.join(median)}  µs"


def run_splice_bench() -> int:
    html = sample_page()
    text = " ".join(f"{name}: __{name}__\n" for name in PER_READER)
    frozen = Frozen(
        headers=COMMON, html_segments=split_segments(html), text_segments=split_segments(text)
    )
    compiled, signer = compile_page(frozen), ReaderSigner(EDITION)
    plain = Measured(compiled, signer, rows(["Ann Reader", "", "Bo"], [frozenset()]))
    muted = [frozenset({1}), frozenset({2, 4}), frozenset({3, 77}), frozenset({1, 2, 3})]
    hard = Measured(compiled, signer, rows(["Zoë Müller", "Иван Петров", "山田太郎"], muted))
    ids, sample = [row[0] for row in plain.rows], plain.readers[:REBUILT]
    rebuilt: list[float] = []
    senders: list[float] = []
    for _run in range(RUNS):
        plain.run()
        hard.run()
        senders.append(microseconds(lambda: exhaust(map(signer.sender, ids)), count=READERS))
        rebuilt.append(
            microseconds(
                lambda: exhaust(rebuild(html, text, reader) for reader in sample), count=REBUILT
            )
        )
    return report(html, plain, hard, rebuilt, senders)


def report(
    html: str, plain: Measured, hard: Measured, rebuilt: list[float], senders: list[float]
) -> int:
    message = plain.compiled.message(plain.readers[0])
    assert message
    print(
        f"page of {len(html.encode()):,} bytes in {SECTIONS} sections, "
        f"{PLACEHOLDERS} placeholders; message of {len(message):,} bytes\n"
        f"median of {RUNS} runs of {READERS:,} readers; "
        f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n"
    )
    print(f"{'':42}   reader  message     both")
    print(plain.line("a plain name, nothing muted"))
    print(hard.line("a name to be encoded, sections muted"))
    print(f"{'envelope sender':42}{statistics.median(senders):9.1f}{'':18}  µs")
    slow = statistics.median(rebuilt)
    print(f"{'rebuilt by the email package':42}{'':9}{slow:9.1f}  µs")
    ratio = statistics.median(b / a for a, b in zip(plain.message, rebuilt, strict=True))
    print(f"\nsplicing is {ratio:,.0f} times as fast as rebuilding")
    worst = max(statistics.median(plain.both), statistics.median(hard.both))
    kept = worst <= LIMIT
    print(
        f"from row to message {worst:.1f} µs, limit {LIMIT:.0f} µs ({worst / LIMIT:.0%}): "
        f"{'kept' if kept else 'MISSED'}"
    )
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(run_splice_bench())
