"""Run parts of Daybreak in other processes with their own var/, as a developer's shell would."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil

from tests.support.paths import ROOT

CONFIGURED = ("DATABASE_URL", "REDIS_URL", "EMAIL_RELAYS", "MAIL_DOMAIN", "SITE_URL", "SECRET_KEY",
              "POSTAL_ADDRESS", "DEBUG", "PORT", "PYTEST_XDIST_WORKER")  # fmt: skip
SAFE_VARIABLES = {
    "SECRET_KEY": "".join(chr(33 + n) for n in range(60)),
    "SITE_URL": "https://news.example.com",
    "DATABASE_URL": "postgres://u:p@127.0.0.1:9/nobody",
    "REDIS_URL": "redis://127.0.0.1:9/0",
    "EMAIL_RELAYS": "smtp://127.0.0.1:9",
    "MAIL_DOMAIN": "news.example.com",
    "POSTAL_ADDRESS": "Example News, 1 Example Street",
}


def environment(var: Path, **variables: str) -> dict[str, str]:
    """Return the environment of a shell in which only `variables` are configured."""
    kept = {name: value for name, value in os.environ.items() if name not in CONFIGURED}
    return kept | {"DAYBREAK_VAR": str(var)} | variables


def popen(*command: str, var: Path, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment(var, **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(*command: str, var: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    with popen(*command, var=var, **variables) as process:
        out, err = process.communicate(timeout=90)
        return subprocess.CompletedProcess(command, process.returncode, out, err)


def processes(var: Path) -> list[psutil.Process]:
    """Return the processes that run in or for this var/, including children."""
    found = []
    for process in psutil.process_iter():
        try:
            texts = [*process.cmdline(), process.environ().get("DAYBREAK_VAR", "")]
        except psutil.Error:
            continue
        if any(str(var) in text for text in texts) and process.status() != "zombie":
            found.append(process)
    return found
