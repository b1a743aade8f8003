"""Ports on loopback that nobody else takes before a test uses them."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import socket


def free_port() -> int:
    """Return a port that nobody else takes before the test uses it.

    The kernel gives only higher ports to connections and to port 0, and each of xdist's workers
    has a range of its own.
    """
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    for port in _ports:
        with contextlib.suppress(OSError), socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(("127.0.0.1", 20_000 + 800 * number + port))
            return int(sock.getsockname()[1])
    raise AssertionError("no port is free")


# The order is random in each run, since two clones may be tested at the same time.
_ports = itertools.chain.from_iterable(itertools.repeat(random.sample(range(800), 800), 2))
