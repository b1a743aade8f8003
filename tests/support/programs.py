"""Programs that a developer's machine may lack, and that CI must have."""

from __future__ import annotations

import os
import shutil

import pytest


def find_program(name: str, *, package: str) -> str:
    """Return the program's path. Without it the test is skipped, or fails in CI."""
    # A normal user's PATH often lacks the folder in which Debian installs nginx.
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin"])
    if found := shutil.which(name, path=places):
        return found
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI needs this test, and there is no {name}")
    pytest.skip(f"no {name}: apt-get install {package}")
