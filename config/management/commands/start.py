"""Run the whole of Daybreak on this machine until Ctrl-C (`make run`)."""

from __future__ import annotations

import os
import signal
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.utils import timezone

from config.devserver import first_start, local
from config.devserver.supervisor import Supervisor, port_is_free, site_answers
from config.paths import ROOT
from config.semaphores import NoSemaphores, require_semaphores


class Command(BaseCommand):
    help = (
        "Run the site, the workers, beat and the mailbox until Ctrl-C; "
        "the first start adds demo data."
    )
    requires_system_checks = []  # manage.py and each process run those that are fatal

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--port",
            default=os.environ.get("PORT") or str(local.DEFAULT_PORT),
            help="the site's port (default: the variable PORT, or %(default)s)",
        )

    def handle(self, *args: Any, port: str, **options: Any) -> None:
        try:
            require_semaphores()
        except NoSemaphores as error:
            raise CommandError(str(error)) from None
        web_port = _usable_port(port)
        smtp_port = _free_port_near(web_port + 25)
        with local.hold_run_lock(port=web_port, smtp_port=smtp_port), _stopping_services():
            self._say("Starting PostgreSQL and Redis, if none are configured")
            local.ensure_services()
            site_url = os.environ.get("SITE_URL") or f"http://localhost:{web_port}"
            password = self._prepare(site_url)
            supervisor = Supervisor(
                is_ready=lambda: site_answers(web_port),
                announce=lambda: self._announce(site_url, password),
            )
            _add_processes(supervisor, port=web_port, smtp_port=smtp_port)
            self._say("Starting the site, the workers and the clock")
            status = supervisor.run()
        sys.exit(status)

    def _prepare(self, site_url: str) -> str | None:
        """Bring the database up to date; return the admin's password if it is the generated one."""
        self._say("Bringing the database up to date")
        call_command("migrate", interactive=False, verbosity=0)
        password = None
        if settings.DEBUG:
            self._say("Looking for the demo newsletter")
            first_start.prepare(site_url=site_url, now=timezone.now())
            password = first_start.admin_password()
        else:
            self._say("Collecting the static files")
            call_command("collectstatic", interactive=False, verbosity=0)
        connections.close_all()  # the processes started below must not share one
        return password

    def _say(self, step: str) -> None:
        """Name the next step: the first start takes a while, and silence looks like an error."""
        self.stdout.write(f"{step} …")
        self.stdout.flush()

    def _announce(self, site_url: str, password: str | None) -> None:
        login = f"user {first_start.ADMIN}, password {password}" if password else "your own login"
        lines = ["", "Daybreak is ready.", f"  Site     {site_url}/"]
        lines += [f"  Admin    {site_url}/admin/   {login}"]
        if _has_mailbox():
            lines += [f"  Mailbox  {site_url}/mailbox/"]
        else:
            lines += ["  Mail     is sent over EMAIL_RELAYS"]
        self.stdout.write("\n".join([*lines, "  Stop     Ctrl-C", ""]))
        self.stdout.flush()


def _usable_port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise CommandError(f"PORT is a number from 1 to 65535, not “{text}”")
    port = int(text)
    if not port_is_free(port):
        other = 9000 if port != 9000 else 9001
        raise CommandError(f"Port {port} is taken; choose another: PORT={other} make run")
    return port


def _free_port_near(first: int) -> int:
    candidates: list[int] = [*range(first, min(first + 100, 65536)), *range(20025, 20125)]
    return next(port for port in candidates if port_is_free(port))


def _has_mailbox() -> bool:
    """Tell whether the mailbox receives the mail; it does in DEBUG unless a relay is configured."""
    return settings.DEBUG and not os.environ.get("EMAIL_RELAYS")


def _add_processes(supervisor: Supervisor, *, port: int, smtp_port: int) -> None:
    python = sys.executable
    env = os.environ | {"PYTHONUNBUFFERED": "1", "DEBUG": str(settings.DEBUG)}
    if settings.DEBUG:  # a developer in a container is root and knows it
        env.setdefault("PYTHONWARNINGS", "ignore:You're running the worker with superuser")
    web = [
        "--config", str(ROOT / "config" / "deploy" / "gunicorn.conf.py"),
        "--bind", f"127.0.0.1:{port}", "--graceful-timeout", "5", "--log-level", "warning",
    ]  # fmt: skip
    if settings.DEBUG:
        web += ["--reload"]
        for template in sorted((ROOT / "templates").rglob("*.*")):
            # `make messages` writes .py files beside the templates and deletes them a moment later,
            # and gunicorn does not start without a file that it is to watch.
            if template.suffix != ".py":
                web += ["--reload-extra-file", str(template)]
    supervisor.add("web", python, "-m", "gunicorn", *web, env=env)
    # The other processes start later: somebody waits for the site, so it gets the processor first.
    delay = 2
    celery = [python, "-m", "celery", "--quiet", "-A", "config"]
    quiet = ["--loglevel", "WARNING"]
    worker = [*celery, "worker", *quiet, "--without-gossip", "--without-mingle"]
    supervisor.add("mail", *worker, "-Q", "mail", "-c", "1", "-n", "mail@%h", env=env, delay=delay)
    supervisor.add(
        "default", *worker, "-Q", "default", "-c", "1", "-n", "default@%h", env=env, delay=delay
    )
    # A lane takes half a minute. It has workers of its own, so that no other task waits for it.
    supervisor.add(
        "lanes", *worker, "-Q", "delivery", "-c", "2", "-n", "lanes@%h", env=env, delay=delay
    )
    supervisor.add(
        "feeds", *worker, "-Q", "feeds", "-c", "1", "-n", "feeds@%h", env=env, delay=delay
    )
    if settings.EVENT_EMBEDDING:
        supervisor.add(
            "vectors", *worker, "-Q", "vectors", "-c", "1", "-n", "vectors@%h", env=env, delay=delay
        )
    supervisor.add("beat", *celery, "beat", *quiet, "--pidfile=", env=env, delay=delay)
    if _has_mailbox():
        supervisor.add(
            "mailbox", python, "-m", "aiosmtpd", "--nosetuid", "--listen", f"127.0.0.1:{smtp_port}",
            "--class", "aiosmtpd.handlers.Mailbox", str(local.MAILBOX), env=env,
        )  # fmt: skip


@contextmanager
def _stopping_services() -> Iterator[None]:
    """Stop the database and Redis in the end, whatever ends this process."""

    def stop(*_: object) -> None:
        sys.exit(0)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        # A second Ctrl-C must not leave PostgreSQL behind.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        local.stop_services()
