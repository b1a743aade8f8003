"""Time confirmation mail while a big digest goes out.

    make bench-fast-lane N=100000

Every half a second a reader signs up on the newsletter's page. The time counts from the sending of
that form until smtp-sink, which is busy with the digest, has taken the confirmation mail.
"""

from __future__ import annotations

import argparse
import smtplib
import statistics
import time
from contextlib import ExitStack
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from aiosmtpd.controller import Controller
from django.test import Client

from bench import servers
from bench.figures import Figures, heading

PROCESSES = 2
EVERY = 0.5
LIMIT = 5.0
# How many seconds the bench waits for the last confirmation.
MAIL_TIMEOUT = 60


class TimingRelay:
    """An SMTP server that passes each message on to the sink, and then notes the time."""

    def __init__(self, sink_port: int) -> None:
        self.sink_port = sink_port
        self.arrived: dict[str, float] = {}

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        with smtplib.SMTP("127.0.0.1", self.sink_port) as sink:
            sink.sendmail(envelope.mail_from, envelope.rcpt_tos, envelope.content)
        self.arrived[envelope.rcpt_tos[0]] = time.monotonic()
        return "250 2.0.0 taken"


def run_fast_lane_bench() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--readers", type=int, default=100_000, metavar="N")
    options = parser.parse_args()
    heading(f"Confirmation mail while {options.readers:,} digests go out")
    figures = Figures()
    with ExitStack() as stack:
        sink = stack.enter_context(servers.smtp_sink())
        timing_relay = TimingRelay(sink.port)
        port = servers.free_port()
        controller = Controller(timing_relay, hostname="127.0.0.1", port=port)
        controller.start()
        stack.callback(controller.stop)
        digests = f"smtp://127.0.0.1:{sink.port}?connections={PROCESSES}"
        stack.enter_context(servers.production_services(digests))
        stack.enter_context(servers.workers("delivery", processes=PROCESSES))
        stack.enter_context(
            servers.workers("mail", processes=1, EMAIL_RELAYS=f"smtp://127.0.0.1:{port}")
        )
        signed_up_at = _sign_up_while_sending(options.readers, figures)
        _await(timing_relay, signed_up_at)
    _report(signed_up_at, timing_relay.arrived, figures)
    figures.verdict()


def _sign_up_while_sending(readers: int, figures: Figures) -> dict[str, float]:
    """Sign addresses up until the edition is sent; return when each was signed up."""
    from bench import edition as editions
    from digest import tasks
    from digest.models import Edition

    newsletter = editions.add_newsletter()
    editions.add_readers(newsletter, readers)
    edition = editions.add_planned_edition(newsletter)
    tasks.start_lanes(edition)
    signed_up_at: dict[str, float] = {}
    browser, page = Client(headers={"host": "news.example.com"}), newsletter.get_absolute_url()
    began = time.monotonic()
    while Edition.objects.filter(pk=edition, status=Edition.Status.SENDING).exists():
        address = f"new.reader.{len(signed_up_at)}@example.com"
        signed_up_at[address] = time.monotonic()
        _sign_up(browser, page, address)
        time.sleep(max(0, began + EVERY * len(signed_up_at) - time.monotonic()))
    seconds = editions.sending_seconds(edition)
    figures.line("digests", f"{readers / seconds:,.0f}/s", f"{readers:,} in {seconds:,.0f} s")
    return signed_up_at


def _sign_up(browser: Client, page: str, address: str) -> None:
    from django.utils.timezone import now

    from subscribers.signup.abuse import new_form_token

    form_token = new_form_token(now() - timedelta(minutes=1))
    form = {"email": address, "website": "", "opened": form_token}
    response = browser.post(page, form, secure=True)
    assert response.status_code == HTTPStatus.FOUND, response


def _await(timing_relay: TimingRelay, signed_up_at: dict[str, float]) -> None:
    deadline = time.monotonic() + MAIL_TIMEOUT
    while timing_relay.arrived.keys() != signed_up_at.keys() and time.monotonic() < deadline:
        time.sleep(0.1)


def _report(signed_up_at: dict[str, float], arrived: dict[str, float], figures: Figures) -> None:
    waits = [arrived.get(address, float("inf")) - at for address, at in signed_up_at.items()]
    figures.line("sign-ups", f"{len(waits)}", "one every half a second")
    figures.line("median until the mail is there", f"{statistics.median(waits):,.2f} s")
    figures.at_most("95th percentile", sorted(waits)[int(0.95 * len(waits))], LIMIT, "{:,.2f} s")


if __name__ == "__main__":
    run_fast_lane_bench()
