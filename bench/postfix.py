"""Run a real Postfix for the bench alone: it takes mail on loopback and discards it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import servers

_MAIN = """
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
maillog_file = {home}/log
maillog_file_prefixes = {home}
mail_owner = postfix
setgid_group = postdrop
myhostname = relay.example.com
mydestination =
inet_interfaces = loopback-only
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
default_transport = discard:
local_transport = discard:
relay_transport = discard:
alias_maps =
smtpd_peername_lookup = no
disable_dns_lookups = yes
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_client_message_rate_limit = 0
smtpd_client_recipient_rate_limit = 0
smtpd_timeout = 300s
# Without this, Postfix waits a second before it accepts more mail than it has passed on.
in_flow_delay = 0
queue_minfree = 0
"""
_MASTER = """
127.0.0.1:{port} inet n - n - 50 smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


# A relay elsewhere has a disk of its own. On a shared disk each message that Postfix syncs would
# delay the ledger's commits.
_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108


@contextmanager
def serve() -> Iterator[int]:
    """Start Postfix, and yield its port."""
    postfix = servers.program("postfix")
    if os.geteuid() != 0:
        raise SystemExit("Postfix starts as root only: sudo make bench-distance")
    home = Path(tempfile.mkdtemp(prefix="daybreak-postfix-", dir=_MEMORY))
    home.chmod(0o755)
    port = servers.free_port()
    (home / "main.cf").write_text(_MAIN.format(home=home))
    (home / "master.cf").write_text(_MASTER.format(port=port))
    (home / "queue").mkdir()
    (home / "data").mkdir()
    shutil.chown(home / "data", "postfix")
    try:
        _run(postfix, home, "start")
        servers.wait_for_port(port)
        yield port
    finally:
        _run(postfix, home, "stop")
        shutil.rmtree(home, ignore_errors=True)


def _run(postfix: str, home: Path, command: str) -> None:
    result = subprocess.run([postfix, "-c", str(home), command], capture_output=True, text=True)
    if result.returncode and command == "start":
        log = home / "log"
        log_text = log.read_text() if log.exists() else ""
        raise SystemExit(f"Postfix does not start: {result.stderr}{log_text}")
