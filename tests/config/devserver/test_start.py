"""`manage.py start`, as `make run` starts it."""

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.request

import pytest

from tests.servers.ports import free_port
from tests.support import shell
from tests.support.waiting import wait_for

pytestmark = pytest.mark.subprocess


class Site:
    """A running `manage.py start` and its output so far."""

    def __init__(self, var, **variables):
        self.process = shell.popen("manage.py", "start", var=var, **variables)
        self.output = ""
        threading.Thread(target=self._listen, daemon=True).start()
        wait_for(lambda: "Stop     Ctrl-C" in self.output or self.process.poll() is not None,
                 seconds=90, what="the site")  # fmt: skip

    def _listen(self):
        for line in self.process.stdout:
            self.output += line

    def end(self, signum):
        self.process.send_signal(signum)
        self.process.wait(60)
        self.output += self.process.stderr.read()
        self.process.stdout.close()
        self.process.stderr.close()
        return self.process.returncode


def test_the_site_runs_until_a_signal_and_a_second_start_keeps_the_data(var):
    port = free_port()
    first = Site(var, PORT=str(port))
    try:
        for page in ("/admin/login/", "/mailbox/", "/static/demo/rates.jpg"):
            with urllib.request.urlopen(f"http://localhost:{port}{page}") as response:
                assert response.status == 200
        assert f"http://localhost:{port}/mailbox/" in first.output
        assert [line for line in first.output.splitlines() if line.endswith(" …")] == [
            "Starting PostgreSQL and Redis, if none are configured …",
            "Bringing the database up to date …",
            "Looking for the demo newsletter …",
            "Starting the site, the workers and the clock …",
        ]
        [password] = re.findall(r"user admin, password (\S+)", first.output)
        assert (var / "admin-password").stat().st_mode & 0o077 == 0

        code = (
            "from digest.models import Story; from django.conf import settings;"
            "from django.contrib.auth.models import User;"
            f"print(Story.objects.count(), settings.SITE_URL, settings.EMAIL_RELAYS[0].port,"
            f" User.objects.get(username='admin').check_password({password!r}))"
        )
        result = shell.run("manage.py", "shell", "-v0", "-c", code, var=var)
        smtp_port = json.loads((var / "run.json").read_text())["smtp_port"]
        assert result.stdout.split() == ["20", f"http://localhost:{port}", str(smtp_port), "True"]

        twice = shell.run("manage.py", "start", var=var, PORT=str(free_port()))
        assert (twice.returncode, len(twice.stderr.splitlines())) == (1, 1)
        assert "Daybreak is already running here" in twice.stderr
    finally:
        assert first.end(signal.SIGTERM) == 0
    wait_for(lambda: not shell.processes(var), seconds=5, what="all processes to end")

    other_port = free_port()
    second = Site(var, PORT=str(other_port))
    assert second.end(signal.SIGINT) == 0, second.output
    wait_for(lambda: not shell.processes(var), seconds=5, what="all processes to end")
    assert f"password {password}" in second.output
    assert f"http://localhost:{other_port}/admin/" in second.output


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can do this")
def test_no_program_outlives_a_supervisor_that_was_killed(tmp_path):
    code = (
        "import os; from config.devserver.supervisor import Supervisor;"
        "supervisor = Supervisor(is_ready=lambda: False, announce=print);"
        "supervisor.add('one', 'sleep', '600', env=os.environ);"
        "supervisor.run()"
    )
    with shell.popen("-c", code, var=tmp_path) as supervisor:
        wait_for(
            lambda: any(p.name() == "sleep" for p in shell.processes(tmp_path)), what="a program"
        )
        supervisor.kill()

    wait_for(lambda: not shell.processes(tmp_path), what="the end of all processes")


def test_a_taken_port_is_reported_in_one_line_and_nothing_is_started(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = shell.run("manage.py", "start", var=tmp_path / "var", PORT=str(port))

    assert refused.returncode == 1
    assert refused.stderr == (
        f"CommandError: Port {port} is taken; choose another: PORT=9000 make run\n"
    )
    assert not (tmp_path / "var").exists()


def test_a_signal_during_the_start_leaves_nothing_behind(var):
    process = shell.popen("manage.py", "start", var=var, PORT=str(free_port()))
    wait_for((var / "services.lock").exists, what="the services to be started")
    process.terminate()
    try:
        process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        raise

    assert process.returncode == 0
    wait_for(lambda: not shell.processes(var), seconds=5, what="all processes to end")
