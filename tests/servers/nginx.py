"""A real nginx with the site of config/deploy/nginx.conf, and a client that takes it for the host.

Only what a test cannot have is replaced in the file: ports, the certificate, a folder.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import trustme

from tests.servers.ports import free_port
from tests.support.paths import ROOT
from tests.support.programs import find_program
from tests.support.waiting import wait_for

EXAMPLE = ROOT / "config" / "deploy" / "nginx.conf"
HOST = "news.example.com"
_MAIN = """
daemon off;
{user}
pid {folder}/pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


@dataclass
class NginxServer:
    """An nginx in a folder, in front of the port `upstream`."""

    folder: Path
    upstream: int
    # What else is replaced in the example.
    edits: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.program = find_program("nginx", package="nginx-light")
        self.ports = {"http": free_port(), "https": free_port()}
        self.authority = trustme.CA()
        self.folder.mkdir()
        certificate = self.authority.issue_cert(HOST)
        chain = b"".join(pem.bytes() for pem in certificate.cert_chain_pems)
        (self.folder / "chain.pem").write_bytes(chain)
        certificate.private_key_pem.write_to_path(self.folder / "key.pem")
        # Started by root, nginx would work as a user who cannot enter the folders of tests.
        user = "user root;" if os.geteuid() == 0 else ""
        (self.folder / "nginx.conf").write_text(_MAIN.format(user=user, folder=self.folder))
        (self.folder / "site.conf").write_text(self._site())

    def _site(self) -> str:
        edits = {
            "server 127.0.0.1:8000;": f"server 127.0.0.1:{self.upstream};",
            "listen 80;": f"listen 127.0.0.1:{self.ports['http']};",
            "listen 443 ssl": f"listen 127.0.0.1:{self.ports['https']} ssl",
            f"/etc/letsencrypt/live/{HOST}/fullchain.pem": f"{self.folder}/chain.pem",
            f"/etc/letsencrypt/live/{HOST}/privkey.pem": f"{self.folder}/key.pem",
            "/var/www/acme": f"{self.folder}/acme",
        } | self.edits
        # Not every machine that runs tests has IPv6.
        site = re.sub(r"^ *listen \[::\]:.*\n", "", EXAMPLE.read_text(), flags=re.MULTILINE)
        for before, after in edits.items():
            assert before in site, before
            site = site.replace(before, after)
        return site

    @property
    def command(self) -> list[str]:
        return [self.program, "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"),
                "-e", str(self.folder / "error.log")]  # fmt: skip

    def check(self) -> str:
        """Return what `nginx -t` says; an error ends the test."""
        done = subprocess.run([*self.command, "-t"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stderr

    @contextmanager
    def running(self) -> Iterator[None]:
        process = subprocess.Popen(self.command, start_new_session=True)
        try:
            wait_for(lambda: self._answers(process), seconds=20, what="nginx")
            yield
        finally:
            # nginx closes its connections; what does not end by that is killed.
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(5)

    def _answers(self, process: subprocess.Popen[bytes]) -> bool:
        assert process.poll() is None, (self.folder / "error.log").read_text()
        with contextlib.suppress(OSError):
            for port in self.ports.values():
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return True
        return False

    def client(self, **options: Any) -> httpx.Client:
        """Return a client that reaches this nginx under the names and ports of a real site."""
        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.authority.configure_trust(trust)
        options = {"base_url": f"https://{HOST}", "timeout": 30} | options
        return httpx.Client(transport=_Loopback(self.ports, verify=trust), **options)


class _Loopback(httpx.HTTPTransport):
    """Connects to loopback, whatever the URL's host; the request itself stays as it is."""

    def __init__(self, ports: dict[str, int], **options: Any) -> None:
        self.ports = ports
        super().__init__(**options)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url.copy_with(host="127.0.0.1", port=self.ports[request.url.scheme])
        return super().handle_request(
            httpx.Request(
                request.method,
                url,
                headers=request.headers,
                stream=request.stream,
                extensions=request.extensions | {"sni_hostname": HOST},
            )
        )
