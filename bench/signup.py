"""Time the sign-up POST with every check on; compare with a bare view that inserts one row.

    make bench-signup

wrk has CONNECTIONS clients, each of which sends one form after the other, of another reader in
another network. Every form must become a row. The worker sends the mails, which are not measured.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path

from bench import servers
from bench.figures import Figures, heading, median, median_ratio, positive

SCRIPT = Path(__file__).with_suffix(".lua")
PAGE = "/newsletters/daily/"
# This URL renders no page, which would need a style sheet that is not collected here.
READY_PATH = "/embed/daily/opened.json"
HEADERS = {"Host": "news.example.com", "X-Forwarded-Proto": "https"}
CONNECTIONS = 16
# How many readers there are already.
READERS = 100_000
LIMIT = 0.4
# These settings let the whole flood in; no check is left out for that.
ENVIRONMENT = {"BEHIND_PROXY": "true", "SIGNUP_LIMIT": "100000000"}


@dataclass(frozen=True)
class Run:
    """What wrk counted; times in milliseconds."""

    requests: int
    per_second: float
    median: float
    p99: float


def run_signup_bench() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rounds", type=positive, default=3)
    options = parser.parse_args()
    wrk = shutil.which("wrk") or sys.exit("This bench needs wrk: apt-get install wrk")
    heading(f"The sign-up POST, {CONNECTIONS} connections, {options.seconds} s a round")
    figures = Figures()
    os.environ.update(ENVIRONMENT)
    with servers.production_services("smtp://127.0.0.1:9"):
        ours, bare = _measure(wrk, options, figures)
    _report(ours, bare, figures)
    figures.verdict()


def _measure(
    wrk: str, options: argparse.Namespace, figures: Figures
) -> tuple[list[Run], list[Run]]:
    from bench import edition as editions
    from subscribers.models import Consent, Newsletter, Suppression

    newsletter = editions.add_newsletter()
    Newsletter.objects.filter(pk=newsletter.pk).update(slug="daily")
    editions.add_readers(newsletter, READERS)
    ours, bare = [], []
    for number in range(1, options.rounds + 1):
        for name, settings, found, rows in (
            ("sign-up", "config.settings", ours, Consent),
            ("bare view", "bench.bare_settings", bare, Suppression),
        ):
            before = rows.objects.count()
            with _web(settings) as port:
                _load(wrk, port, f"w{name[0]}{number}", 2)
                run = _load(wrk, port, f"{name[0]}{number}", options.seconds)
            stored = rows.objects.count() - before
            found.append(run)
            figures.line(f"round {number}, {name}", f"{run.per_second:,.0f}/s", f"{stored:,} rows")
            if stored < run.requests:
                raise SystemExit(f"{run.requests} requests, and only {stored} rows")
    return ours, bare


def _report(ours: list[Run], bare: list[Run], figures: Figures) -> None:
    for name, runs in (("sign-up", ours), ("bare view", bare)):
        figures.line(f"{name}, requests", f"{median([r.per_second for r in runs]):,.0f}/s")
        figures.line(f"{name}, median", f"{median([r.median for r in runs]):,.1f} ms")
        figures.line(f"{name}, 99th percentile", f"{median([r.p99 for r in runs]):,.1f} ms")
    ratio = median_ratio([r.per_second for r in ours], [r.per_second for r in bare])
    figures.at_least("sign-up to bare view", ratio, LIMIT)


@contextmanager
def _web(settings: str) -> Iterator[int]:
    """Run gunicorn as every deployment does, and yield its port."""
    port = servers.free_port()
    command = [
        sys.executable, "-m", "gunicorn", "--config", "config/deploy/gunicorn.conf.py",
        "--bind", f"127.0.0.1:{port}", "--log-level", "warning",
        # Some seconds of the bare view would be enough to replace the workers.
        "--max-requests", "0",
    ]  # fmt: skip
    env = os.environ | {"DJANGO_SETTINGS_MODULE": settings}
    running = subprocess.Popen(command, cwd=servers.ROOT, env=env)
    try:
        servers.wait_until(lambda: _answers(port), 60, "gunicorn does not start")
        yield port
    finally:
        running.terminate()
        running.wait()


def _answers(port: int) -> bool:
    """Whether a worker answers: the port is open before the first worker is there."""
    browser = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        browser.request("GET", READY_PATH, headers=HEADERS)
        return bool(browser.getresponse().status)
    except OSError:
        return False
    finally:
        browser.close()


def _load(wrk: str, port: int, run: str, seconds: int) -> Run:
    from django.utils.timezone import now

    from subscribers.signup.abuse import new_form_token

    form_token = new_form_token(now() - timedelta(minutes=1))
    command = [
        wrk, "--threads", "1", "--connections", str(CONNECTIONS), "--timeout", "10s",
        "--duration", f"{seconds}s", "--script", str(SCRIPT), f"http://127.0.0.1:{port}{PAGE}",
        "--", run, form_token,
    ]  # fmt: skip
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    line = next(line for line in output.splitlines() if line.startswith("RESULT "))
    requests, micros, median_micros, p99_micros, errors = map(int, line.split()[1:])
    if errors:
        raise SystemExit(f"{errors} of {requests} requests failed:\n{output}")
    time.sleep(0.5)  # requests under way end
    return Run(requests, requests / micros * 1e6, median_micros / 1000, p99_micros / 1000)


if __name__ == "__main__":
    run_signup_bench()
