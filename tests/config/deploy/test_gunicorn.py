"""gunicorn, as the shipped file sets it up, is stopped by no slow client and cuts off no answer."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, IncompleteRead

import pytest

from tests.servers.ports import free_port
from tests.support import deployments
from tests.support.waiting import wait_for

pytestmark = pytest.mark.subprocess

APP = """
import os
import pathlib
import time

RELEASED = pathlib.Path(__file__).with_name("released")


def application(environ, start_response):
    path = environ["PATH_INFO"]
    broken = path.startswith("/broken")
    length = [("Content-Length", "40")] if path == "/broken-length" else []
    start_response("200 OK", length)
    if path == "/body":
        return [environ["wsgi.input"].read()]
    if path == "/big":
        return [bytes(2**20)] * 50
    return break_off() if broken else hold() if path == "/hold" else [b"%d" % os.getpid()]


def break_off():
    yield b"email,name"
    raise RuntimeError("the database is gone")


def hold():
    yield b"begun"
    while not RELEASED.exists():
        time.sleep(0.02)
    yield b", ended"
"""
# What takes minutes in a deployment takes moments here.
CONFIG = """
exec(open({shipped!r}).read())
PATIENCE_SECONDS = 0.5
wsgi_app = "app"
pythonpath = {folder!r}
bind = "127.0.0.1:{port}"
workers, threads, worker_connections = 1, 3, 3
# The first tests make some twenty.
max_requests, max_requests_jitter = 45, 0
"""


class GunicornServer:
    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        (folder / "app.py").write_text(APP)
        (folder / "test.conf.py").write_text(
            CONFIG.format(shipped=str(deployments.GUNICORN), folder=str(folder), port=self.port)
        )

    @contextlib.contextmanager
    def running(self):
        command = [sys.executable, "-m", "gunicorn", "--config", self.folder / "test.conf.py"]
        process = subprocess.Popen(command, cwd=self.folder, start_new_session=True)
        try:
            wait_for(self.answers, what="gunicorn")
            yield self
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)

    def answers(self):
        with contextlib.suppress(OSError):
            return bool(self.get("/"))

    def get(self, path):
        with contextlib.closing(HTTPConnection("127.0.0.1", self.port, timeout=30)) as client:
            client.request("GET", path)
            return client.getresponse().read()

    def send(self, text):
        """Send the beginning of a request and return the open connection."""
        client = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        client.sendall(text.encode().replace(b"\n", b"\r\n"))
        return client


@pytest.fixture(scope="module")
def web(tmp_path_factory):
    with GunicornServer(tmp_path_factory.mktemp("gunicorn")).running() as server:
        yield server


@pytest.mark.parametrize(
    "begun",
    [
        "",
        "GET / HTTP/1.1\nHost: a.example\nX-Slow: ",
        "POST /body HTTP/1.1\nHost: a.example\nContent-Length: 1000\n\n",
        "GET /big HTTP/1.1\nHost: a.example\n\n",
    ],
    ids=["nothing", "head", "body", "answer"],
)
def test_clients_that_send_or_take_nothing_more_give_their_threads_back(web, begun):
    with contextlib.ExitStack() as stack:
        for _ in range(6):  # twice as many as there are threads
            stack.enter_context(web.send(begun))

        assert web.get("/").isdigit()


def test_a_client_that_sends_byte_by_byte_is_cut_off(web):
    def is_cut_off():
        try:
            client.sendall(b"x")
        except ConnectionError:
            return True
        return False

    with web.send("GET / HTTP/1.1\nHost: a.example\nX-Slow: ") as client:
        wait_for(is_cut_off, what="the end of the connection")


@pytest.mark.parametrize("path", ["/broken", "/broken-length"])
def test_an_answer_that_breaks_off_is_visibly_not_whole(web, path):
    with pytest.raises(IncompleteRead) as error:
        web.get(path)

    assert error.value.partial == b"email,name"


def test_a_worker_is_replaced_after_some_requests_but_not_in_the_middle_of_an_answer(web):
    with contextlib.closing(HTTPConnection("127.0.0.1", web.port, timeout=30)) as client:
        client.request("GET", "/hold")
        response = client.getresponse()
        assert response.read(5) == b"begun"
        during = {web.get("/") for _ in range(50)}
        (web.folder / "released").touch()
        assert response.read() == b", ended"

    assert len(during) == 1
    wait_for(lambda: web.get("/") not in during, what="the next worker")


def test_no_request_is_lost_while_workers_are_replaced(web):
    def ask_often(_):
        with contextlib.closing(HTTPConnection("127.0.0.1", web.port, timeout=30)) as client:
            return {ask(client) for _ in range(80)}

    def ask(client):
        client.request("GET", "/")  # over the same connection, if the server left it open
        return client.getresponse().read()

    with ThreadPoolExecutor(6) as clients:
        workers = set().union(*clients.map(ask_often, range(6)))

    assert len(workers) > 2
    assert all(worker.isdigit() for worker in workers)
