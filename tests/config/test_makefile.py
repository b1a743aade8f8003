"""`make` reports a missing or unsuitable Python in one line, and why it could not install."""

import os
import shutil
import subprocess
import sys

import pytest

from tests.support.paths import ROOT

pytestmark = pytest.mark.subprocess

TOO_OLD = "exit 1"
NO_VENV = """case "$2" in *venv*) exit 1 ;; esac"""


def make(folder, python, requirements="", **variables):
    shutil.copy(ROOT / "Makefile", folder)
    (folder / "requirements.txt").write_text(requirements)
    (folder / "config/devserver").mkdir(parents=True)
    shutil.copy(ROOT / "config/devserver/install.py", folder / "config/devserver")
    # `make` also runs the tests; with its variables the inner `make` would write other messages.
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        ["make", "run", f"PYTHON={python}"],
        cwd=folder,
        env=env | {"LC_ALL": "C"} | variables,
        capture_output=True,
        text=True,
        timeout=30,
    )


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (TOO_OLD, "Daybreak needs Python 3.11 or newer; name one: PYTHON=python3.12 make"),
        (NO_VENV, "lacks venv; install it (Debian: apt-get install python3-venv)."),
    ],
    ids=["too old", "no venv"],
)
def test_an_unsuitable_python_is_named(tmp_path, script, message):
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)

    refused = make(tmp_path, python)

    first, closing = refused.stderr.splitlines()
    assert refused.returncode != 0
    assert first.endswith(message)
    assert closing.startswith("make: ***")
    assert not (tmp_path / ".venv").exists()


def test_a_missing_python_is_named(tmp_path):
    refused = make(tmp_path, "python-of-nowhere")

    assert refused.returncode != 0
    assert "there is no python-of-nowhere" in refused.stderr


def test_a_failed_installation_shows_why_and_is_not_taken_for_a_complete_one(tmp_path):
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)

    refused = make(tmp_path, sys.executable, requirements="no-such-package==1\n", PIP_NO_INDEX="1")

    assert refused.returncode != 0
    assert "Installing requirements.txt; " in refused.stdout
    assert "ERROR: No matching distribution found for no-such-package==1" in refused.stdout
    assert not (tmp_path / ".venv/run").exists()
