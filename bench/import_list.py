"""Import a list of a million readers, and measure the time and the memory it takes.

    make bench-import N=1000000

Each round runs the command as an operator does, on a file with one bad row in a hundred. Then it
imports a tenth of that the plain way: csv and bulk_create, with the same checks one by one. A ratio
compares figures of the same round.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from bench import servers
from bench.figures import Figures, heading, median, median_ratio, positive

SECONDS_PER_MILLION = 60
MEMORY_MB = 300
BAD_EVERY = 100
PLAIN_SHARE = 10
EVIDENCE = "The bench made them up, and they agreed."
BAD = (
    "not-an-address",
    "two@@example.com",
    "",
    "dot..dot@example.com",
    "no@tld",
    "a b@example.com",
)
NAMES = ("Ada Lovelace", "Zoë Müller", "Иван Петров", "O'Brien, Ann", "", "")
DOMAINS = 500


def run_import_list_bench() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--readers", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--rounds", type=positive, default=3)
    options = parser.parse_args()
    heading(f"Importing a list of {options.readers:,} readers, every {BAD_EVERY}th row bad")
    figures = Figures()
    with (
        servers.production_services("smtp://127.0.0.1:9"),
        tempfile.TemporaryDirectory() as directory,
    ):
        found = [
            _round(options.readers, n, Path(directory), figures) for n in range(options.rounds)
        ]
    seconds, megabytes, plain = (list(one) for one in zip(*found, strict=True))
    took = median(seconds)
    figures.line("rows", f"{options.readers / took:,.0f}/s")
    limit = SECONDS_PER_MILLION * options.readers / 1_000_000
    figures.at_most("import, median", took, limit, "{:,.1f} s")
    figures.at_most("memory, Python at its peak", max(megabytes), MEMORY_MB, "{:,.0f} MB")
    ratio = median_ratio([options.readers / one for one in seconds], plain)
    figures.at_least("times as fast as csv and bulk_create", ratio, 1)
    figures.verdict()


def _round(
    readers: int, number: int, directory: Path, figures: Figures
) -> tuple[float, float, float]:
    """Return seconds and megabytes of the command, and rows per second of the plain way."""
    from tests import factories

    newsletter = factories.newsletter(slug=f"bench-{number}")
    path = directory / "readers.csv"
    write_list(path, readers, first=number * readers)
    seconds, megabytes = _imported(path, newsletter.slug, readers)
    figures.line(f"round {number + 1}", f"{seconds:,.1f} s, {megabytes:,.0f} MB")
    count = readers // PLAIN_SHARE
    write_list(path, count, first=10**9 + number * count)
    rate = count / import_plainly(path, factories.newsletter(slug=f"plain-{number}"))
    figures.line("  csv and bulk_create", f"{rate:,.0f}/s")
    return seconds, megabytes, rate


def write_list(path: Path, count: int, *, first: int) -> None:
    rng = random.Random(first)  # noqa: S311 (no secret)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["email", "name", "timezone", "language", "notes"])
        for n in range(first, first + count):
            bad = n % BAD_EVERY == BAD_EVERY - 1
            email = rng.choice(BAD) if bad else _address(n, rng)
            notes = "met at the fair,\nwants the evening edition" if n % 50 == 0 else ""
            writer.writerow([email, NAMES[n % len(NAMES)], "Europe/London", "en", notes])


def _address(number: int, rng: random.Random) -> str:
    address = f"reader.{number}@mail-{rng.randrange(DOMAINS)}.example.com"
    return address.title() if number % 10 == 0 else address


def _imported(path: Path, slug: str, readers: int) -> tuple[float, float]:
    """Run the command in a process of its own, and check that every row is accounted for."""
    command = [
        sys.executable, "manage.py", "import_subscribers", str(path), "--newsletter", slug,
        "--confirmed", "--evidence", EVIDENCE, "--refused", f"{path}.refused",
    ]  # fmt: skip
    began = time.perf_counter()
    with subprocess.Popen(
        command, cwd=servers.ROOT, env=os.environ, stdout=subprocess.PIPE, text=True
    ) as running:
        peak = _Peak(psutil.Process(running.pid))
        output, _ = running.communicate()
    seconds = time.perf_counter() - began
    bad = readers // BAD_EVERY
    expected = f"added {readers - bad}, already there 0, refused {bad}"
    assert output.splitlines()[-1] == expected, output[-300:]
    assert Path(f"{path}.refused").read_bytes().count(b"\n") == bad + 1
    return seconds, peak.megabytes


class _Peak(threading.Thread):
    """Watch for the most memory that a process and its children have had together."""

    def __init__(self, process: psutil.Process) -> None:
        super().__init__(daemon=True)
        self.process = process
        self.megabytes = 0.0
        self.start()

    def run(self) -> None:
        try:
            while True:
                family = [self.process, *self.process.children(recursive=True)]
                self.megabytes = max(self.megabytes, sum(map(servers.peak_mb, family)))
                time.sleep(0.1)
        except (psutil.NoSuchProcess, OSError):
            return


def import_plainly(path: Path, newsletter: object) -> float:
    """Import as plain Django would: csv, the same checks, bulk_create of 1000; return seconds."""
    began = time.perf_counter()
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        while batch := list(itertools.islice(rows, 1000)):
            _create(list(_checked(batch)), newsletter)
    return time.perf_counter() - began


def _checked(rows: list[dict[str, str]]) -> Iterator[tuple[str, dict[str, str]]]:
    from subscribers.addresses.address import BadAddress, normalise

    for row in rows:
        try:
            yield normalise(row["email"]), row
        except BadAddress:
            continue


def _create(rows: list[tuple[str, dict[str, str]]], newsletter: object) -> None:
    from django.db import transaction
    from django.utils.timezone import now

    from subscribers.addresses.address import compare_key
    from subscribers.consent.record import Origin, build_consent
    from subscribers.models import Consent, Subscriber, Subscription, Suppression

    at = now()
    people = {
        compare_key(email): Subscriber(
            email=email, email_key=compare_key(email), name=row["name"], timezone=row["timezone"],
            language=row["language"], created_at=at,
        )
        for email, row in rows
    }  # fmt: skip
    with transaction.atomic():
        suppressed = Suppression.objects.filter(email_key__in=people)
        for key in list(suppressed.values_list("email_key", flat=True)):
            del people[key]
        Subscriber.objects.bulk_create(people.values(), ignore_conflicts=True)
        ids = Subscriber.objects.filter(email_key__in=people).values_list("pk", flat=True)
        subscriptions = Subscription.objects.bulk_create(
            Subscription(
                newsletter=newsletter, subscriber_id=pk, status="active", created_at=at,
                confirmed_at=at,
            )
            for pk in ids
        )  # fmt: skip
        Consent.objects.bulk_create(
            build_consent(
                subscription_id=subscription.pk, newsletter=newsletter, kind=Consent.Kind.IMPORT,
                origin=Origin(page="import"), details={"evidence": EVIDENCE}, now=at,
            )
            for subscription in subscriptions
        )  # fmt: skip


if __name__ == "__main__":
    run_import_list_bench()
