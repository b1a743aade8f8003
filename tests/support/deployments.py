"""The processes of Daybreak, as each of the documented ways to deploy it starts them."""

from __future__ import annotations

import re
import runpy
from typing import Any

import yaml

from tests.support.paths import ROOT

DEPLOY = ROOT / "config" / "deploy"
SYSTEMD = DEPLOY / "systemd"
GUNICORN = DEPLOY / "gunicorn.conf.py"


def compose() -> dict[str, Any]:
    """Return compose.yaml with its anchors filled in."""
    return dict(yaml.safe_load((ROOT / "compose.yaml").read_text()))


def image() -> dict[str, str]:
    """Return the instructions of the Dockerfile's last stage; of several alike the last one."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    stage = re.split(r"^FROM ", text, flags=re.MULTILINE)[-1]
    found = re.findall(r"^([A-Z]+) +(.+)", stage, re.MULTILINE)
    return {name: " ".join(rest.split()) for name, rest in found}


def by_compose() -> list[list[str]]:
    """Return the commands of compose.yaml; the web server's is in the image."""
    web = re.findall(r'"([^"]*)"', image()["CMD"])
    return [web, *(c.split() for s in compose()["services"].values() if (c := s.get("command")))]


def by_systemd() -> dict[str, list[str]]:
    """Return the command of each unit, as it would be typed."""
    found = {}
    for unit in sorted(SYSTEMD.glob("*.service")):
        text = unit.read_text().replace("\\\n", " ")
        [command] = re.findall(r"^ExecStart=/opt/daybreak/\.venv/bin/(.+)", text, re.MULTILINE)
        found[unit.name] = command.replace("%%", "%").split()
    return found


def gunicorn() -> dict[str, Any]:
    """Return the settings of the web server."""
    return runpy.run_path(str(GUNICORN))


def by_hand() -> list[list[str]]:
    """Return the commands that docs/deploying.md gives for typing."""
    text = (ROOT / "docs" / "deploying.md").read_text()
    found = re.findall(r"^(?:gunicorn|celery) .+", text.replace("\\\n", " "), re.MULTILINE)
    return [line.partition(" #")[0].split() for line in found]
