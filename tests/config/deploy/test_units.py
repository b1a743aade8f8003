"""The systemd units are valid, and leave a service no right that it does not need."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.support import deployments
from tests.support.programs import find_program

pytestmark = pytest.mark.subprocess

# `systemd-analyze security` rates a service without any rule 96, and one that may do nothing 0.
MOST_EXPOSED = 20


@pytest.fixture
def units(tmp_path):
    """A copy of the units whose programs exist on this machine."""
    units = shutil.copytree(deployments.SYSTEMD, tmp_path / "units")
    for unit in units.glob("*.service"):
        text = unit.read_text()
        unit.write_text(re.sub(r"/opt/daybreak/\.venv/bin/\w+", sys.executable, text))
    return units


def analyze(units, *command):
    """Run systemd-analyze, which finds the drop-ins beside the units."""
    kinds = {".service"} if command[0] == "security" else {".service", ".target"}
    files = sorted(str(unit) for unit in units.iterdir() if unit.suffix in kinds)
    assert len(files) >= len(deployments.by_systemd())
    return subprocess.run(
        [find_program("systemd-analyze", package="systemd"), *command, *files],
        # The empty entry adds the system's own folders.
        env=os.environ | {"SYSTEMD_UNIT_PATH": f"{units}:", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=60,
    )


def complaints(done):
    """Return what was said about our units; the machine's own are not our concern."""
    return [line for line in done.stderr.splitlines() if "daybreak" in line]


def test_systemd_finds_no_fault_in_the_units(units):
    verified = analyze(units, "verify", "--man=no")

    assert complaints(verified) == []
    assert verified.returncode == 0


@pytest.mark.parametrize(
    ("before", "after"),
    [("TimeoutStopSec=90s", "TimeoutStopSec=soon"), ("KillMode=mixed", "KilMode=mixed")],
)
def test_a_fault_of_a_drop_in_is_found(units, before, after):
    for part in units.glob("*/*.conf"):
        part.write_text(part.read_text().replace(before, after))

    assert complaints(analyze(units, "verify", "--man=no"))


def test_a_service_may_do_little_but_its_work(units):
    rated = analyze(units, "security", "--offline=true", f"--threshold={MOST_EXPOSED}")

    assert rated.returncode == 0, rated.stdout
    assert rated.stdout.count("Overall exposure level") == len(deployments.by_systemd())


def test_the_target_starts_and_stops_every_service(units):
    for unit in units.glob("*.service"):
        assert "WantedBy=daybreak.target" in unit.read_text(), unit.name
    assert "PartOf=daybreak.target" in (units / "daybreak-.service.d/common.conf").read_text()
